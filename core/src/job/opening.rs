//! The opening of a commitment: what the node seals to the client.

use crate::keys::PublicKey;
use crate::model::{Finish, MAX_TOKENS, Tokens};
use crate::primitives::{BlockHash, Commitment, JobId, encode, tagged_hash};
use crate::script::Script;
use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};

/// Largest encoding of an opening: finish, length, tokens, salt.
pub const MAX_OPENING_BYTES: usize = 1 + 4 + 4 * MAX_TOKENS + 32;

/// A node's output with the salt that hid it in the commitment.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Opening {
    /// Why generation stopped.
    pub finish: Finish,
    /// The output's token ids.
    pub output: Tokens,
    /// 32 secret bytes: without them a short output could be guessed from the commitment (hole H14).
    pub salt: [u8; 32],
}

impl Opening {
    /// The commitment to this opening by the node `node_key` for `job`. It names the node and its
    /// payout, so nobody can copy another's commitment (attack R02).
    pub fn commitment(
        &self,
        genesis: &BlockHash,
        job: &JobId,
        node_key: &PublicKey,
        payout: &Script,
    ) -> Commitment {
        let fields = (genesis, job, node_key, payout, self);
        Commitment(tagged_hash("camelid/commitment", &fields).0)
    }

    /// The bytes that are sealed.
    pub fn to_bytes(&self) -> Vec<u8> {
        encode(self)
    }
}
