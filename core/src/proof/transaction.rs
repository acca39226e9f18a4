//! That a transaction is in a block.

use super::{Included, ProofError, find};
use crate::block::{Block, BlockHeader};
use crate::chain::HeaderTree;
use crate::primitives::{BlockHash, MerkleBranch};
use crate::tx::Transaction;
use borsh::{BorshDeserialize, BorshSerialize};

/// Shows that a transaction is in a block. The whole transaction is part of it, since a header commits
/// to wtxids: whoever looks for a txid compares that of [`transaction`](Self::transaction).
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct TransactionProof {
    /// The block.
    pub block: BlockHash,
    /// From the transaction's wtxid up to the header's Merkle root.
    pub branch: MerkleBranch,
    /// The transaction.
    pub transaction: Transaction,
}

impl TransactionProof {
    /// The proof for the transaction at `index` of `block`, or `None` when there is none.
    pub fn create(block: &Block, index: usize) -> Option<Self> {
        Some(Self {
            block: block.header.hash(),
            branch: block.merkle_tree().branch(index)?,
            transaction: block.transactions.get(index)?.clone(),
        })
    }

    /// Where in the best of `headers` the transaction is.
    ///
    /// # Errors
    /// [`ProofError`], when this does not show it.
    pub fn verify(&self, headers: &HeaderTree) -> Result<Included, ProofError> {
        let (header, included) = find(headers, &self.block)?;
        self.check(&header)?;
        Ok(included)
    }

    /// That the block with this header has the transaction. Whether the header is worth anything is
    /// for the caller to know.
    ///
    /// # Errors
    /// [`ProofError::Transaction`], or [`ProofError::UnknownBlock`] when it is for another header.
    pub fn check(&self, header: &BlockHeader) -> Result<(), ProofError> {
        if header.hash() != self.block {
            return Err(ProofError::UnknownBlock(self.block));
        }
        let root = self.branch.root_from(self.transaction.wtxid().as_ref());
        if root == header.merkle_root {
            Ok(())
        } else {
            Err(ProofError::Transaction)
        }
    }
}
