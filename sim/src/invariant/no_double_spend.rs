//! `no-double-spend`: on a node's best chain every output is spent at most once, and every
//! job's record `(job, seq)` is consumed at most once.

use super::Invariant;
use crate::world::Observation;
use camelid_core::block::Block;
use camelid_core::primitives::JobId;
use camelid_core::tx::OutPoint;
use std::collections::{BTreeMap, BTreeSet};

/// Follows the blocks of each node with a bookkeeping of its own.
#[derive(Default)]
pub(super) struct NoDoubleSpend {
    by_machine: BTreeMap<usize, Spent>,
}

/// Outpoints and records that one chain has consumed.
type Spent = (BTreeSet<OutPoint>, BTreeSet<(JobId, u32)>);

impl Invariant for NoDoubleSpend {
    fn id(&self) -> &'static str {
        "no-double-spend"
    }

    fn check_tip(&mut self, seen: &Observation<'_>) -> Result<(), String> {
        let (outpoints, records) = self.by_machine.entry(seen.node).or_default();
        for block in seen.disconnected {
            for outpoint in inputs(block) {
                outpoints.remove(&outpoint);
            }
            for action in actions(block) {
                records.remove(&action);
            }
        }
        for block in seen.connected {
            if let Some(twice) = inputs(block).find(|outpoint| !outpoints.insert(*outpoint)) {
                return Err(format!(
                    "{twice} is spent twice on the chain of {}",
                    seen.machines[seen.node].setup.name
                ));
            }
            if let Some((job, seq)) = actions(block).find(|action| !records.insert(*action)) {
                return Err(format!("record {seq} of job {job:.8} is consumed twice"));
            }
        }
        Ok(())
    }
}

/// Outpoints that a block spends.
fn inputs(block: &Block) -> impl Iterator<Item = OutPoint> + '_ {
    let transactions = block
        .transactions
        .iter()
        .filter(|transaction| !transaction.is_coinbase());
    transactions.flat_map(|transaction| transaction.inputs.iter().map(|input| input.previous))
}

/// Records that a block consumes.
fn actions(block: &Block) -> impl Iterator<Item = (JobId, u32)> + '_ {
    block
        .transactions
        .iter()
        .filter_map(|transaction| Some((transaction.job_id?, transaction.action.as_ref()?.seq)))
}
