//! Which jobs are audited without a claim (hole H11: somebody must check, and be paid for it).

use crate::primitives::{BlockHash, JobId, tagged_hash};

/// True when `beacon`, the last block of a job's challenge window, selects `job` for an audit:
/// `permille` of all jobs.
pub fn is_audited(beacon: &BlockHash, job: &JobId, permille: u32) -> bool {
    let hash = tagged_hash("camelid/audit", &(beacon, job));
    hash.to_u64() % 1000 < u64::from(permille)
}
