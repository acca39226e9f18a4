//! Valid transactions that wait for a block.
//!
//! Each entry keeps its changes of the ledger on top of those of the entries that it depends on, its
//! *ancestors*. So three things hold after every call, and together make up all that the pool
//! promises:
//!
//! - an entry is valid in the next block on the tip, behind its ancestors in order of arrival;
//! - of two entries, at most one spends an output or consumes a step of a job or ticket;
//! - what an entry depends on is in the ledger or in the pool.
//!
//! There is no sum of all changes that would have to be taken apart when an entry leaves: it leaves
//! together with its descendants, and the others do not notice. When the tip moves, the pool is built
//! anew in the same order.
//!
//! An output that a closing job pays can be spent once the closing is mined: what it pays may still
//! change with what is mined before, and with it what a signature covers.
//!
//! Steps that need no money ([`is_bare`](crate::tx::ActionKind::is_bare)) are relayed *bare*: without inputs, outputs or a
//! fee. Whoever sends such a step sends the same bytes, so nobody can put a version that no miner takes
//! in the place of the one that a party's money hangs on; for the same reason they replace nothing and
//! are not replaced. Each is valid once, so there are no more of
//! them than jobs, seats and tickets that were paid for; they enter a full pool, and blocks take them
//! first. Only Deliver is large, and pays for its place like everybody: with the deposit of the
//! Withheld claim that it answers. Where nobody claims, it is not relayed.

mod estimate;
mod fee;
mod graph;
mod policy;
mod template;

pub use estimate::ESTIMATE_WINDOW;
pub use fee::FeeRate;
pub use policy::{MAX_RELAYED_BYTES, MempoolError, Policy};

use crate::block::Block;
use crate::chain::{Delta, Ledger, TipChange, TransactionError, View, apply_transaction};
use crate::escrow::Moment;
use crate::keys::{Deferred, SignatureCheck, Verifier};
use crate::params::Params;
use crate::primitives::{Amount, Digest, JobId, Timestamp, Txid, Wtxid};
use crate::tx::{ActionKey, OutPoint, Transaction, TxOut};
use alloc::collections::BTreeSet;
use alloc::sync::Arc;
use alloc::vec::Vec;
use estimate::Estimator;
use fee::Floor;
use graph::{Entry, Graph, Links, Position};
use policy::{Room, is_bare_step, is_free};

/// The pool.
#[derive(Debug, Default)]
pub struct Mempool {
    policy: Policy,
    graph: Graph,
    floor: Floor,
    estimator: Estimator,
}

/// Where transactions are checked: the next block on a ledger.
#[derive(Clone, Copy)]
struct Site<'a> {
    ledger: &'a Ledger,
    /// Header time of that block.
    time: Timestamp,
    verifier: &'a dyn Verifier,
}

/// What a transaction has to pay.
struct Price {
    /// By its size.
    rate: FeeRate,
    /// For what it replaces, if that is anything.
    replacement: Option<Replacement>,
}

/// What a transaction replaces.
struct Replacement {
    /// One that it conflicts with.
    replaced: Txid,
    /// Fees of all that have to go.
    fees: Amount,
    /// The highest score of those that it conflicts with.
    rate: FeeRate,
}

impl Mempool {
    /// An empty pool.
    pub fn new(policy: Policy) -> Self {
        Self {
            policy,
            ..Self::default()
        }
    }

    /// Checks `transaction` for a block with header time `time` on top of `ledger`, which is the one of
    /// the last [`rebase`](Self::rebase), and keeps it. What it replaces, and what has to make room for
    /// it, leaves the pool.
    ///
    /// # Errors
    /// [`MempoolError`]; the pool is as it was.
    pub fn accept(
        &mut self,
        transaction: Arc<Transaction>,
        ledger: &Ledger,
        time: Timestamp,
        verifier: &dyn Verifier,
    ) -> Result<(), MempoolError> {
        let site = Site {
            ledger,
            time,
            verifier,
        };
        self.admit(transaction, time, self.min_rate(), site)
    }

