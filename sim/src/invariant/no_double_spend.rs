//! `no-double-spend`: on a node's best chain every output is spent at most once, and every
//! record of a job or ticket is acted on at most once, but for votes: each seat casts one commitment and
//! one ballot on it.

use super::Invariant;
use crate::world::Observation;
use camelid_core::block::Block;
use camelid_core::primitives::JobId;
use camelid_core::tx::{Action, ActionKind, OutPoint, Transaction};
use std::collections::{BTreeMap, BTreeSet};

/// Follows the blocks of each node with a bookkeeping of its own.
#[derive(Default)]
pub(super) struct NoDoubleSpend {
    by_machine: BTreeMap<usize, Spent>,
}

/// Outpoints and records that one chain has consumed.
type Spent = (BTreeSet<OutPoint>, BTreeSet<Consumed>);

/// A record, its sequence number, and for a vote the seat's ticket and the phase.
type Consumed = (Record, u32, Option<(OutPoint, u8)>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Record {
    Job(JobId),
    Ticket(OutPoint),
}

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
            if let Some(twice) = actions(block).find(|action| !records.insert(*action)) {
                return Err(format!("{twice:?} is consumed twice"));
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

/// Records and votes that a block consumes. Written out here, for the ledger's own keys are what is to
/// be checked.
fn actions(block: &Block) -> impl Iterator<Item = Consumed> + '_ {
    block.transactions.iter().filter_map(consumed)
}

fn consumed(transaction: &Transaction) -> Option<Consumed> {
    let Action { seq, kind } = transaction.action.as_ref()?;
    let (record, voter) = match kind {
        ActionKind::Register(_) => return None,
        ActionKind::Unbond { ticket, .. } | ActionKind::Withdraw { ticket } => {
            (Record::Ticket(*ticket), None)
        }
        ActionKind::VoteCommit { ticket, .. } => (Record::Job(transaction.job_id?), Some((*ticket, 1))),
        ActionKind::VoteReveal { ticket, .. } => (Record::Job(transaction.job_id?), Some((*ticket, 2))),
        _ => (Record::Job(transaction.job_id?), None),
    };
    Some((record, *seq, voter))
}
