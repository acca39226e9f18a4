//! What a transaction may do to a job.

use crate::committee::{Ballot, Registration};
use crate::dispute::BadDelivery;
use crate::job::{SignedDelivery, Terms};
use crate::keys::{PublicKey, SecretKey, Signature, SignatureCheck};
use crate::primitives::{BlockHash, Commitment, Hash256, JobId, tagged_hash};
use crate::script::Script;
use crate::tx::OutPoint;
use alloc::boxed::Box;
use borsh::{BorshDeserialize, BorshSerialize};

/// A step in the life of a job or of a verifier's ticket. It consumes an [`ActionKey`]: of two
/// transactions with the same key at most one can ever be mined.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Action {
    /// The sequence number of the record that it acts on; 0 for what makes a record.
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
    /// A party objects, and puts a deposit into output 0.
    Claim {
        /// To what.
        kind: ClaimKind,
        /// The party's signature over genesis, job, sequence number and first input.
        signature: Signature,
    },
    /// Answers on the ledger with the delivery; by anyone, with the node's signature.
    Deliver(Box<SignedDelivery>),
    /// The client shows that a signed delivery is bad.
    BadDelivery(Box<BadDelivery>),
    /// A seat of a committee commits to a ballot.
    VoteCommit {
        /// The seat's ticket.
        ticket: OutPoint,
        /// [`ballot_commitment`](crate::committee::ballot_commitment).
        commitment: Hash256,
        /// The seat's signature.
        signature: Signature,
    },
    /// A seat shows its ballot.
    VoteReveal {
        /// The seat's ticket.
        ticket: OutPoint,
        /// The ballot.
        ballot: Ballot,
        /// The salt of its commitment.
        salt: [u8; 32],
    },
    /// A verifier locks its bond in output 0. Concerns no job, like the two below.
    Register(Box<Registration>),
    /// A verifier wants its bond back, and is in no further draw.
    Unbond {
        /// The ticket.
        ticket: OutPoint,
        /// Its holder's signature.
        signature: Signature,
    },
    /// Pays a bond out that has waited long enough; by anyone.
    Withdraw {
        /// The ticket.
        ticket: OutPoint,
    },
}

/// What a party objects to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub enum ClaimKind {
    /// The client got no delivery.
    Withheld,
    /// The client says that the output is not the model's.
    Invalid,
    /// Whom round 1 was decided against asks for round 2.
    Appeal,
}

impl ClaimKind {
    /// The claim's name in tables and messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Withheld => "Withheld",
            Self::Invalid => "Invalid",
            Self::Appeal => "Appeal",
        }
    }
}

/// What an action consumes, beside the inputs of its transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ActionKey {
    /// Record `seq` of a job.
    Job(JobId, u32),
    /// A seat's vote in the round that record `seq` of a job began.
    Vote {
        /// The job.
        job: JobId,
        /// The record.
        seq: u32,
        /// The seat's ticket.
        ticket: OutPoint,
        /// The reveal, not the commitment.
        reveal: bool,
    },
    /// Record `seq` of a ticket.
    Ticket(OutPoint, u32),
}

impl ActionKind {
    /// The action's name in tables and messages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::OpenJob(_) => "OpenJob",
            Self::Engage { .. } => "Engage",
            Self::Settle => "Settle",
            Self::Claim { kind, .. } => kind.name(),
            Self::Deliver(_) => "Deliver",
            Self::BadDelivery(_) => "BadDelivery",
            Self::VoteCommit { .. } => "VoteCommit",
            Self::VoteReveal { .. } => "VoteReveal",
            Self::Register(_) => "Register",
            Self::Unbond { .. } => "Unbond",
            Self::Withdraw { .. } => "Withdraw",
        }
    }

    /// True when it acts on a job, and its transaction must name one.
    pub fn concerns_job(&self) -> bool {
        !matches!(
            self,
            Self::Register(_) | Self::Unbond { .. } | Self::Withdraw { .. }
        )
    }

    /// True for steps that need no money: they are relayed without inputs, outputs or a fee, and
    /// each is valid once.
    pub fn is_bare(&self) -> bool {
        !matches!(
            self,
            Self::OpenJob(_) | Self::Engage { .. } | Self::Claim { .. } | Self::Register(_)
        )
    }

    /// The claim on record `seq` of `job`, signed by its party, for a transaction whose first input
    /// is `first_input`: nobody else can use the signature.
    pub fn claim(
        kind: ClaimKind,
        genesis: &BlockHash,
        (job, seq): (&JobId, u32),
        first_input: &OutPoint,
        party: &SecretKey,
    ) -> Self {
        let signature = party.sign(&claim_hash(kind, genesis, (job, seq), first_input));
        Self::Claim { kind, signature }
    }
}

impl Action {
    /// What it consumes, as an action on `job`. A registration consumes only its inputs.
    pub fn key(&self, job: Option<JobId>) -> Option<ActionKey> {
        let vote = |ticket: &OutPoint, reveal| {
            Some(ActionKey::Vote {
                job: job?,
                seq: self.seq,
                ticket: *ticket,
                reveal,
            })
        };
        match &self.kind {
            ActionKind::VoteCommit { ticket, .. } => vote(ticket, false),
            ActionKind::VoteReveal { ticket, .. } => vote(ticket, true),
            ActionKind::Unbond { ticket, .. } | ActionKind::Withdraw { ticket } => {
                Some(ActionKey::Ticket(*ticket, self.seq))
            }
            ActionKind::Register(_) => None,
            _ => Some(ActionKey::Job(job?, self.seq)),
        }
    }
}

/// The check that the holder of `key` made this claim.
pub fn claim_check(
    kind: ClaimKind,
    genesis: &BlockHash,
    record: (&JobId, u32),
    first_input: &OutPoint,
    key: PublicKey,
    signature: Signature,
) -> SignatureCheck {
    SignatureCheck {
        key,
        digest: claim_hash(kind, genesis, record, first_input),
        signature,
    }
}

/// What a party signs when it objects.
fn claim_hash(
    kind: ClaimKind,
    genesis: &BlockHash,
    (job, seq): (&JobId, u32),
    first_input: &OutPoint,
) -> Hash256 {
    tagged_hash("camelid/claim", &(kind, genesis, job, seq, first_input))
}
