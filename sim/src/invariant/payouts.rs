//! `paid-as-decided`: when a job closes, every script gets what the protocol's table of payouts says
//! for how it ended, by the ballots on the chain; and the audit fund holds what all closings on the
//! chain leave in it. With `coins-conserved` this says what is burned as well.

use super::Invariant;
use super::lives::{Life, Lives, Past, Place};
use super::verdict::{Verdict, verdict};
use crate::world::Observation;
use camelid_core::chain::Ledger;
use camelid_core::committee::Decision;
use camelid_core::escrow::{Closing, History};
use camelid_core::node::Node;
use camelid_core::primitives::{Amount, JobId};
use camelid_core::script::{Script, key_hash_script};
use camelid_core::tx::{ActionKind, ClaimKind, Lock, OutPoint};
use std::collections::BTreeMap;

/// Keeps the books of each chain.
#[derive(Default)]
pub(super) struct PaidAsDecided {
    lives: Lives,
    /// The audit fund after closings, by machine: height and units.
    funds: BTreeMap<usize, Vec<(u32, u64)>>,
}

/// Units by script, as bytes.
type Shares = BTreeMap<Vec<u8>, u64>;

impl Invariant for PaidAsDecided {
    fn id(&self) -> &'static str {
        "paid-as-decided"
    }

    fn check_tip(&mut self, seen: &Observation<'_>) -> Result<(), String> {
        let Some(chain) = seen.machines[seen.node].node().map(Node::chain) else {
            return Ok(());
        };
        let (ledger, tip) = (chain.ledger(), chain.height().0);
        let funds = self.funds.entry(seen.node).or_default();
        let fork = chain.active().len() - seen.connected.len();
        funds.retain(|(height, _)| (*height as usize) < fork);
        self.lives.judge(seen, |life, index, past, ledger| {
            let step = &life.steps[index];
            if !matches!(step.kind, ActionKind::Settle | ActionKind::BadDelivery(_)) {
                return Ok(());
            }
            let fund = funds.last().map_or(0, |(_, fund)| *fund);
            let books = Books {
                life,
                past,
                ledger,
                fund,
            };
            let (owed, fund) = books.close(index);
            funds.push((step.height, fund));
            // Later blocks may have spent it.
            if step.height == tip {
                check_paid(ledger, &life.id, &owed)?;
            }
            Ok(())
        })?;
        let (fund, held) = (
            funds.last().map_or(0, |(_, fund)| *fund),
            ledger.totals().audit_fund.units(),
        );
        if fund == held {
            return Ok(());
        }
        Err(format!(
            "the audit fund holds {held} units, {fund} are left by the jobs on the chain"
        ))
    }
}

fn check_paid(ledger: &Ledger, job: &JobId, owed: &Shares) -> Result<(), String> {
    let coins = (0..).map_while(|index| ledger.coin(&Closing::outpoint(job, index)));
    let mut paid = Shares::new();
    for coin in coins {
        if let Lock::Script(script) = &coin.output.lock {
            *paid.entry(script.as_bytes().to_vec()).or_default() += coin.output.value.units();
        }
    }
    if paid == *owed {
        return Ok(());
    }
    Err(format!("pays {:?}, {:?} are owed", paid.values(), owed.values()))
}

/// One job at its end, and the audit fund before it.
struct Books<'a> {
    life: &'a Life,
    past: &'a Past<'a>,
    ledger: &'a Ledger,
    fund: u64,
}

