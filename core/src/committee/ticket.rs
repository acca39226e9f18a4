//! Verifier bonds.

use crate::escrow::Since;
use crate::keys::{PublicKey, SecretKey, Signature, SignatureCheck};
use crate::primitives::{BlockHash, BoundedVec, Hash256, Height, ModelId, tagged_hash};
use crate::tx::OutPoint;
use borsh::{BorshDeserialize, BorshSerialize};

/// Most models that a ticket is registered for.
pub const MAX_MODELS: usize = 16;

/// Models that a verifier can run bit for bit: an id binds weights, tokenizer and numerics profile.
pub type Models = BoundedVec<ModelId, MAX_MODELS>;

/// What a verifier declares when it locks its bond.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Registration {
    /// Signs votes and gets the pay.
    pub key: PublicKey,
    /// The models it can run. An honest node has checked the golden vector of each.
    pub models: Models,
}

/// A verifier bond: one chance in every draw.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Ticket {
    /// The bond output, which names the ticket.
    pub id: OutPoint,
    /// Who it is, and for which models.
    pub registration: Registration,
    /// Height of the block that holds the bond.
    pub registered: Height,
    /// Number of transitions that made this record; the next action must name it.
    pub seq: u32,
    /// The height from which it is in no draw any more: it was jailed, or began to unbond.
    pub retired: Option<Height>,
    /// When it began to unbond, if it has.
    pub unbonding: Option<Since>,
}

impl Ticket {
    /// True when the ticket takes part in a draw with beacon block `beacon` for a job that was
    /// engaged at `engaged`: it is registered for the model, its bond was `maturity` blocks old at
    /// Engage, and it was in good standing up to the beacon block. None of this changes after the
    /// beacon block, so a draw can be repeated for as long as no bond that was in it can have been
    /// withdrawn.
    pub fn is_eligible(&self, model: &ModelId, engaged: Height, beacon: Height, maturity: u32) -> bool {
        self.registration.models.contains(model)
            && self.registered.plus(maturity) <= engaged
            && self.retired.is_none_or(|from| from > beacon)
    }
}

/// What a verifier signs to begin unbonding.
fn unbond_hash(genesis: &BlockHash, ticket: &OutPoint, seq: u32) -> Hash256 {
    tagged_hash("camelid/unbond", &(genesis, ticket, seq))
}

/// The check that the holder of record `seq` of `ticket` asked for its bond back.
pub fn unbond_check(genesis: &BlockHash, ticket: &Ticket, signature: Signature) -> SignatureCheck {
    SignatureCheck {
        key: ticket.registration.key,
        digest: unbond_hash(genesis, &ticket.id, ticket.seq),
        signature,
    }
}

impl Ticket {
    /// The holder's signature for [`unbond_check`].
    pub fn sign_unbond(&self, genesis: &BlockHash, key: &SecretKey) -> Signature {
        key.sign(&unbond_hash(genesis, &self.id, self.seq))
    }
}
