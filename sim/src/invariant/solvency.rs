//! `escrow-and-bond-solvency`: for each job that is not closed, the native outputs that its state
//! implies exist and hold exactly what they must: escrow `r + a + f`; bond `r + a + S`; and a
//! Withheld claim's deposit. Closed jobs hold none.

use super::Invariant;
use crate::world::Observation;
use camelid_core::chain::Ledger;
use camelid_core::escrow::{JobRecord, JobState};
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
        ledger.jobs().try_for_each(|record| check_job(ledger, record))
    }
}

fn check_job(ledger: &Ledger, record: &JobRecord) -> Result<(), String> {
    let terms = &record.terms;
    let deposit = ledger.params().jobs.withheld_deposit(terms.max_tokens);
    let holds = |outpoint: &OutPoint, lock: Lock, value: Option<Amount>| {
        let coin = ledger
            .coin(outpoint)
            .map(|coin| (&coin.output.lock, coin.output.value));
        coin == value.map(|value| (&lock, value)).filter(|_| value.is_some()) && coin.is_some()
    };
    let solvent = match &record.state {
        JobState::Open => holds(&record.escrow, Lock::Escrow, terms.escrow_value()),
        JobState::Engaged(engagement) | JobState::Delivered(engagement) => {
            holds(&engagement.bond, Lock::Bond, terms.bond_value())
        }
        JobState::Withheld {
            engagement,
            deposit: outpoint,
        } => {
            holds(&engagement.bond, Lock::Bond, terms.bond_value())
                && holds(outpoint, Lock::Deposit, Some(deposit))
        }
        JobState::Closed(_) => ledger.coin(&record.escrow).is_none(),
    };
    if solvent {
        Ok(())
    } else {
        Err(format!(
            "job {:.8} in state {} is not covered",
            record.id,
            record.state.name()
        ))
    }
}