impl Books<'_> {
    /// Who is owed what, and the audit fund afterwards.
    fn close(&self, index: usize) -> (Shares, u64) {
        let terms = &self.life.terms;
        let [r, a, f, s] = [terms.reward, terms.audit_fee, terms.engage_fee, terms.stake].map(Amount::units);
        let bounty = self.seat_pay().min(s);
        let deposit = self.past.params.jobs.withheld_deposit(terms.max_tokens).units();
        match (
            self.life.place_before(index, self.past),
            &self.life.steps[index].kind,
        ) {
            (Place::Round { audit, .. }, _) => self.close_dispute(audit, bounty),
            (Place::Open, _) => (self.shares([(&terms.refund, r + a + f)]), self.fund),
            (_, ActionKind::BadDelivery(_)) => (self.shares([(&terms.refund, r + a + bounty)]), self.fund),
            (Place::Withheld { .. }, _) => (
                self.shares([(&terms.refund, r + a + bounty + deposit)]),
                self.fund,
            ),
            _ => (self.shares([(self.payout(), r + s)]), self.fund + a),
        }
    }

    fn close_dispute(&self, audit: bool, bounty: u64) -> (Shares, u64) {
        let terms = &self.life.terms;
        let [r, a, s] = [terms.reward, terms.audit_fee, terms.stake].map(Amount::units);
        let verdict = verdict(self.life, self.past.params, audit);
        let (client, node) = self.deposits(audit, &verdict);
        let seats: Vec<Script> = verdict
            .paid
            .iter()
            .filter_map(|seat| self.script_of(seat))
            .collect();
        let count = seats.len() as u64;
        let bounty = if audit { 0 } else { bounty };
        let pool = match (verdict.decision, audit) {
            (Decision::Upheld, _) => s - bounty + node,
            (_, true) => self.fund + a,
            (_, false) => client,
        };
        let pay = self.seat_pay().min(pool.checked_div(count).unwrap_or(0));
        let left = pool - pay * count;
        let (mut shares, fund) = match (verdict.decision, audit) {
            (Decision::Upheld, _) => (self.shares([(&terms.refund, r + a + bounty + client)]), self.fund),
            (_, true) => (self.shares([(self.payout(), r + s + node)]), left),
            (Decision::Rejected, false) => (self.shares([(self.payout(), r + s + node)]), self.fund + a),
            (Decision::Inconclusive, false) => (
                self.shares([(self.payout(), r + s + node), (&terms.refund, left)]),
                self.fund + a,
            ),
        };
        for seat in &seats {
            add(&mut shares, seat, pay);
        }
        (shares, fund)
    }

    /// What client and node have deposited: 7 seat pays for a claim, 15 for an appeal, or what the
    /// network says.
    fn deposits(&self, audit: bool, verdict: &Verdict) -> (u64, u64) {
        let committee = &self.past.params.committee;
        let of = |seat_pays: u32| self.seat_pay() * u64::from(seat_pays);
        let claim = if audit {
            0
        } else {
            of(committee.claim_deposit_in_seat_pays)
        };
        let is_appeal =
            |kind: &ActionKind| matches!(kind, ActionKind::Claim { kind, .. } if *kind == ClaimKind::Appeal);
        if !self.life.steps.iter().any(|step| is_appeal(&step.kind)) {
            return (claim, 0);
        }
        let appeal = of(committee.appeal_deposit_in_seat_pays);
        match verdict.first {
            Decision::Upheld => (claim, appeal),
            _ => (claim + appeal, 0),
        }
    }

    fn seat_pay(&self) -> u64 {
        let least = self.past.params.jobs.min_seat_pay.units();
        least.max(self.life.terms.reward.units().div_ceil(2))
    }

    fn payout(&self) -> &Script {
        let engage = self.life.engage();
        engage.map_or(&self.life.terms.refund, |(_, _, payout)| payout)
    }

    fn script_of(&self, seat: &OutPoint) -> Option<Script> {
        let ticket = self.ledger.tickets().get(seat)?;
        Some(key_hash_script(&ticket.registration.key.key_hash().0))
    }

    fn shares<const N: usize>(&self, parts: [(&Script, u64); N]) -> Shares {
        let mut shares = Shares::new();
        for (script, units) in parts {
            add(&mut shares, script, units);
        }
        shares
    }
}

fn add(shares: &mut Shares, script: &Script, units: u64) {
    if units > 0 {
        *shares.entry(script.as_bytes().to_vec()).or_default() += units;
    }
}
