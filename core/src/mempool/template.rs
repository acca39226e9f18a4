//! The transactions of the next block.

use super::VerifiedBefore;
use super::fee::FeeRate;
use super::graph::{Entry, Graph, Package, Position};
use super::policy::Room;
use crate::chain::{Ledger, View, apply_transaction};
use crate::escrow::Moment;
use crate::primitives::Amount;
use crate::tx::Transaction;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cmp::Reverse;

/// Packages that may fail to fit before a block counts as full.
const MAX_MISSES: usize = 1_000;

/// Transactions for a block, in order, and the sum of their fees.
pub(super) type Chosen = (Vec<Arc<Transaction>>, Amount);

/// Free steps first, then the packages of the highest fee rate: a transaction with all that it depends
/// on and that is not in yet, so that a child pays for its parents. Where that leaves something out,
/// the choice by each transaction's own rate counts if it earns more: neither is the best always, for
/// that is a knapsack problem.
pub(super) fn select(graph: &Graph, ledger: &Ledger, moment: Moment) -> Chosen {
    let by_package = ByPackage::new(graph, ledger, moment).run();
    if by_package.taken.len() == graph.len() {
        return by_package.into_chosen();
    }
    let by_rate = choose_by_rate(graph, ledger, moment);
    // Free steps are in both.
    if by_rate.fees > by_package.fees {
        by_rate.into_chosen()
    } else {
        by_package.into_chosen()
    }
}

/// A block's transactions while they are chosen.
struct Selection<'a> {
    graph: &'a Graph,
    view: View<'a>,
    moment: Moment,
    room: Room,
    taken: BTreeSet<Position>,
    chosen: Vec<Arc<Transaction>>,
    fees: Amount,
}

/// Why something was not taken into the block.
enum Left {
    /// It does not fit.
    NoRoom,
    /// This one is not valid beside those that are in.
    Invalid(Position),
}

impl<'a> Selection<'a> {
    fn new(graph: &'a Graph, ledger: &'a Ledger, moment: Moment) -> Self {
        Self {
            graph,
            view: View::new(ledger),
            moment,
            room: Room::of(ledger.params()),
            taken: BTreeSet::new(),
            chosen: Vec::new(),
            fees: Amount::ZERO,
        }
    }

    /// Takes entries in, all or none.
    fn take(&mut self, package: &[(Position, &Entry)]) -> Result<(), Left> {
        let entries = package.iter().map(|(_, entry)| *entry);
        let room = self.room.without(entries).ok_or(Left::NoRoom)?;
        let (mut attempt, mut fees) = (self.view.attempt(), self.fees);
        for (position, entry) in package {
            let applied = apply_transaction(&mut attempt, &entry.transaction, self.moment, &VerifiedBefore);
            let sum = applied.ok().and_then(|fee| fees.checked_add(fee));
            fees = sum.ok_or(Left::Invalid(*position))?;
        }
        let delta = attempt.into_delta();
        self.view.absorb(delta);
        (self.room, self.fees) = (room, fees);
        self.taken.extend(package.iter().map(|(position, _)| *position));
        self.chosen
            .extend(package.iter().map(|(_, entry)| entry.transaction.clone()));
        Ok(())
    }

    fn into_chosen(self) -> Chosen {
        (self.chosen, self.fees)
    }
}

/// What is taken first: free steps that wait for nothing else, then by fee rate.
type Priority = (bool, FeeRate);

/// The choice by packages.
struct ByPackage<'a> {
    selection: Selection<'a>,
    /// Each entry that may still be taken, with what it depends on and what is not in yet.
    open: BTreeMap<Position, Package>,
    /// The same, the best first, and of equals the one that came first.
    queue: BTreeSet<(Reverse<Priority>, Position)>,
}

impl<'a> ByPackage<'a> {
    fn new(graph: &'a Graph, ledger: &'a Ledger, moment: Moment) -> Self {
        let mut choice = Self {
            selection: Selection::new(graph, ledger, moment),
            open: BTreeMap::new(),
            queue: BTreeSet::new(),
        };
        for (position, entry) in graph.iter() {
            choice.open(position, entry, entry.with_ancestors());
        }
        choice
    }

    fn open(&mut self, position: Position, entry: &Entry, package: Package) {
        self.open.insert(position, package);
        self.queue.insert(rank(position, entry, &package));
    }

    fn close(&mut self, position: Position) -> Option<Package> {
        let package = self.open.remove(&position)?;
        if let Some(entry) = self.selection.graph.get(position) {
            self.queue.remove(&rank(position, entry, &package));
        }
        Some(package)
    }

    fn run(mut self) -> Selection<'a> {
        let graph = self.selection.graph;
        let mut misses = 0;
        while let Some((_, position)) = self.queue.first().copied() {
            let missing = graph.with_ancestors(BTreeSet::from([position]));
            let missing = missing.difference(&self.selection.taken);
            let package: Vec<(Position, &Entry)> = missing
                .filter_map(|position| Some((*position, graph.get(*position)?)))
                .collect();
            match self.selection.take(&package) {
                Ok(()) => self.handle_taken(&package),
                Err(Left::NoRoom) => {
                    self.close(position);
                    misses += 1;
                    if misses == MAX_MISSES {
                        break;
                    }
                }
                Err(Left::Invalid(culprit)) => {
                    for hopeless in graph.with_descendants(BTreeSet::from([culprit])) {
                        self.close(hopeless);
                    }
                }
            }
        }
        self.selection
    }

    /// Those that depend on what is in have less to bring along.
    fn handle_taken(&mut self, package: &[(Position, &Entry)]) {
        for (position, entry) in package {
            self.close(*position);
            for descendant in self.selection.graph.with_descendants(BTreeSet::from([*position])) {
                let (Some(mut rest), Some(child)) =
                    (self.close(descendant), self.selection.graph.get(descendant))
                else {
                    continue;
                };
                rest.subtract(entry.package());
                self.open(descendant, child, rest);
            }
        }
    }
}

fn rank(position: Position, entry: &Entry, package: &Package) -> (Reverse<Priority>, Position) {
    let is_first = entry.is_free() && package.count == 1;
    (Reverse((is_first, package.rate())), position)
}

/// The choice by each transaction's own rate, among those that wait for nothing else.
fn choose_by_rate<'a>(graph: &'a Graph, ledger: &'a Ledger, moment: Moment) -> Selection<'a> {
    let mut selection = Selection::new(graph, ledger, moment);
    let key = |position: Position, entry: &Entry| (Reverse((entry.is_free(), entry.rate())), position);
    let mut ready: BTreeSet<(Reverse<Priority>, Position)> = graph
        .iter()
        .filter(|(_, entry)| entry.parents().is_empty())
        .map(|(position, entry)| key(position, entry))
        .collect();
    let mut misses = 0;
    while let Some((_, position)) = ready.pop_first() {
        let Some(entry) = graph.get(position) else {
            continue;
        };
        match selection.take(&[(position, entry)]) {
            Ok(()) => {
                let children = entry.children().iter();
                let children = children.filter_map(|child| Some((*child, graph.get(*child)?)));
                let free_to_go = children.filter(|(_, child)| child.parents().is_subset(&selection.taken));
                ready.extend(free_to_go.map(|(position, child)| key(position, child)));
            }
            Err(Left::NoRoom) => {
                misses += 1;
                if misses == MAX_MISSES {
                    break;
                }
            }
            Err(Left::Invalid(_)) => {}
        }
    }
    selection
}
