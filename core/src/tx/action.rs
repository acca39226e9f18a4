//! What a transaction may do to a job.

use crate::dispute::BadDelivery;
use crate::job::{SignedDelivery, Terms};
use crate::keys::{PublicKey, SecretKey, Signature, SignatureCheck};
use crate::primitives::{BlockHash, Commitment, Hash256, JobId, tagged_hash};
use crate::script::Script;
use crate::tx::OutPoint;
use alloc::boxed::Box;
use borsh::{BorshDeserialize, BorshSerialize};

/// A step in a job's life. It consumes the pseudo-outpoint `(job id, seq)`: of two transactions
/// with the same pair at most one can ever be mined.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Action {
    /// The sequence number of the record that it acts on; 0 for OpenJob.
    pub seq: u32,
    /// What it does.
    pub kind: ActionKind,
}

/// The actions of `docs/src/protocol.md`, "States".
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum ActionKind {
    /// The client locks `r + a + f` in output 0.
    OpenJob(Box<Terms>),
    /// Client and node turn escrow (input 0) and stake into the bond (output 0): the paper's
    /// testament and updated payment in one.
    Engage {
        /// The node's salted commitment to its output.
        commitment: Commitment,
        /// The key that signs deliveries.
        node_key: PublicKey,
        /// Where reward and stake go.
        payout: Script,
    },
    /// Closes a job whose window is over; by anyone.
    Settle,
    /// The client says that it got no delivery, and puts a deposit into output 0.
    Withheld {
        /// The client's signature over genesis, job, sequence number and first input.
        signature: Signature,
    },
    /// Answers on the ledger with the delivery; by anyone, with the node's signature.
    Deliver(Box<SignedDelivery>),
    /// The client shows that a signed delivery is bad.
    BadDelivery(Box<BadDelivery>),
}

impl ActionKind {
    /// The action's name in tables and messages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::OpenJob(_) => "OpenJob",
            Self::Engage { .. } => "Engage",
            Self::Settle => "Settle",
            Self::Withheld { .. } => "Withheld",
            Self::Deliver(_) => "Deliver",
            Self::BadDelivery(_) => "BadDelivery",
        }
    }

    /// The Withheld action for record `seq` of `job`, signed by the client, for a transaction whose
    /// first input is `first_input`: nobody else can use the signature.
    pub fn withheld(
        genesis: &BlockHash,
        job: &JobId,
        seq: u32,
        first_input: &OutPoint,
        client: &SecretKey,
    ) -> Self {
        Self::Withheld {
            signature: client.sign(&withheld_hash(genesis, job, seq, first_input)),
        }
    }
}

/// The check that the client made this Withheld claim.
pub fn withheld_check(
    genesis: &BlockHash,
    job: &JobId,
    seq: u32,
    first_input: &OutPoint,
    client: PublicKey,
    signature: Signature,
) -> SignatureCheck {
    SignatureCheck {
        key: client,
        digest: withheld_hash(genesis, job, seq, first_input),
        signature,
    }
}

/// What the client signs when it claims that an output is withheld.
fn withheld_hash(genesis: &BlockHash, job: &JobId, seq: u32, first_input: &OutPoint) -> Hash256 {
    tagged_hash("camelid/withheld", &(genesis, job, seq, first_input))
}
