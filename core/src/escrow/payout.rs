//! Who gets what when a job closes (`docs/src/protocol.md`, "Payouts").

use super::record::{Engagement, JobRecord, Outcome};
use crate::params::JobParams;
use crate::primitives::{Amount, JobId, Txid, tagged_hash};
use crate::script::Script;
use crate::tx::OutPoint;
use alloc::vec::Vec;

/// The money of a closed job: every unit that was locked is in exactly one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    /// How the job ended.
    pub outcome: Outcome,
    /// New outputs, in order.
    pub payouts: Vec<Payout>,
    /// To the audit fund.
    pub to_fund: Amount,
    /// Out of existence.
    pub burned: Amount,
}

/// An output that the job ledger creates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payout {
    /// Who gets it.
    pub script: Script,
    /// How much.
    pub amount: Amount,
}

impl Closing {
    /// Refund after the deadline: the client gets `r + a + f`.
    pub(super) fn refund(record: &JobRecord) -> Option<Self> {
        Some(Self::new(Outcome::Refunded).pay(&record.terms.refund, record.terms.escrow_value()?))
    }

    /// Settlement by time: `r + S` to the node, `a` to the audit fund.
    pub(super) fn settlement(record: &JobRecord, engagement: &Engagement) -> Option<Self> {
        let terms = &record.terms;
        let closing =
            Self::new(Outcome::Settled).pay(&engagement.payout, terms.reward.checked_add(terms.stake)?);
        Some(Self {
            to_fund: terms.audit_fee,
            ..closing
        })
    }

    /// A slash without a committee: `r + a + p` and the client's own `deposit` to the client,
    /// `S - p` burned. The node gets nothing, and a client that staged the slash against itself
    /// loses what is burned.
    pub(super) fn slash(
        record: &JobRecord,
        outcome: Outcome,
        deposit: Amount,
        params: &JobParams,
    ) -> Option<Self> {
        let terms = &record.terms;
        let bounty = params.seat_pay(terms.reward);
        let compensation = Amount::checked_sum([terms.reward, terms.audit_fee, bounty, deposit])?;
        let closing = Self::new(outcome).pay(&terms.refund, compensation);
        Some(Self {
            burned: terms.stake.checked_sub(bounty)?,
            ..closing
        })
    }

    fn new(outcome: Outcome) -> Self {
        Self {
            outcome,
            payouts: Vec::new(),
            to_fund: Amount::ZERO,
            burned: Amount::ZERO,
        }
    }

    fn pay(mut self, script: &Script, amount: Amount) -> Self {
        self.payouts.push(Payout {
            script: script.clone(),
            amount,
        });
        self
    }

    /// The sum of all that it hands out.
    pub fn total(&self) -> Option<Amount> {
        let payouts = self.payouts.iter().map(|payout| payout.amount);
        Amount::checked_sum(payouts.chain([self.to_fund, self.burned]))
    }

    /// The outpoint of payout `index` of `job`.
    pub fn outpoint(job: &JobId, index: u32) -> OutPoint {
        OutPoint {
            txid: Txid(tagged_hash("camelid/payout", job).0),
            index,
        }
    }
}
