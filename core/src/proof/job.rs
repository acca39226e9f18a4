//! What a block made of a job.

use super::{Included, ProofError, TransactionProof};
use crate::block::{BlockHeader, records_root_of};
use crate::chain::{Chain, Delta, HeaderTree};
use crate::escrow::{JobStatus, Outcome};
use crate::primitives::{JobId, MerkleBranch, MerkleTree, encode};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;
use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};

/// Shows how a job stood after a block that changed its record. Of a closed job that is the last word:
/// nothing leaves Closed. Any other may have moved on, by a block that the proof says nothing about.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct JobProof {
    /// The block's coinbase, which commits to the jobs that the block changed.
    pub coinbase: TransactionProof,
    /// From the status's encoding up to the root in the coinbase.
    pub branch: MerkleBranch,
    /// The job after the block.
    pub status: JobStatus,
}

impl JobProof {
    /// The proof for a job as the ledger of `chain` has it, from the block that changed it last; `None`
    /// when there is no such job.
    pub fn create(chain: &Chain, job: &JobId) -> Option<Self> {
        let record = chain.ledger().job(job)?;
        let began = record.since.height.0;
        let changed = |height: &u32| undo_at(chain, *height).is_some_and(|undo| undo.jobs.contains_key(job));
        // Votes change a record after its state began, but for one that is closed.
        let height = match record.state.outcome() {
            Some(_) => began,
            None => (began..=chain.height().0).rev().find(changed)?,
        };
        let statuses = statuses_after(chain, height)?;
        let position = statuses.iter().position(|changed| changed.id == *job)?;
        let block = chain.block(chain.active().get(height as usize)?)?;
        Some(Self {
            coinbase: TransactionProof::create(&block, 0)?,
            branch: MerkleTree::new(statuses.iter().map(encode)).branch(position)?,
            status: *statuses.get(position)?,
        })
    }

    /// Where in the best of `headers` the block is that left the job so.
    ///
    /// # Errors
    /// [`ProofError`], when this does not show it.
    pub fn verify(&self, headers: &HeaderTree) -> Result<Included, ProofError> {
        let included = self.coinbase.verify(headers)?;
        self.check_status()?;
        Ok(included)
    }

    /// That the block with this header left the job so. Whether the header is worth anything is for
    /// the caller to know.
    ///
    /// # Errors
    /// The link that is broken.
    pub fn check(&self, header: &BlockHeader) -> Result<(), ProofError> {
        self.coinbase.check(header)?;
        self.check_status()
    }

    /// How the job ended, if it has.
    pub fn outcome(&self) -> Option<Outcome> {
        self.status.outcome
    }

    fn check_status(&self) -> Result<(), ProofError> {
        let coinbase = &self.coinbase.transaction;
        let root = records_root_of(coinbase)
            .filter(|_| coinbase.is_coinbase() && self.coinbase.branch.is_first())
            .ok_or(ProofError::Coinbase)?;
        if self.branch.root_from(&encode(&self.status)) == root {
            Ok(())
        } else {
            Err(ProofError::Status)
        }
    }
}

/// What undoes the block of the best chain at `height`.
fn undo_at(chain: &Chain, height: u32) -> Option<Arc<Delta>> {
    chain.undo(chain.active().get(height as usize)?)
}

/// The jobs that the block at `height` changed, as it left them, by id. What later blocks overwrote
/// stands in the undo data of the first of them.
fn statuses_after(chain: &Chain, height: u32) -> Option<Vec<JobStatus>> {
    let undo = undo_at(chain, height)?;
    let mut statuses = BTreeMap::new();
    let mut unsettled = BTreeSet::new();
    for job in undo.jobs.keys() {
        match chain.ledger().job(job) {
            // Nothing leaves Closed.
            Some(record) if record.state.outcome().is_some() && record.since.height.0 <= height => {
                statuses.insert(*job, record.status());
            }
            _ => drop(unsettled.insert(*job)),
        }
    }
    for later in height.checked_add(1)?..=chain.height().0 {
        if unsettled.is_empty() {
            break;
        }
        for (job, before) in &undo_at(chain, later)?.jobs {
            if unsettled.remove(job) {
                statuses.extend(before.as_ref().map(|before| (*job, before.status())));
            }
        }
    }
    let unchanged = unsettled.iter().filter_map(|job| chain.ledger().job(job));
    statuses.extend(unchanged.map(|record| (record.id, record.status())));
    Some(statuses.into_values().collect())
}
