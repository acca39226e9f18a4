//! Units, hashes, bounded containers and the random streams everything else is written in.

mod amount;
mod bounded;
mod hash;
mod map;
mod merkle;
mod merkle_branch;
mod set_digest;
mod stream;
mod time;

pub use amount::{Amount, COIN};
pub use bounded::{BoundedVec, DecodeError, decode, encode};
pub use hash::{
    BlockHash, Commitment, Digest, Hash256, JobId, ModelId, Txid, Wtxid, sha256, sha256d, tagged_hash,
};
pub use map::Map;
pub use merkle::{MerkleProof, MerkleTree};
pub use merkle_branch::{MerkleBranch, Sibling};
pub use set_digest::SetDigest;
pub use stream::Stream;
pub use time::{Height, Time, Timestamp};
