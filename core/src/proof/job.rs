//! What a block made of a job.

use super::{Included, ProofError, TransactionProof};
use crate::block::{BlockHeader, records_root_of};
use crate::chain::{Chain, HeaderTree};
use crate::escrow::{JobRecord, JobStatus, Outcome};
use crate::primitives::{JobId, MerkleBranch, MerkleTree, encode};
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
        let index = chain
            .undo()
            .iter()
            .rposition(|undo| undo.jobs.contains_key(job))?;
        let statuses = statuses_after(chain, index);
        let position = statuses.iter().position(|changed| changed.id == *job)?;
        // The first entry of the undo data belongs to the block above the genesis block.
        let block = chain.block(chain.active().get(index.checked_add(1)?)?)?;
        Some(Self {
            coinbase: TransactionProof::create(block, 0)?,
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

/// The jobs that block `index` above the genesis block changed, as it left them, by id. What later
/// blocks overwrote stands in the undo data of the first of them.
fn statuses_after(chain: &Chain, index: usize) -> Vec<JobStatus> {
    let Some((undo, later)) = chain.undo().get(index..).and_then(<[_]>::split_first) else {
        return Vec::new();
    };
    let after = |job: &JobId| {
        let overwritten = later.iter().find_map(|undo| undo.jobs.get(job));
        match overwritten {
            Some(before) => before.as_ref(),
            None => chain.ledger().job(job),
        }
    };
    let records = undo.jobs.keys().filter_map(after);
    records.map(JobRecord::status).collect()
}
