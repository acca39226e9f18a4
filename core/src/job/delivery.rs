//! The signed ciphertext with which a node delivers.

use crate::keys::{PublicKey, SealContext, SecretKey, Signature, SignatureCheck};
use crate::model::MAX_TOKENS;
use crate::primitives::{BlockHash, BoundedVec, Hash256, JobId, sha256, tagged_hash};
use crate::tx::OutPoint;
use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};

/// Largest ciphertext of any job: the largest opening and a 16-byte authentication tag.
pub const MAX_CIPHERTEXT_BYTES: usize = 4 * MAX_TOKENS + 53;

/// A sealed opening signed by the node: evidence against it if it does not open to its commitment.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct SignedDelivery {
    /// The node's ephemeral key `E`: 33 bytes as signed, perhaps no point of the curve.
    pub ephemeral: PublicKey,
    /// The sealed opening.
    pub ciphertext: BoundedVec<u8, MAX_CIPHERTEXT_BYTES>,
    /// The node's signature over job, bond, commitment, recipient, `E` and the ciphertext's hash.
    pub signature: Signature,
}

impl SignedDelivery {
    /// Signs `ciphertext` as the delivery for `context`. `None` if it is too long.
    pub fn sign(
        context: &SealContext,
        ephemeral: PublicKey,
        ciphertext: Vec<u8>,
        node: &SecretKey,
    ) -> Option<Self> {
        let ciphertext = BoundedVec::from_vec(ciphertext)?;
        let signature = node.sign(&signed_hash(context, &ephemeral, &ciphertext));
        Some(Self {
            ephemeral,
            ciphertext,
            signature,
        })
    }

    /// The check that `node_key` signed this delivery for `context`.
    pub fn signature_check(&self, context: &SealContext, node_key: &PublicKey) -> SignatureCheck {
        SignatureCheck {
            key: *node_key,
            digest: signed_hash(context, &self.ephemeral, &self.ciphertext),
            signature: self.signature,
        }
    }

    /// SHA-256 of the ciphertext.
    pub fn ciphertext_hash(&self) -> Hash256 {
        sha256(&self.ciphertext)
    }

    /// Longest ciphertext a job with token limit `max_tokens` may deliver: `4 T + 53` bytes.
    pub fn size_cap(max_tokens: u32) -> usize {
        (max_tokens as usize).saturating_mul(4).saturating_add(53)
    }
}

/// What the client signs to say that it has the delivery of `job` under the engagement of `bond`.
pub fn receipt_hash(genesis: &BlockHash, job: &JobId, bond: &OutPoint) -> Hash256 {
    tagged_hash("camelid/receipt", &(genesis, job, bond))
}

/// What the node signs: genesis, job, bond, commitment, recipient, `E`, and the ciphertext's length and hash.
fn signed_hash(context: &SealContext, ephemeral: &PublicKey, ciphertext: &[u8]) -> Hash256 {
    let fields = (context, ephemeral, ciphertext.len() as u64, sha256(ciphertext));
    tagged_hash("camelid/delivery", &fields)
}
