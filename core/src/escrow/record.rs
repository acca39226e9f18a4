//! The record of a job.

use super::window::{Moment, Since};
use crate::job::Terms;
use crate::keys::{PublicKey, SealContext};
use crate::params::Params;
use crate::primitives::{BlockHash, Commitment, JobId};
use crate::script::Script;
use crate::tx::OutPoint;
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
    /// Number of transitions that made this record; the next action must name it.
    pub seq: u32,
    /// The block in which its state began.
    pub since: Since,
    /// Its state.
    pub state: JobState,
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
}

impl Outcome {
    /// True when the node lost its stake.
    pub fn is_slash(self) -> bool {
        matches!(self, Self::SlashedWithheld | Self::SlashedBadDelivery)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refunded => "refunded",
            Self::Settled => "settled",
            Self::SlashedWithheld => "slashed: withheld",
            Self::SlashedBadDelivery => "slashed: bad delivery",
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
            Self::Closed(_) => "Closed",
        }
    }

    /// The engagement, between Engage and the end.
    pub fn engagement(&self) -> Option<&Engagement> {
        match self {
            Self::Engaged(engagement) | Self::Delivered(engagement) | Self::Withheld { engagement, .. } => {
                Some(engagement)
            }
            Self::Open | Self::Closed(_) => None,
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
    /// True when time alone ends the job: anyone may settle it in a block at `moment`.
    pub fn may_settle(&self, moment: &Moment, params: &Params) -> bool {
        let closed = |blocks| moment.closed(&self.since, blocks, params.spacing_s);
        match &self.state {
            JobState::Open => moment.height >= self.terms.deadline,
            JobState::Engaged(_) | JobState::Delivered(_) => closed(params.jobs.challenge),
            JobState::Withheld { .. } => closed(params.jobs.deliver_counter),
            JobState::Closed(_) => false,
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
