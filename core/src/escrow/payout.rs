//! Who gets what when a job closes (`docs/src/protocol.md`, "Payouts").

use super::dispute::{Dispute, Party};
use super::record::{Engagement, JobRecord, Outcome};
use crate::committee::{Decision, Tally};
use crate::keys::PublicKey;
use crate::params::{JobParams, Params};
use crate::primitives::{Amount, JobId, Txid, tagged_hash};
use crate::script::{Script, key_hash_script};
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
    /// From the audit fund, which pays for audits that find nothing.
    pub from_fund: Amount,
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
        let bounty = params.seat_pay(terms.reward).min(terms.stake);
        let compensation = Amount::checked_sum([terms.reward, terms.audit_fee, bounty, deposit])?;
        let closing = Self::new(outcome).pay(&terms.refund, compensation);
        Some(Self {
            burned: terms.stake.checked_sub(bounty)?,
            ..closing
        })
    }

    /// What a committee decided. Who won has its own deposits back; the loser's pay the seats that
    /// decided (for an audit that found nothing, the audit fund does), a fixed pay `p` each under
    /// either decision, less when there is less. Nothing decided counts as the claimant's loss, for
    /// the burden of proof is the claimant's, except that what the seats leave of its deposits is
    /// returned.
    pub(super) fn verdict(
        record: &JobRecord,
        dispute: &Dispute,
        tally: &Tally,
        params: &Params,
        fund: Amount,
    ) -> Option<Self> {
        let terms = &record.terms;
        let pay = params.jobs.seat_pay(terms.reward);
        let paid: Vec<&PublicKey> = dispute
            .all_seats()
            .filter(|seat| seat.ballot().is_some_and(|ballot| tally.pays(ballot)))
            .map(|seat| &seat.key)
            .collect();
        let client_deposit = deposited(dispute, Party::Client, params, pay)?;
        let node_deposit = deposited(dispute, Party::Node, params, pay)?;
        let node_keeps = Amount::checked_sum([terms.reward, terms.stake, node_deposit])?;
        let (payout, audit) = (&dispute.engagement.payout, dispute.is_audit());
        match tally.decision {
            Decision::Upheld => {
                let bounty = if audit { Amount::ZERO } else { pay.min(terms.stake) };
                let compensation =
                    Amount::checked_sum([terms.reward, terms.audit_fee, bounty, client_deposit])?;
                let pool = terms.stake.checked_sub(bounty)?.checked_add(node_deposit)?;
                let closing = Self::new(Outcome::SlashedInvalid).pay(&terms.refund, compensation);
                let (closing, burned) = closing.pay_seats(&paid, pay, pool)?;
                Some(Self { burned, ..closing })
            }
            Decision::Rejected | Decision::Inconclusive if audit => {
                let outcome = without_slash(tally.decision);
                let fund = fund.checked_add(terms.audit_fee)?;
                let (closing, left) = Self::new(outcome)
                    .pay(payout, node_keeps)
                    .pay_seats(&paid, pay, fund)?;
                Some(Self {
                    to_fund: terms.audit_fee,
                    from_fund: fund.checked_sub(left)?,
                    ..closing
                })
            }
            Decision::Rejected | Decision::Inconclusive => {
                let closing = Self::new(without_slash(tally.decision)).pay(payout, node_keeps);
                let (closing, left) = closing.pay_seats(&paid, pay, client_deposit)?;
                let closing = Self {
                    to_fund: terms.audit_fee,
                    ..closing
                };
                Some(match tally.decision {
                    Decision::Inconclusive => closing.pay(&terms.refund, left),
                    _ => Self {
                        burned: left,
                        ..closing
                    },
                })
            }
        }
    }

    /// Pays each seat `pay`, or its share of `pool` if that is less, and returns what is left of it.
    fn pay_seats(self, seats: &[&PublicKey], pay: Amount, pool: Amount) -> Option<(Self, Amount)> {
        let share = pool.units().checked_div(seats.len() as u64);
        let share = share
            .and_then(Amount::from_units)
            .map_or(pay, |share| pay.min(share));
        let spent = share.checked_mul(seats.len() as u64)?;
        let closing = seats.iter().fold(self, |closing, key| {
            closing.pay(&key_hash_script(&key.key_hash().0), share)
        });
        Some((closing, pool.checked_sub(spent)?))
    }

    fn new(outcome: Outcome) -> Self {
        Self {
            outcome,
            payouts: Vec::new(),
            to_fund: Amount::ZERO,
            from_fund: Amount::ZERO,
            burned: Amount::ZERO,
        }
    }

    fn pay(mut self, script: &Script, amount: Amount) -> Self {
        if amount.is_zero() {
            return self;
        }
        self.payouts.push(Payout {
            script: script.clone(),
            amount,
        });
        self
    }

    /// The sum of all that it hands out, less what comes from the audit fund: what was locked.
    pub fn total(&self) -> Option<Amount> {
        let payouts = self.payouts.iter().map(|payout| payout.amount);
        Amount::checked_sum(payouts.chain([self.to_fund, self.burned]))?.checked_sub(self.from_fund)
    }

    /// The outpoint of payout `index` of `job`.
    pub fn outpoint(job: &JobId, index: u32) -> OutPoint {
        OutPoint {
            txid: Txid(tagged_hash("camelid/payout", job).0),
            index,
        }
    }
}

/// What `party` has deposited in a dispute.
fn deposited(dispute: &Dispute, party: Party, params: &Params, pay: Amount) -> Option<Amount> {
    let committee = &params.committee;
    let of = |seat_pays: u32| pay.checked_mul(u64::from(seat_pays));
    let claim = match party {
        Party::Client if !dispute.is_audit() => of(committee.claim_deposit_in_seat_pays)?,
        _ => Amount::ZERO,
    };
    match &dispute.appeal {
        Some(appeal) if appeal.by == party => claim.checked_add(of(committee.appeal_deposit_in_seat_pays)?),
        _ => Some(claim),
    }
}

fn without_slash(decision: Decision) -> Outcome {
    match decision {
        Decision::Inconclusive => Outcome::Inconclusive,
        _ => Outcome::Cleared,
    }
}
