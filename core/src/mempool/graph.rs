//! The transactions that wait, and which of them depends on which.

use super::fee::FeeRate;
use super::policy::{is_bare_step, is_free};
use crate::chain::Delta;
use crate::primitives::{Amount, Digest, SetDigest, Timestamp, Txid, Wtxid};
use crate::tx::{ActionKey, OutPoint, Transaction};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cmp::Reverse;

/// Place in the order of arrival: a transaction comes after those that it depends on.
pub(super) type Position = u64;

/// A transaction that waits.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) transaction: Arc<Transaction>,
    pub(super) txid: Txid,
    pub(super) wtxid: Wtxid,
    pub(super) fee: Amount,
    /// Bytes.
    pub(super) size: usize,
    /// Signature operations, as a block counts them.
    pub(super) operations: u32,
    /// When it came, in header time.
    pub(super) since: Timestamp,
    /// Its changes of the ledger, on top of those of its ancestors.
    pub(super) delta: Delta,
    pub(super) links: Links,
}

/// Where an entry stands among the others; kept by the [`Graph`].
#[derive(Clone, Debug, Default)]
pub(super) struct Links {
    parents: BTreeSet<Position>,
    children: BTreeSet<Position>,
    /// It and all that it depends on.
    ancestors: Package,
    /// It and all that depend on it.
    descendants: Package,
}

/// Totals of some transactions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Package {
    pub(super) count: usize,
    pub(super) bytes: usize,
    /// In units.
    pub(super) fees: u64,
}

impl Package {
    pub(super) fn rate(&self) -> FeeRate {
        FeeRate::of(self.fees, self.bytes)
    }

    pub(super) fn add(&mut self, other: Self) {
        self.count += other.count;
        self.bytes += other.bytes;
        self.fees += other.fees;
    }

    pub(super) fn subtract(&mut self, other: Self) {
        self.count -= other.count;
        self.bytes -= other.bytes;
        self.fees -= other.fees;
    }
}

impl Entry {
    /// It alone.
    pub(super) fn package(&self) -> Package {
        Package {
            count: 1,
            bytes: self.size,
            fees: self.fee.units(),
        }
    }

    pub(super) fn rate(&self) -> FeeRate {
        self.package().rate()
    }

    /// It and all that it depends on.
    pub(super) fn with_ancestors(&self) -> Package {
        self.links.ancestors
    }

    /// It and all that depend on it.
    pub(super) fn with_descendants(&self) -> Package {
        self.links.descendants
    }

    pub(super) fn parents(&self) -> &BTreeSet<Position> {
        &self.links.parents
    }

    pub(super) fn children(&self) -> &BTreeSet<Position> {
        &self.links.children
    }

    /// What a miner loses by throwing it out with all that depend on it.
    pub(super) fn score(&self) -> FeeRate {
        self.rate().max(self.with_descendants().rate())
    }

    pub(super) fn is_bare(&self) -> bool {
        is_bare_step(&self.transaction)
    }

    pub(super) fn is_free(&self) -> bool {
        is_free(&self.transaction)
    }
}

/// Entries that were taken out, by position: each with all that depend on it.
pub(super) type Removed = Vec<(Position, Entry)>;

/// All entries, with indices over what they spend, consume and pay.
#[derive(Debug, Default)]
pub(super) struct Graph {
    entries: BTreeMap<Position, Entry>,
    by_wtxid: BTreeMap<Wtxid, Position>,
    by_txid: BTreeMap<Txid, Position>,
    spends: BTreeMap<OutPoint, Position>,
    actions: BTreeMap<ActionKey, Position>,
    /// The first is the first to go. Bare steps are not in here: they never go on their own.
    by_score: BTreeSet<(FeeRate, Reverse<Position>)>,
    next: Position,
    bytes: usize,
    digest: SetDigest,
}

impl Graph {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn digest(&self) -> Digest {
        self.digest.digest()
    }

    pub(super) fn get(&self, position: Position) -> Option<&Entry> {
        self.entries.get(&position)
    }

    pub(super) fn by_wtxid(&self, wtxid: &Wtxid) -> Option<&Entry> {
        self.get(*self.by_wtxid.get(wtxid)?)
    }

