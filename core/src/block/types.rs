//! A block and its coinbase.

use super::header::BlockHeader;
use crate::primitives::{BoundedVec, Hash256, Height, MerkleTree, encode};
use crate::script::Script;
use crate::tx::{NO_EXPIRY, OutPoint, Transaction, TxIn, TxOut};
use alloc::vec::Vec;
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
        MerkleTree::new(self.transactions.iter().map(Transaction::wtxid)).root()
    }

    /// Bytes of the canonical encoding.
    pub fn size(&self) -> usize {
        encode(self).len()
    }
}

/// The coinbase of the block at `height`. Its lock time is the height, which makes its txid unique
/// on a chain; `extra_nonce` varies the Merkle root when the header's 32 bits are spent.
pub fn coinbase(height: Height, extra_nonce: u64, outputs: Vec<TxOut>) -> Option<Transaction> {
    let mut script_sig = Vec::from([8]);
    script_sig.extend(extra_nonce.to_le_bytes());
    coinbase_with(height, Script::from_bytes(script_sig)?, outputs)
}

/// A coinbase with any `script_sig`.
pub(super) fn coinbase_with(height: Height, script_sig: Script, outputs: Vec<TxOut>) -> Option<Transaction> {
    let input = TxIn {
        previous: OutPoint::NULL,
        script_sig,
        sequence: NO_EXPIRY,
    };
    Some(Transaction {
        version: 1,
        inputs: BoundedVec::from_vec(Vec::from([input]))?,
        outputs: BoundedVec::from_vec(outputs)?,
        lock_time: height.0,
        job_id: None,
        action: None,
    })
}
