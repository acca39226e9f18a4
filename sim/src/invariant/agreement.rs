//! `agreement`: the best chains of any two honest nodes are equal up to `agreement_depth` blocks below
//! the lower of their tips.

use super::Invariant;
use crate::world::Observation;

/// Compares the node that moved with all others.
pub(super) struct Agreement;

impl Invariant for Agreement {
    fn id(&self) -> &'static str {
        "agreement"
    }

    fn check_tip(&mut self, seen: &Observation<'_>) -> Result<(), String> {
        let mover = &seen.machines[seen.node];
        let Some(node) = mover.node().filter(|_| mover.is_honest()) else {
            return Ok(());
        };
        let depth = seen.setup.scenario.expect.get_ref().agreement_depth as usize;
        let chain = node.chain().active();
        for other in seen.machines.iter().filter(|other| other.is_honest()) {
            let Some(theirs) = other.node().map(|node| node.chain().active()) else {
                continue;
            };
            // Index of the deepest block that both must share.
            let Some(index) = chain.len().min(theirs.len()).checked_sub(depth + 1) else {
                continue;
            };
            if chain.get(index) != theirs.get(index) {
                return Err(format!(
                    "{} and {} differ at height {index}, more than {depth} blocks below both tips",
                    mover.setup.name, other.setup.name
                ));
            }
        }
        Ok(())
    }
}
