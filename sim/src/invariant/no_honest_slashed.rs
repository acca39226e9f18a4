//! `no-honest-slashed`: no job that an honest node is engaged in ends with a slash on an honest node's
//! best chain.

use super::Invariant;
use crate::world::Observation;
use camelid_core::keys::NodeId;
use camelid_core::primitives::JobId;
use camelid_core::process::Event;
use camelid_core::tx::ActionKind;
use std::collections::BTreeMap;

/// Remembers who engaged in which job.
#[derive(Default)]
pub(super) struct NoHonestSlashed {
    /// The node of each job, by the machine whose chain says so.
    engaged: BTreeMap<(usize, JobId), NodeId>,
}

impl Invariant for NoHonestSlashed {
    fn id(&self) -> &'static str {
        "no-honest-slashed"
    }

    fn check_step(&mut self, seen: &Observation<'_>) -> Result<(), String> {
        let transactions = seen.connected.iter().flat_map(|block| block.transactions.iter());
        for transaction in transactions {
            let (Some(job), Some(action)) = (transaction.job_id, &transaction.action) else {
                continue;
            };
            if let ActionKind::Engage { node_key, .. } = &action.kind {
                self.engaged.insert((seen.node, job), node_key.key_hash());
            }
        }
        if !seen.machines[seen.node].is_honest() {
            return Ok(());
        }
        for event in seen.events {
            let Event::JobChanged {
                job,
                outcome: Some(outcome),
                ..
            } = event
            else {
                continue;
            };
            let Some(worker) = self.engaged.get(&(seen.node, *job)) else {
                continue;
            };
            let honest = seen
                .machines
                .iter()
                .find(|machine| machine.id() == *worker && machine.is_honest());
            if let (true, Some(machine)) = (outcome.is_slash(), honest) {
                return Err(format!(
                    "{} is honest and lost its stake in job {job:.8} ({outcome})",
                    machine.setup.name
                ));
            }
        }
        Ok(())
    }
}