    /// Builds the pool anew after the tip has moved to `ledger`: first what the blocks that were taken
    /// back hold, then what was here. What is mined, spent, expired or no longer valid falls out.
    pub fn rebase(&mut self, change: &TipChange, ledger: &Ledger, time: Timestamp, verifier: &dyn Verifier) {
        self.learn(change, ledger.params());
        let before = core::mem::take(&mut self.graph);
        // What signatures cover does not change while a chain grows: they need no second look.
        let verifier: &dyn Verifier = if change.disconnected.is_empty() {
            &VerifiedBefore
        } else {
            verifier
        };
        let site = Site {
            ledger,
            time,
            verifier,
        };
        let blocks = change.disconnected.iter().rev();
        let returned = blocks
            .flat_map(|block| block.transactions.iter().skip(1))
            .map(|transaction| (Arc::new(transaction.clone()), time));
        let expiry_s = u64::from(self.policy.expiry_s);
        let kept = before
            .into_entries()
            .filter(|entry| u64::from(time.0) < entry.since.plus_seconds(expiry_s))
            .map(|entry| (entry.transaction, entry.since));
        for (transaction, since) in returned.chain(kept) {
            // A transaction that has become invalid is dropped; its maker notices and makes another.
            let _ = self.admit(transaction, since, self.policy.min_rate, site);
        }
    }

    /// The transactions of the next block and the sum of their fees: bare steps of jobs first, then by
    /// fee rate with all that they depend on. The block that they make is valid, and never earns less
    /// than one that takes transactions by their own fee rate.
    pub fn select(&self, ledger: &Ledger, moment: Moment) -> (Vec<Arc<Transaction>>, Amount) {
        template::select(&self.graph, ledger, moment)
    }

    /// The transaction with this id.
    pub fn get(&self, wtxid: &Wtxid) -> Option<&Arc<Transaction>> {
        self.graph.by_wtxid(wtxid).map(|entry| &entry.transaction)
    }

    /// The transaction with this id, whatever its signatures.
    pub fn by_txid(&self, txid: &Txid) -> Option<&Arc<Transaction>> {
        self.graph.by_txid(txid).map(|entry| &entry.transaction)
    }

    /// All transactions with their fees, by arrival.
    pub fn transactions(&self) -> impl Iterator<Item = (&Arc<Transaction>, Amount)> {
        self.graph
            .iter()
            .map(|(_, entry)| (&entry.transaction, entry.fee))
    }

    /// Ids of all transactions, by arrival.
    pub fn wtxids(&self) -> impl Iterator<Item = Wtxid> {
        self.graph.iter().map(|(_, entry)| entry.wtxid)
    }

    /// True when a transaction here spends `outpoint`.
    pub fn spends(&self, outpoint: &OutPoint) -> bool {
        self.graph.spends(outpoint)
    }

    /// True when a transaction here acts on record `seq` of `job` (votes do not).
    pub fn acts_on(&self, job: &JobId, seq: u32) -> bool {
        self.consumes(&ActionKey::Job(*job, seq))
    }

    /// True when a transaction here consumes `key`.
    pub fn consumes(&self, key: &ActionKey) -> bool {
        self.graph.consumes(key)
    }

