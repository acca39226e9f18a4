//! `escrow-and-bond-solvency`: for each job that is not closed, the native outputs that its state
//! implies exist and hold exactly what they must: escrow `r + a + f`; bond `r + a + S`; and a
//! claim's and an appeal's deposit. Closed jobs hold none. Behind each verifier's ticket stands its
//! bond, whole unless it was fined. There are no native outputs but these.

use super::Invariant;
use crate::world::Observation;
use camelid_core::chain::Ledger;
use camelid_core::committee::Ticket;
use camelid_core::escrow::{Engagement, History, JobRecord, JobState, Origin};
use camelid_core::primitives::Amount;
use camelid_core::tx::{Lock, OutPoint};

/// Looks at the outputs behind each job.
pub(super) struct Solvency;

impl Invariant for Solvency {
    fn id(&self) -> &'static str {
        "escrow-and-bond-solvency"
    }

    fn check_tip(&mut self, seen: &Observation<'_>) -> Result<(), String> {
        let Some(node) = seen.machines[seen.node].node() else {
            return Ok(());
        };
        let ledger = node.chain().ledger();
        let mut owed = 0;
        for record in ledger.unclosed_jobs() {
            for backing in backings(ledger, record) {
                backing.check(ledger, record)?;
                owed += u128::from(backing.value.units());
            }
        }
        for ticket in ledger.tickets().values() {
            owed += bond_of(ledger, ticket)?;
        }
        let locked = ledger.locked_sum();
        if locked == owed {
            Ok(())
        } else {
            Err(format!(
                "{locked} units are locked, all open jobs and tickets owe {owed}"
            ))
        }
    }
}

/// What is behind a ticket: the whole bond, or less once it has been fined.
fn bond_of(ledger: &Ledger, ticket: &Ticket) -> Result<u128, String> {
    let full = ledger.params().committee.verifier_bond;
    let held = ledger
        .coin(&ticket.id)
        .filter(|coin| coin.output.lock == Lock::Ticket);
    let held = held.map(|coin| coin.output.value);
    match held {
        Some(value) if value == full || ticket.retired.is_some() && value < full => {
            Ok(u128::from(value.units()))
        }
        _ => Err(format!(
            "ticket {} is backed by {held:?}, not by {full}",
            ticket.id
        )),
    }
}

/// A native output that must exist.
struct Backing {
    outpoint: OutPoint,
    lock: Lock,
    value: Amount,
}

/// What must be behind a job. Computed from the terms' fields: the ledger's own sums are what is to be
/// checked.
fn backings(ledger: &Ledger, record: &JobRecord) -> Vec<Backing> {
    let terms = &record.terms;
    let backing = |outpoint, lock, parts: &[Amount]| Backing {
        outpoint,
        lock,
        // A sum beyond all coins is never held, so that it fails as it should.
        value: Amount::checked_sum(parts.iter().copied()).unwrap_or(Amount::MAX),
    };
    let bond = |engagement: &Engagement| {
        let parts = [terms.reward, terms.audit_fee, terms.stake];
        backing(engagement.bond, Lock::Bond, &parts)
    };
    match &record.state {
        JobState::Open => {
            let parts = [terms.reward, terms.audit_fee, terms.engage_fee];
            vec![backing(record.escrow, Lock::Escrow, &parts)]
        }
        JobState::Engaged(engagement) | JobState::Delivered(engagement) => vec![bond(engagement)],
        JobState::Withheld { engagement, deposit } => {
            let value = ledger.params().jobs.withheld_deposit(terms.max_tokens);
            vec![bond(engagement), backing(*deposit, Lock::Deposit, &[value])]
        }
        JobState::Disputed(dispute) => {
            let committee = &ledger.params().committee;
            let pay = ledger.params().jobs.seat_pay(terms.reward);
            let deposit = |seat_pays: u32| pay.checked_mul(u64::from(seat_pays)).unwrap_or(Amount::MAX);
            let mut backings = vec![bond(&dispute.engagement)];
            if let Origin::Claim { deposit: claim } = dispute.origin {
                let value = deposit(committee.claim_deposit_in_seat_pays);
                backings.push(backing(claim, Lock::Deposit, &[value]));
            }
            if let Some(appeal) = &dispute.appeal {
                let value = deposit(committee.appeal_deposit_in_seat_pays);
                backings.push(backing(appeal.deposit, Lock::Deposit, &[value]));
            }
            backings
        }
        JobState::Closed(_) => Vec::new(),
    }
}

impl Backing {
    fn check(&self, ledger: &Ledger, record: &JobRecord) -> Result<(), String> {
        let held = ledger.coin(&self.outpoint);
        if held.is_some_and(|coin| coin.output.lock == self.lock && coin.output.value == self.value) {
            return Ok(());
        }
        Err(format!(
            "job {:.8} in state {} needs {:?} of {} units at {}",
            record.id,
            record.state.name(),
            self.lock,
            self.value.units(),
            self.outpoint
        ))
    }
}
