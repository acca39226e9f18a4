//! What a seat says.

use crate::keys::{PublicKey, SecretKey, Signature, SignatureCheck};
use crate::primitives::{Hash256, tagged_hash};
use crate::tx::OutPoint;
use borsh::{BorshDeserialize, BorshSerialize};

/// A seat's finding about the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub enum Finding {
    /// It is the model's.
    Valid,
    /// It is not.
    Invalid {
        /// Where, as an index into `R = prompt ++ output`.
        position: u32,
    },
    /// Nobody supplied an opening of the commitment in time.
    NoEvidence,
    /// The model ran, and nobody can tell: a token between the tolerances, scores that are not finite.
    Undecided,
}

/// A vote as it is revealed. A seat that cannot run the model has nothing to say, and says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Ballot {
    /// The finding.
    pub finding: Finding,
    /// [`score_root`](crate::rastic::score_root) of the predictions; zero without evidence. It
    /// cannot be had without running the model, so an echo of the claimed tokens shows (hole H4).
    pub score_root: Hash256,
}

/// Hides a ballot until everybody has committed (attack R05). Binding the ticket keeps a seat from
/// copying another's commitment; binding the round ([`round_id`](super::round_id)) makes votes of a
/// branch that was reorganised away worth nothing on another.
pub fn ballot_commitment(round: &Hash256, ticket: &OutPoint, ballot: &Ballot, salt: &[u8; 32]) -> Hash256 {
    tagged_hash("camelid/ballot", &(round, ticket, ballot, salt))
}

/// A seat's signature for [`vote_check`].
pub fn sign_vote(round: &Hash256, ticket: &OutPoint, commitment: &Hash256, key: &SecretKey) -> Signature {
    key.sign(&vote_hash(round, ticket, commitment))
}

/// What a seat signs when it commits to a ballot.
fn vote_hash(round: &Hash256, ticket: &OutPoint, commitment: &Hash256) -> Hash256 {
    tagged_hash("camelid/vote", &(round, ticket, commitment))
}

/// The check that the holder of `ticket` committed to a ballot.
pub fn vote_check(
    round: &Hash256,
    (ticket, key): (&OutPoint, PublicKey),
    commitment: &Hash256,
    signature: Signature,
) -> SignatureCheck {
    SignatureCheck {
        key,
        digest: vote_hash(round, ticket, commitment),
        signature,
    }
}
