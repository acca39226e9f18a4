//! What can happen to a job, what it depends on, and what it leads to.

use super::clock::Clock;
use super::payout::Closing;
use super::record::JobRecord;
use crate::committee::Ballot;
use crate::dispute::{BadDelivery, BadDeliveryError};
use crate::job::SignedDelivery;
use crate::keys::{PublicKey, Signature, Verifier};
use crate::primitives::{Amount, Commitment, Hash256};
use crate::script::Script;
use crate::tx::{ClaimKind, OutPoint};
use alloc::vec::Vec;

/// What happens to a job. The ledger derives it from a transaction's action and outputs.
#[derive(Clone, Debug)]
pub enum Event<'a> {
    /// The escrow has been turned into a bond at `bond`.
    Engage {
        /// The node's commitment.
        commitment: Commitment,
        /// The key that signs deliveries.
        node_key: PublicKey,
        /// Where reward and stake go.
        payout: &'a Script,
        /// The bond output.
        bond: OutPoint,
    },
    /// Somebody asks to close the job.
    Settle,
    /// A party objects, with a deposit.
    Claim(ClaimKind, Claim),
    /// The delivery is put on the ledger.
    Deliver(&'a SignedDelivery),
    /// The client shows that a delivery is bad.
    BadDelivery(&'a BadDelivery),
    /// A seat commits to a ballot.
    VoteCommit {
        /// The seat's ticket.
        ticket: OutPoint,
        /// [`ballot_commitment`](crate::committee::ballot_commitment).
        commitment: Hash256,
        /// The seat's signature.
        signature: Signature,
    },
    /// A seat's ballot is revealed; whoever knows the salt may do so.
    VoteReveal {
        /// The seat's ticket.
        ticket: OutPoint,
        /// The ballot.
        ballot: Ballot,
        /// The salt of its commitment.
        salt: &'a [u8; 32],
    },
}

/// The transaction behind a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The claimant's signature, for the transaction with this first input.
    pub signature: Signature,
    /// The claiming transaction's first input.
    pub first_input: OutPoint,
    /// The deposit output.
    pub deposit: OutPoint,
    /// What it holds.
    pub amount: Amount,
}

impl Event<'_> {
    /// The event's name in tables and messages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Engage { .. } => "Engage",
            Self::Settle => "Settle",
            Self::Claim(kind, _) => kind.name(),
            Self::Deliver(_) => "Deliver",
            Self::BadDelivery(_) => "BadDelivery",
            Self::VoteCommit { .. } => "VoteCommit",
            Self::VoteReveal { .. } => "VoteReveal",
        }
    }
}

/// What a transition depends on beside record and event.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// Network, blocks before, and where the transaction stands.
    pub clock: Clock<'a>,
    /// Who verifies signatures.
    pub verifier: &'a dyn Verifier,
    /// What the audit fund holds.
    pub audit_fund: Amount,
}

/// What the ledger must do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effects {
    /// The record from now on.
    pub record: JobRecord,
    /// Native outputs that cease to be.
    pub released: Vec<OutPoint>,
    /// What becomes of their money, if the job closes.
    pub closing: Option<Closing>,
    /// Tickets that are fined and jailed, each by [`fine`](Self::fine) or what its bond still holds.
    pub jailed: Vec<OutPoint>,
    /// The fine of each.
    pub fine: Amount,
}

/// Why a transition is not allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JobError {
    /// The table has no such row.
    #[error("{event} is not possible in state {state}")]
    NotListed {
        /// The record's state.
        state: &'static str,
        /// The event.
        event: &'static str,
    },
    /// The window in which this may happen is over.
    #[error("the window for {0} is closed")]
    WindowClosed(&'static str),
    /// The deadline or the window that must pass first is still ahead.
    #[error("it is too early for {0}")]
    WindowOpen(&'static str),
    /// Engage at or after the deadline.
    #[error("the deadline has passed")]
    DeadlinePassed,
    /// Withheld before the node had to deliver.
    #[error("Engage is not buried deep enough for a Withheld claim")]
    NotBuried,
    /// The node's key is no point of the curve.
    #[error("the node key is not on the curve")]
    NodeKeyOffCurve,
    /// The deposit is not the one that the parameters fix.
    #[error("deposit {given}, {required} is required")]
    Deposit {
        /// The deposit given.
        given: Amount,
        /// The deposit required.
        required: Amount,
    },
    /// A signature by the party concerned does not verify.
    #[error("the {0}'s signature does not verify")]
    Signature(&'static str),
    /// The ciphertext is longer than the job's cap.
    #[error("ciphertext of {length} bytes, at most {cap} are allowed")]
    CiphertextTooLong {
        /// Bytes given.
        length: usize,
        /// Bytes allowed.
        cap: usize,
    },
    /// Who appeals has nothing to appeal against.
    #[error("the decision is not against a party that may appeal")]
    NothingToAppeal,
    /// The ticket has no seat in this round.
    #[error("ticket {0} has no seat in this round")]
    NoSeat(OutPoint),
    /// The seat has done this before, or has not done what comes before it.
    #[error("the seat's vote does not allow {0}")]
    Vote(&'static str),
    /// The ballot is not the one that was committed to.
    #[error("the ballot is not the one committed to")]
    Ballot,
    /// This network knows no proof of decryption.
    #[error("the network does not open deliveries in public")]
    NoPublicDecryption,
    /// The evidence shows nothing.
    #[error(transparent)]
    BadDelivery(#[from] BadDeliveryError),
    /// Amounts overflow (the terms' check rules this out).
    #[error("amounts overflow")]
    Overflow,
}

impl Effects {
    /// A changed record and nothing else.
    pub(super) fn of(record: JobRecord) -> Self {
        Self {
            record,
            released: Vec::new(),
            closing: None,
            jailed: Vec::new(),
            fine: Amount::ZERO,
        }
    }
}
