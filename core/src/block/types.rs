//! A block.

use super::header::BlockHeader;
use crate::primitives::{BoundedVec, Hash256, MerkleTree, encode};
use crate::tx::Transaction;
use borsh::{BorshDeserialize, BorshSerialize};

/// Largest encoding of any network's block, in bytes.
pub const MAX_BLOCK_BYTES: usize = 1_000_000;

/// Most transactions of any network's block.
pub const MAX_BLOCK_TRANSACTIONS: usize = 16_384;

/// A header and its transactions, the coinbase first.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Block {
    /// What was mined.
    pub header: BlockHeader,
    /// At most [`MAX_BLOCK_TRANSACTIONS`].
    pub transactions: BoundedVec<Transaction, MAX_BLOCK_TRANSACTIONS>,
}

impl Block {
    /// RFC 6962 root over the wtxids.
    pub fn merkle_root(&self) -> Hash256 {
        self.merkle_tree().root()
    }

    /// The tree of [`merkle_root`](Self::merkle_root).
    pub(crate) fn merkle_tree(&self) -> MerkleTree {
        MerkleTree::new(self.transactions.iter().map(Transaction::wtxid))
    }

    /// Bytes of the canonical encoding.
    pub fn size(&self) -> usize {
        encode(self).len()
    }
}
