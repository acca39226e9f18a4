//! The header that is mined.

use super::target::{CompactTarget, TargetError};
use crate::primitives::{BlockHash, Hash256, Timestamp, encode, sha256d};
use borsh::{BorshDeserialize, BorshSerialize};

/// Bitcoin's header: 80 bytes, little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct BlockHeader {
    /// Rules the miner signals; 1.
    pub version: u32,
    /// The block that it extends.
    pub previous: BlockHash,
    /// Root over the wtxids of the block's transactions.
    pub merkle_root: Hash256,
    /// The miner's clock, in seconds.
    pub time: Timestamp,
    /// The target that the hash must meet.
    pub bits: CompactTarget,
    /// What the miner varies.
    pub nonce: u32,
}

impl BlockHeader {
    /// Bytes of an encoded header.
    pub const BYTES: usize = 80;

    /// Double SHA-256 of the 80 bytes.
    pub fn hash(&self) -> BlockHash {
        BlockHash(sha256d(&encode(self)).0)
    }

    /// Checks the proof of work: the hash, as a little-endian number, is at most the target.
    ///
    /// # Errors
    /// [`TargetError`] when the target is malformed or missed.
    pub fn check_work(&self) -> Result<(), TargetError> {
        match self.bits.target()?.is_met_by(&self.hash()) {
            true => Ok(()),
            false => Err(TargetError::Missed),
        }
    }
}