    /// Number of transactions.
    pub fn len(&self) -> usize {
        self.graph.len()
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of all transactions.
    pub fn bytes(&self) -> usize {
        self.graph.bytes()
    }

    /// Fingerprint of the set of transactions.
    pub fn digest(&self) -> Digest {
        self.graph.digest()
    }

    /// The least fee rate at which a transaction enters: the policy's, or more for some time after a
    /// full pool had to throw some out.
    pub fn min_rate(&self) -> FeeRate {
        self.policy.min_rate.max(self.floor.rate())
    }

    /// A fee rate that would have been mined within `blocks` blocks, counted from any of nine in ten of
    /// the last [`ESTIMATE_WINDOW`] blocks, and that enters the pool now. It says what was, not
    /// what will be: a rush after this moment is not in it.
    pub fn estimate(&self, blocks: usize) -> FeeRate {
        let lately = self.estimator.estimate(blocks).unwrap_or_default();
        lately.max(self.min_rate())
    }

    /// True when `output` is worth less than it costs to spend it: nobody relays it.
    pub fn is_dust(&self, output: &TxOut) -> bool {
        output.value < self.policy.least_output(output)
    }

    /// Lets `transaction` in, which came at `since`, if it pays `rate`.
    fn admit(
        &mut self,
        transaction: Arc<Transaction>,
        since: Timestamp,
        rate: FeeRate,
        site: Site<'_>,
    ) -> Result<(), MempoolError> {
        let wtxid = transaction.wtxid();
        if self.graph.by_wtxid(&wtxid).is_some() {
            return Err(MempoolError::Known);
        }
        let size = transaction.size();
        self.policy.check(&transaction, size, site.ledger.params())?;
        let conflicts = self.graph.conflicts(&transaction);
        let price = Price {
            rate: match (is_free(&transaction), is_bare_step(&transaction)) {
                (true, _) => FeeRate::ZERO,
                (_, true) => self.policy.min_rate,
                _ => rate,
            },
            replacement: self.replacement(&transaction, &conflicts)?,
        };
        let entry = Entry {
            txid: transaction.txid(),
            wtxid,
            fee: Amount::ZERO,
            size,
            operations: 0,
            since,
            delta: Delta::default(),
            links: Links::default(),
            transaction,
        };
        let replaced = self.graph.remove(conflicts);
        let entered = self.enter(entry, &price, site);
        if entered.is_err() {
            self.graph.restore(replaced);
        }
        entered
    }

    /// What `transaction` would replace.
    fn replacement(
        &self,
        transaction: &Transaction,
        conflicts: &BTreeSet<Position>,
    ) -> Result<Option<Replacement>, MempoolError> {
        let entries = || conflicts.iter().filter_map(|conflict| self.graph.get(*conflict));
        let Some(first) = entries().next() else {
            return Ok(None);
        };
        if is_bare_step(transaction) || entries().any(Entry::is_bare) {
            return Err(MempoolError::Conflict(first.txid));
        }
        // Chains are short: this bounds what is looked at below.
        let (count, limit) = (conflicts.len(), self.policy.max_replaced);
        if count > limit {
            return Err(MempoolError::TooManyReplaced { count, limit });
        }
        let leaving = self.graph.with_descendants(conflicts.clone());
        let count = leaving.len();
        if count > limit {
            return Err(MempoolError::TooManyReplaced { count, limit });
        }
        let fees = leaving.iter().filter_map(|position| self.graph.get(*position));
        Ok(Some(Replacement {
            replaced: first.txid,
            fees: Amount::checked_sum(fees.map(|entry| entry.fee)).unwrap_or(Amount::MAX),
            rate: entries().map(Entry::score).max().unwrap_or_default(),
        }))
    }

    /// Puts an entry in that conflicts with nothing any more, and makes room for it.
    fn enter(&mut self, mut entry: Entry, price: &Price, site: Site<'_>) -> Result<(), MempoolError> {
        let ancestors = self.graph.ancestors(&entry.transaction);
        self.check_chain(&ancestors, entry.size)?;
        let ancestors = || ancestors.iter().filter_map(|position| self.graph.get(*position));
        let mut view = View::new(site.ledger);
        ancestors().for_each(|ancestor| view.absorb(ancestor.delta.clone()));
        entry.operations = view.signature_operations(&entry.transaction);
        let room = Room::of(site.ledger.params());
        room.without([&entry].into_iter()).ok_or(MempoolError::TooLarge)?;
        let moment = site.ledger.next_moment(site.time);
        // The price comes before the signatures: checking those is nearly all the work.
        let deferred = Deferred::default();
        (entry.fee, entry.delta) = try_apply(&view, &entry.transaction, moment, &deferred)?;
        let mut package = entry.package();
        ancestors().for_each(|ancestor| package.add(ancestor.package()));
        self.check_price(&entry, package.rate(), price)?;
        if let Err(answered) = deferred.check(site.verifier) {
            (entry.fee, entry.delta) = try_apply(&view, &entry.transaction, moment, &answered)?;
        }
        self.make_room(entry)
    }

    /// Bounds what depends on one entry and what one entry depends on, and with that the work that one
    /// transaction can cause.
    fn check_chain(&self, ancestors: &BTreeSet<Position>, size: usize) -> Result<(), MempoolError> {
        let (limit, bytes) = (self.policy.max_chain, self.policy.max_chain_bytes);
        let ancestors = ancestors.iter().filter_map(|position| self.graph.get(*position));
        let (mut count, mut sum, mut fits) = (1, size, true);
        for ancestor in ancestors {
            let descendants = ancestor.with_descendants();
            count += 1;
            sum += ancestor.size;
            fits &= descendants.count < limit && descendants.bytes + size <= bytes;
        }
        if fits && count <= limit && (sum <= bytes || count == 1) {
            Ok(())
        } else {
            Err(MempoolError::Chain { limit, bytes })
        }
    }

    /// `package_rate` is the rate with all ancestors: what a miner sees in it is at most that.
    fn check_price(&self, entry: &Entry, package_rate: FeeRate, price: &Price) -> Result<(), MempoolError> {
        let (fee, required) = (entry.fee, price.rate.fee(entry.size));
        if fee < required {
            return Err(MempoolError::Fee { fee, required });
        }
        let Some(replacement) = &price.replacement else {
            return Ok(());
        };
        let increment = self.policy.increment.fee(entry.size);
        let better = replacement.rate.plus(FeeRate(1)).fee(entry.size);
        let required = replacement
            .fees
            .checked_add(increment)
            .unwrap_or(Amount::MAX)
            .max(better);
        if fee >= required && package_rate > replacement.rate {
            Ok(())
        } else {
            let replaced = replacement.replaced;
            Err(MempoolError::Replacement {
                replaced,
                fee,
                required,
            })
        }
    }

    /// Adds an entry and throws out what pays least, as long as there is too much.
    fn make_room(&mut self, entry: Entry) -> Result<(), MempoolError> {
        let position = self.graph.push(entry);
        let (mut removed, rate) = self.graph.trim(self.policy.max_bytes);
        if removed.iter().any(|(gone, _)| *gone == position) {
            removed.retain(|(gone, _)| *gone != position);
            self.graph.restore(removed);
            return Err(MempoolError::Full);
        }
        if !removed.is_empty() {
            self.floor.raise(rate, self.policy.increment);
        }
        Ok(())
    }

    /// Notes what blocks had room for, while the pool still has what is in them.
    fn learn(&mut self, change: &TipChange, params: &Params) {
        change.disconnected.iter().for_each(|_| self.estimator.pop());
        for block in &change.connected {
            self.estimator.push(self.least_rate_in(block, params));
        }
        let is_half_empty = self.graph.bytes() < self.policy.max_bytes / 2;
        let increment = self.policy.increment;
        self.floor.decay(change.connected.len(), is_half_empty, increment);
    }

    /// The least fee rate that `block` had room for. `None` for a full one of which nothing waited here.
    fn least_rate_in(&self, block: &Block, params: &Params) -> Option<FeeRate> {
        let room = Room::of(params).bytes;
        if block.size() < room - room / 10 {
            return Some(self.policy.min_rate);
        }
        let transactions = block.transactions.iter().skip(1);
        let known = transactions.filter_map(|transaction| self.graph.by_txid(&transaction.txid()));
        known.filter(|entry| !entry.is_free()).map(Entry::score).min()
    }
}

/// Applies a transaction on top of `view`: its fee and its changes.
fn try_apply(
    view: &View<'_>,
    transaction: &Transaction,
    moment: Moment,
    verifier: &dyn Verifier,
) -> Result<(Amount, Delta), TransactionError> {
    let mut attempt = view.attempt();
    let fee = apply_transaction(&mut attempt, transaction, moment, verifier)?;
    Ok((fee, attempt.into_delta()))
}

/// Stands in for signatures that were checked when their transaction entered the pool.
struct VerifiedBefore;

impl Verifier for VerifiedBefore {
    fn verify(&self, _: &SignatureCheck) -> bool {
        true
    }
}
