//! The blocks before a transaction, made up for a test.

use super::{GENESIS, JOB, SINCE};
use camelid_core::committee::{Ticket, is_audited};
use camelid_core::escrow::{Clock, Effects, Event, Facts, History, JobError, JobRecord, Moment, transition};
use camelid_core::keys::{EcdsaVerifier, SignatureCheck, Verifier};
use camelid_core::params::Params;
use camelid_core::primitives::{Amount, BlockHash, Height, Timestamp};
use camelid_core::tx::OutPoint;
use std::collections::BTreeMap;
use std::sync::Mutex;

/// Median times, block hashes and tickets.
#[derive(Clone, Debug)]
pub struct Past {
    /// Median time past from a height on, until the next entry.
    pub times: BTreeMap<u32, u32>,
    /// The hash of every block.
    pub hash: BlockHash,
    pub tickets: BTreeMap<OutPoint, Ticket>,
}

impl Past {
    /// Nothing but `times`; the hash of no block selects [`JOB`] for an audit.
    pub fn new(times: BTreeMap<u32, u32>) -> Self {
        Self {
            times,
            hash: hash_that_audits(false, 30),
            tickets: BTreeMap::new(),
        }
    }

    /// The past of `moment`, whose time stood still before [`SINCE`] and again after it.
    pub fn of(moment: Moment) -> Self {
        Self::new(BTreeMap::from([
            (0, SINCE.mtp.0),
            (SINCE.height.0 + 1, moment.mtp_before.0),
        ]))
    }

    pub fn mtp(&self, height: u32) -> u32 {
        let mut until = self.times.range(..=height);
        *until.next_back().expect("the past begins at height 0").1
    }

    /// A transaction in the block at `height`.
    pub fn moment(&self, height: u32) -> Moment {
        Moment {
            height: Height(height),
            mtp_before: Timestamp(self.mtp(height.saturating_sub(1))),
            mtp: Timestamp(self.mtp(height)),
        }
    }

    pub fn clock<'a>(&'a self, params: &'a Params, moment: Moment) -> Clock<'a> {
        Clock {
            params,
            genesis: &GENESIS,
            history: self,
            moment,
        }
    }

    /// What `event` does to `record` at `moment`.
    pub fn apply(
        &self,
        (params, verifier, audit_fund): (&Params, &dyn Verifier, Amount),
        record: &JobRecord,
        event: &Event<'_>,
        moment: Moment,
    ) -> Result<Effects, JobError> {
        let facts = Facts {
            clock: self.clock(params, moment),
            verifier,
            audit_fund,
        };
        transition(record, event, &facts)
    }
}

impl History for Past {
    fn median_time_past_at(&self, height: Height) -> Option<Timestamp> {
        Some(Timestamp(self.mtp(height.0)))
    }

    fn block_hash_at(&self, _: Height) -> Option<BlockHash> {
        Some(self.hash)
    }

    fn tickets(&self) -> &BTreeMap<OutPoint, Ticket> {
        &self.tickets
    }
}

/// A block hash that selects [`JOB`] for an audit, or does not.
pub fn hash_that_audits(audited: bool, permille: u32) -> BlockHash {
    let mut hashes = (0..=u16::MAX).map(|number| {
        let mut hash = [0; 32];
        hash[..2].copy_from_slice(&number.to_le_bytes());
        BlockHash(hash)
    });
    let found = hashes.find(|hash| is_audited(hash, &JOB, permille) == audited);
    found.expect("some block does")
}

/// Checks every signature, the same one only once.
#[derive(Default)]
pub struct Remembering(Mutex<BTreeMap<SignatureCheck, bool>>);

impl Verifier for Remembering {
    fn verify(&self, check: &SignatureCheck) -> bool {
        let mut known = self.0.lock().unwrap();
        *known.entry(*check).or_insert_with(|| EcdsaVerifier.verify(check))
    }
}
