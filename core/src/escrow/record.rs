//! The record of a job.

use super::clock::Since;
use super::dispute::Dispute;
use crate::job::Terms;
use crate::keys::{PublicKey, SealContext};
use crate::primitives::{BlockHash, Commitment, JobId};
use crate::script::Script;
use crate::tx::OutPoint;
use alloc::boxed::Box;
use borsh::{BorshDeserialize, BorshSerialize};
use core::fmt;

/// What the ledger knows of a job.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct JobRecord {
    /// The job.
    pub id: JobId,
    /// Its terms.
    pub terms: Terms,
    /// The escrow output.
    pub escrow: OutPoint,
    /// Number of transitions that made this record; the next action must name it. Votes name it too,
    /// and leave it as it is.
    pub seq: u32,
    /// The block in which its state began.
    pub since: Since,
    /// Its state.
    pub state: JobState,
}

/// What a block says of a job to those who have its header only. It leaves out what depends on the
/// block's own time, which a miner changes while it searches: the median times in a record do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct JobStatus {
    /// The job; its id binds its terms.
    pub id: JobId,
    /// Number of transitions so far.
    pub seq: u32,
    /// How it ended, if it has.
    pub outcome: Option<Outcome>,
}

/// The states of `docs/src/protocol.md`, "States".
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum JobState {
    /// Escrow is locked; nobody is engaged.
    Open,
    /// Client and node are bound; the node owes a delivery.
    Engaged(Engagement),
    /// A delivery stands on the ledger.
    Delivered(Engagement),
    /// The client claims that it got none; its deposit is locked.
    Withheld {
        /// Who owes the delivery.
        engagement: Engagement,
        /// The claimant's deposit.
        deposit: OutPoint,
    },
    /// A committee is judging the output.
    Disputed(Box<Dispute>),
    /// Over.
    Closed(Outcome),
}

/// Who works for what.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Engagement {
    /// The node's commitment to its output.
    pub commitment: Commitment,
    /// The key that signs deliveries.
    pub node_key: PublicKey,
    /// Where reward and stake go.
    pub payout: Script,
    /// The bond output.
    pub bond: OutPoint,
    /// The block of Engage.
    pub since: Since,
}

/// How a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub enum Outcome {
    /// Nobody engaged before the deadline: the client has its money back.
    Refunded,
    /// The challenge window passed: the node has reward and stake.
    Settled,
    /// No delivery came after a Withheld claim: the stake is slashed.
    SlashedWithheld,
    /// The delivery was shown to be bad: the stake is slashed.
    SlashedBadDelivery,
    /// A committee found the output invalid: the stake is slashed.
    SlashedInvalid,
    /// A committee found that the output stands: the node has reward and stake.
    Cleared,
    /// A committee could not tell: the node has reward and stake.
    Inconclusive,
}

impl Outcome {
    /// True when the node lost its stake.
    pub fn is_slash(self) -> bool {
        matches!(
            self,
            Self::SlashedWithheld | Self::SlashedBadDelivery | Self::SlashedInvalid
        )
    }

    /// True when there was a claim or an audit; such payouts mature like a coinbase.
    pub fn was_disputed(self) -> bool {
        !matches!(self, Self::Refunded | Self::Settled)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refunded => "refunded",
            Self::Settled => "settled",
            Self::SlashedWithheld => "slashed: withheld",
            Self::SlashedBadDelivery => "slashed: bad delivery",
            Self::SlashedInvalid => "slashed: invalid output",
            Self::Cleared => "cleared",
            Self::Inconclusive => "inconclusive",
        })
    }
}

impl JobState {
    /// The state's name in tables and messages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Open => "Open",
            Self::Engaged(_) => "Engaged",
            Self::Delivered(_) => "Delivered",
            Self::Withheld { .. } => "Withheld",
            Self::Disputed(dispute) if dispute.round() == 1 => "Round1",
            Self::Disputed(_) => "Round2",
            Self::Closed(_) => "Closed",
        }
    }

    /// The engagement, between Engage and the end.
    pub fn engagement(&self) -> Option<&Engagement> {
        match self {
            Self::Engaged(engagement) | Self::Delivered(engagement) | Self::Withheld { engagement, .. } => {
                Some(engagement)
            }
            Self::Disputed(dispute) => Some(&dispute.engagement),
            Self::Open | Self::Closed(_) => None,
        }
    }

    /// The dispute, while a committee is at work.
    pub fn dispute(&self) -> Option<&Dispute> {
        match self {
            Self::Disputed(dispute) => Some(dispute),
            _ => None,
        }
    }

    /// How the job ended, if it has.
    pub fn outcome(&self) -> Option<Outcome> {
        match self {
            Self::Closed(outcome) => Some(*outcome),
            _ => None,
        }
    }
}

impl JobRecord {
    /// What a block says of the job.
    pub fn status(&self) -> JobStatus {
        JobStatus {
            id: self.id,
            seq: self.seq,
            outcome: self.state.outcome(),
        }
    }

    /// What a delivery under `engagement` is bound to.
    pub fn seal_context(&self, genesis: &BlockHash, engagement: &Engagement) -> SealContext {
        SealContext {
            genesis: *genesis,
            job: self.id,
            bond_txid: engagement.bond.txid,
            bond_index: engagement.bond.index,
            commitment: engagement.commitment,
            recipient: self.terms.delivery_key,
        }
    }
}