    pub(super) fn by_txid(&self, txid: &Txid) -> Option<&Entry> {
        self.get(*self.by_txid.get(txid)?)
    }

    pub(super) fn spends(&self, outpoint: &OutPoint) -> bool {
        self.spends.contains_key(outpoint)
    }

    pub(super) fn consumes(&self, key: &ActionKey) -> bool {
        self.actions.contains_key(key)
    }

    /// By position.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Position, &Entry)> {
        self.entries.iter().map(|(position, entry)| (*position, entry))
    }

    /// By position.
    pub(super) fn into_entries(self) -> impl Iterator<Item = Entry> {
        self.entries.into_values()
    }

    /// Entries of which at most one can be mined together with `transaction`.
    pub(super) fn conflicts(&self, transaction: &Transaction) -> BTreeSet<Position> {
        let inputs = transaction.inputs.iter();
        let spent = inputs.filter_map(|input| self.spends.get(&input.previous));
        let consumed = action_key(transaction).and_then(|key| self.actions.get(&key));
        spent.chain(consumed).copied().collect()
    }

    /// All entries that `transaction` depends on.
    pub(super) fn ancestors(&self, transaction: &Transaction) -> BTreeSet<Position> {
        self.closure(self.parents(transaction), Entry::parents)
    }

    /// Those with all that they depend on.
    pub(super) fn with_ancestors(&self, positions: BTreeSet<Position>) -> BTreeSet<Position> {
        self.closure(positions, Entry::parents)
    }

    /// Those with all that depend on them.
    pub(super) fn with_descendants(&self, positions: BTreeSet<Position>) -> BTreeSet<Position> {
        self.closure(positions, Entry::children)
    }

    fn closure(
        &self,
        mut found: BTreeSet<Position>,
        next: impl Fn(&Entry) -> &BTreeSet<Position>,
    ) -> BTreeSet<Position> {
        let mut open: Vec<Position> = found.iter().copied().collect();
        while let Some(position) = open.pop() {
            let neighbours = self.get(position).map(&next).into_iter().flatten();
            open.extend(neighbours.copied().filter(|neighbour| found.insert(*neighbour)));
        }
        found
    }

    /// Entries whose outputs, job record or ticket `transaction` builds on.
    fn parents(&self, transaction: &Transaction) -> BTreeSet<Position> {
        let inputs = transaction.inputs.iter();
        let made = inputs.filter_map(|input| self.by_txid.get(&input.previous.txid));
        let mut parents: BTreeSet<Position> = made.copied().collect();
        let vote = |job, seq| ActionKey::Vote {
            job,
            seq,
            ticket: FIRST_OUTPOINT,
            reveal: false,
        };
        match action_key(transaction) {
            Some(ActionKey::Job(job, seq)) => {
                parents.extend(self.consumers(ActionKey::Job(job, 0), ActionKey::Job(job, seq)));
                parents.extend(self.consumers(vote(job, 0), vote(job, seq.saturating_add(1))));
            }
            Some(ActionKey::Vote { job, seq, .. }) => {
                parents.extend(self.consumers(ActionKey::Job(job, 0), ActionKey::Job(job, seq)));
            }
            Some(ActionKey::Ticket(ticket, seq)) => {
                parents.extend(self.by_txid.get(&ticket.txid));
                parents.extend(self.consumers(ActionKey::Ticket(ticket, 0), ActionKey::Ticket(ticket, seq)));
            }
            None => {}
        }
        parents
    }

    /// Who consumes keys from `first` up to `end`, which is left out.
    fn consumers(&self, first: ActionKey, end: ActionKey) -> impl Iterator<Item = Position> {
        self.actions.range(first..end).map(|(_, position)| *position)
    }

    /// Adds what conflicts with nothing here.
    pub(super) fn push(&mut self, entry: Entry) -> Position {
        let position = self.next;
        self.next += 1;
        self.insert(position, entry);
        position
    }

    /// Puts entries back that were taken out, and that nothing has taken the place of.
    pub(super) fn restore(&mut self, removed: Removed) {
        for (position, entry) in removed {
            self.insert(position, entry);
        }
    }

    fn insert(&mut self, position: Position, mut entry: Entry) {
        let (own, mut parents) = (entry.package(), self.parents(&entry.transaction));
        // Of what came later nothing was seen when this one was checked.
        parents.split_off(&position);
        for parent in &parents {
            if let Some(parent) = self.entries.get_mut(parent) {
                parent.links.children.insert(position);
            }
        }
        entry.links = Links {
            parents: parents.clone(),
            children: BTreeSet::new(),
            ancestors: own,
            descendants: own,
        };
        for ancestor in self.with_ancestors(parents) {
            self.change_descendants(ancestor, |descendants| descendants.add(own));
            let ancestor = self.entries.get(&ancestor).map(Entry::package);
            entry.links.ancestors.add(ancestor.unwrap_or_default());
        }
        for input in entry.transaction.inputs.iter() {
            self.spends.insert(input.previous, position);
        }
        if let Some(key) = action_key(&entry.transaction) {
            self.actions.insert(key, position);
        }
        self.bytes += entry.size;
        self.digest.insert(&entry.wtxid);
        self.by_wtxid.insert(entry.wtxid, position);
        self.by_txid.insert(entry.txid, position);
        self.by_score.extend(rank(position, &entry));
        self.entries.insert(position, entry);
    }

    /// Takes entries out, with all that depend on them.
    pub(super) fn remove(&mut self, positions: BTreeSet<Position>) -> Removed {
        let all = self.with_descendants(positions);
        let mut removed: Removed = all
            .into_iter()
            .rev()
            .filter_map(|position| Some((position, self.remove_last(position)?)))
            .collect();
        removed.reverse();
        removed
    }

    /// Takes an entry out that nothing depends on.
    fn remove_last(&mut self, position: Position) -> Option<Entry> {
        let entry = self.entries.remove(&position)?;
        if let Some(rank) = rank(position, &entry) {
            self.by_score.remove(&rank);
        }
        for parent in entry.parents() {
            if let Some(parent) = self.entries.get_mut(parent) {
                parent.links.children.remove(&position);
            }
        }
        for ancestor in self.with_ancestors(entry.parents().clone()) {
            self.change_descendants(ancestor, |descendants| descendants.subtract(entry.package()));
        }
        for input in entry.transaction.inputs.iter() {
            self.spends.remove(&input.previous);
        }
        if let Some(key) = action_key(&entry.transaction) {
            self.actions.remove(&key);
        }
        self.bytes -= entry.size;
        self.digest.remove(&entry.wtxid);
        self.by_wtxid.remove(&entry.wtxid);
        self.by_txid.remove(&entry.txid);
        Some(entry)
    }

    fn change_descendants(&mut self, position: Position, change: impl Fn(&mut Package)) {
        let Some(entry) = self.entries.get_mut(&position) else {
            return;
        };
        if let Some(rank) = rank(position, entry) {
            self.by_score.remove(&rank);
        }
        change(&mut entry.links.descendants);
        self.by_score.extend(rank(position, entry));
    }

    /// Takes out what pays least, until at most `max_bytes` are left or only bare steps. Returns that,
    /// and the highest rate that had to go.
    pub(super) fn trim(&mut self, max_bytes: usize) -> (Removed, FeeRate) {
        let (mut removed, mut highest) = (Removed::new(), FeeRate::ZERO);
        while self.bytes > max_bytes {
            let Some((rate, Reverse(position))) = self.by_score.first().copied() else {
                break;
            };
            highest = highest.max(rate);
            removed.extend(self.remove(BTreeSet::from([position])));
        }
        removed.sort_by_key(|(position, _)| *position);
        (removed, highest)
    }
}

/// Where an entry stands among those that may go.
fn rank(position: Position, entry: &Entry) -> Option<(FeeRate, Reverse<Position>)> {
    (!entry.is_bare()).then(|| (entry.score(), Reverse(position)))
}

/// The first in order.
const FIRST_OUTPOINT: OutPoint = OutPoint {
    txid: Txid([0; 32]),
    index: 0,
};

/// What its action consumes.
fn action_key(transaction: &Transaction) -> Option<ActionKey> {
    transaction.action.as_ref()?.key(transaction.job_id)
}
