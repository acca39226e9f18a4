//! `one-terminal-state`: a job that is closed, and buried `agreement_depth` blocks deep, keeps its
//! outcome for ever and on every honest node; and at the end of a run no job is open that could have been
//! closed twenty blocks before.

use super::Invariant;
use crate::world::Observation;
use camelid_core::escrow::Outcome;
use camelid_core::primitives::JobId;
use std::collections::BTreeMap;

/// Blocks in which the end of a job finds its way into the chain.
const LEEWAY_BLOCKS: u32 = 20;

/// Remembers the outcome of each job that is buried.
#[derive(Default)]
pub(super) struct OneTerminalState {
    outcomes: BTreeMap<JobId, Outcome>,
}

impl Invariant for OneTerminalState {
    fn id(&self) -> &'static str {
        "one-terminal-state"
    }

    fn check_tip(&mut self, seen: &Observation<'_>) -> Result<(), String> {
        let machine = &seen.machines[seen.node];
        let Some(node) = machine.node().filter(|_| machine.is_honest()) else {
            return Ok(());
        };
        let ledger = node.chain().ledger();
        let depth = seen.setup.scenario.expect.get_ref().agreement_depth;
        let mut checked = Ok(());
        ledger.each_job(|record| {
            let Some(outcome) = record.state.outcome() else {
                return;
            };
            if ledger.height().since(record.since.height) < depth {
                return;
            }
            let first = *self.outcomes.entry(record.id).or_insert(outcome);
            if first != outcome {
                checked = Err(format!(
                    "job {:.8} ended as {first}, and on {} as {outcome}",
                    record.id, machine.setup.name
                ));
            }
        });
        checked
    }

    fn check_end(&mut self, seen: &Observation<'_>) -> Result<(), String> {
        let honest = seen.machines.iter().filter(|machine| machine.is_honest());
        for machine in honest {
            let Some(ledger) = machine.node().map(|node| node.chain().ledger()) else {
                continue;
            };
            let Some(clock) = ledger.clock_before(LEEWAY_BLOCKS) else {
                continue;
            };
            let overdue = ledger
                .unclosed_jobs()
                .find(|record| record.at(&clock).stage.settles());
            if let Some(record) = overdue {
                let state = record.state.name();
                return Err(format!(
                    "job {:.8} is still {state} on {} {LEEWAY_BLOCKS} blocks after it could be closed",
                    record.id, machine.setup.name
                ));
            }
        }
        Ok(())
    }
}
