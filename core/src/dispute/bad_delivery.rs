//! Proof that a signed delivery does not open to its commitment (hole H10).

use crate::job::{MAX_OPENING_BYTES, Opening, SignedDelivery, Terms};
use crate::keys::{DecryptionProof, PublicKey, SealContext, open_with_shared};
use crate::model::{Finish, Manifest};
use crate::primitives::{BlockHash, decode};
use crate::script::Script;
use alloc::boxed::Box;
use borsh::{BorshDeserialize, BorshSerialize};

/// The client's evidence: the delivery as signed, and what lets the ledger open it.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct BadDelivery {
    /// The delivery with the node's signature.
    pub delivery: SignedDelivery,
    /// Proof of decryption; not needed when `E` is no point of the curve.
    pub proof: Option<DecryptionProof>,
    /// The model's manifest, needed only to show a wrong finish: its hash is the model id, and the
    /// ledger itself does not know a model's end tokens.
    pub manifest: Option<Box<Manifest>>,
}

/// Why the evidence shows nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadDeliveryError {
    /// `E` is a point and no proof of decryption is given.
    #[error("no proof of decryption")]
    ProofMissing,
    /// The proof of decryption does not verify.
    #[error("the proof of decryption does not verify")]
    ProofInvalid,
    /// The manifest is of another model.
    #[error("the manifest is not that of the job's model")]
    WrongManifest,
    /// The delivery opens to its commitment.
    #[error("the delivery opens to its commitment")]
    DeliveryGood,
}

/// What an opening is measured against.
pub struct Promise<'a> {
    /// The network.
    pub genesis: &'a BlockHash,
    /// The job's terms.
    pub terms: &'a Terms,
    /// The node's key.
    pub node_key: &'a PublicKey,
    /// The node's payout script.
    pub payout: &'a Script,
    /// Job, bond, commitment and recipient.
    pub context: &'a SealContext,
}

impl BadDelivery {
    /// Judges everything but the node's signature, which the caller has checked.
    ///
    /// # Errors
    /// Why the evidence does not show that the delivery is bad.
    pub fn judge(&self, promise: &Promise<'_>) -> Result<(), BadDeliveryError> {
        if !self.delivery.ephemeral.is_on_curve() {
            return Ok(());
        }
        let proof = self.proof.as_ref().ok_or(BadDeliveryError::ProofMissing)?;
        let (context, delivery) = (promise.context, &self.delivery);
        if !proof.verifies(context, &delivery.ephemeral, &delivery.ciphertext_hash()) {
            return Err(BadDeliveryError::ProofInvalid);
        }
        let Ok(plaintext) =
            open_with_shared(context, &delivery.ephemeral, &proof.shared, &delivery.ciphertext)
        else {
            return Ok(());
        };
        let Some(opening) = promise.decode_opening(&plaintext) else {
            return Ok(());
        };
        match &self.manifest {
            None => Err(BadDeliveryError::DeliveryGood),
            Some(manifest) if manifest.id() != promise.terms.model => Err(BadDeliveryError::WrongManifest),
            Some(manifest) => match promise.finish_matches(&opening, manifest) {
                true => Err(BadDeliveryError::DeliveryGood),
                false => Ok(()),
            },
        }
    }
}

impl Promise<'_> {
    /// The opening in `plaintext` if it decodes, is not empty, keeps the token limit and hashes to
    /// the commitment.
    pub fn decode_opening(&self, plaintext: &[u8]) -> Option<Opening> {
        let opening: Opening = decode(plaintext, MAX_OPENING_BYTES).ok()?;
        let length_fits =
            !opening.output.is_empty() && opening.output.len() <= self.terms.max_tokens as usize;
        let commitment = opening.commitment(self.genesis, &self.context.job, self.node_key, self.payout);
        (length_fits && commitment == self.context.commitment).then_some(opening)
    }

    /// True when the opening's finish is the one its output has under `manifest`.
    pub fn finish_matches(&self, opening: &Opening, manifest: &Manifest) -> bool {
        Finish::derive(&opening.output, &manifest.end_tokens, self.terms.max_tokens) == Some(opening.finish)
    }
}
