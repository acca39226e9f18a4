//! Valid transactions that wait for a block.
//!
//! Policy is simple: first seen wins a conflict, only standard scripts relay, fees are at least
//! [`MIN_FEE_PER_BYTE`], and a full pool refuses newcomers.
//!
//! Steps that need no money ([`is_bare`](crate::tx::ActionKind::is_bare)) are relayed *bare*: without inputs, outputs or a
//! fee. Whoever sends such a step sends the same bytes, so nobody can put a version that no miner takes
//! in the place of the one that a party's money hangs on. Each is valid once, so there are no more of
//! them than jobs, seats and tickets that were paid for; they enter a full pool, and blocks take them
//! first. Only Deliver is large, and pays for its place like everybody: with the deposit of the
//! Withheld claim that it answers. Where nobody claims, it is not relayed.

use crate::chain::{Delta, Ledger, TransactionError, View, apply_transaction};
use crate::escrow::Moment;
use crate::keys::{SignatureCheck, Verifier};
use crate::params::Params;
use crate::primitives::{Amount, Digest, JobId, SetDigest, Timestamp, Txid, Wtxid};
use crate::script::is_standard;
use crate::tx::{ActionKey, ActionKind, Lock, OutPoint, Transaction};
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cmp::Reverse;

/// Least fee in units per byte of a transaction.
pub const MIN_FEE_PER_BYTE: u64 = 1;
/// Most transactions that wait at a time.
pub const MAX_TRANSACTIONS: usize = 5_000;
/// Most bytes of transactions that wait at a time.
pub const MAX_BYTES: usize = 20_000_000;
/// Bytes of a block kept free for header and coinbase.
const RESERVED_BYTES: usize = 1_000;
/// Signature operations of a block kept free for the coinbase.
const RESERVED_SIGNATURE_OPERATIONS: u32 = 16;
/// Passes over the pool that a template makes: the longest chain of children that fits in one block.
const MAX_PASSES: usize = 25;

/// Why a transaction does not enter the pool.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MempoolError {
    /// It is here already.
    #[error("already known")]
    Known,
    /// It conflicts with one that was here first.
    #[error("conflicts with {0}")]
    Conflict(Txid),
    /// The pool is full.
    #[error("the mempool is full")]
    Full,
    /// It pays too little.
    #[error("fee {fee}, at least {required} is required")]
    Fee {
        /// The fee offered.
        fee: Amount,
        /// The least fee.
        required: Amount,
    },
    /// An output's script is none of the standard forms.
    #[error("output {0} is not standard")]
    NotStandard(u32),
    /// It is larger, or has more signature operations, than a block has room for.
    #[error("too large for a block")]
    TooLarge,
    /// A step of a job that must be relayed without inputs and outputs has some.
    #[error("this step must have no inputs and no outputs")]
    NotBare,
    /// It is invalid.
    #[error(transparent)]
    Invalid(#[from] TransactionError),
}

#[derive(Clone, Debug)]
struct Entry {
    transaction: Arc<Transaction>,
    wtxid: Wtxid,
    fee: Amount,
    size: usize,
}

/// The pool, in order of arrival: a transaction comes after those whose outputs it spends.
#[derive(Debug, Default)]
pub struct Mempool {
    entries: Vec<Entry>,
    by_wtxid: BTreeMap<Wtxid, Arc<Transaction>>,
    spends: BTreeMap<OutPoint, Txid>,
    actions: BTreeMap<ActionKey, Txid>,
    /// Changes of all entries over the ledger.
    pending: Delta,
    bytes: usize,
    digest: SetDigest,
}

impl Mempool {
    /// An empty pool over `ledger`.
    pub fn new(ledger: &Ledger) -> Self {
        Self {
            pending: View::new(ledger).into_delta(),
            ..Self::default()
        }
    }

    /// Checks `transaction` for a block with header time `time` on top of `ledger`, and keeps it.
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
        let wtxid = transaction.wtxid();
        if self.by_wtxid.contains_key(&wtxid) {
            return Err(MempoolError::Known);
        }
        if let Some(conflict) = self.conflict(&transaction) {
            return Err(MempoolError::Conflict(conflict));
        }
        let size = transaction.size();
        let room = Room::of(ledger.params());
        if size > room.bytes || transaction.signature_operations() > room.signature_operations {
            return Err(MempoolError::TooLarge);
        }
        let full = self.entries.len() >= MAX_TRANSACTIONS || self.bytes + size > MAX_BYTES;
        if full && !is_job_step(&transaction) {
            return Err(MempoolError::Full);
        }
        check_standard(&transaction)?;
        let mut view = View::resume(ledger, core::mem::take(&mut self.pending));
        let mut attempt = view.attempt();
        let applied = apply_transaction(&mut attempt, &transaction, ledger.next_moment(time), verifier);
        let accepted = applied.map_err(MempoolError::from).and_then(|fee| {
            check_fee(&transaction, size, fee)?;
            Ok((fee, attempt.into_delta()))
        });
        let outcome = accepted.map(|(fee, delta)| {
            view.absorb(delta);
            fee
        });
        self.pending = view.into_delta();
        self.insert(Entry {
            transaction,
            wtxid,
            fee: outcome?,
            size,
        });
        Ok(())
    }

    /// Rebuilds the pool over a new tip: `returned` (from disconnected blocks) first, then what was
    /// here; what is mined, spent or no longer valid falls out.
    pub fn rebase(
        &mut self,
        returned: impl IntoIterator<Item = Arc<Transaction>>,
        ledger: &Ledger,
        time: Timestamp,
        verifier: &dyn Verifier,
    ) {
        let before = core::mem::replace(self, Self::new(ledger));
        let kept = before.entries.into_iter().map(|entry| entry.transaction);
        for transaction in returned.into_iter().chain(kept) {
            // A transaction that has become invalid is dropped; its maker notices and makes another.
            let _ = self.accept(transaction, ledger, time, verifier);
        }
    }

    /// The transactions of the next block and the sum of their fees: bare steps of jobs first, then by
    /// fee per byte, as far as their order allows.
    pub fn select(&self, ledger: &Ledger, moment: Moment) -> (Vec<Arc<Transaction>>, Amount) {
        let mut candidates: Vec<&Entry> = self.entries.iter().collect();
        candidates.sort_by_key(|entry| Reverse((is_free(&entry.transaction), fee_rate(entry))));
        let mut selection = Selection {
            view: View::new(ledger),
            moment,
            room: Room::of(ledger.params()),
            chosen: Vec::new(),
            fees: Amount::ZERO,
        };
        // A child waits for its parent: passes go on until one adds nothing.
        for _ in 0..MAX_PASSES {
            let before = candidates.len();
            candidates.retain(|entry| !selection.add(entry));
            if candidates.len() == before {
                break;
            }
        }
        (selection.chosen, selection.fees)
    }

    /// The transaction with this id.
    pub fn get(&self, wtxid: &Wtxid) -> Option<&Arc<Transaction>> {
        self.by_wtxid.get(wtxid)
    }

    /// Ids of all transactions, by arrival.
    pub fn wtxids(&self) -> impl Iterator<Item = Wtxid> {
        self.entries.iter().map(|entry| entry.wtxid)
    }

    /// True when a transaction here spends `outpoint`.
    pub fn spends(&self, outpoint: &OutPoint) -> bool {
        self.spends.contains_key(outpoint)
    }

    /// True when a transaction here acts on record `seq` of `job` (votes do not).
    pub fn acts_on(&self, job: &JobId, seq: u32) -> bool {
        self.consumes(&ActionKey::Job(*job, seq))
    }

    /// True when a transaction here consumes `key`.
    pub fn consumes(&self, key: &ActionKey) -> bool {
        self.actions.contains_key(key)
    }

    /// Number of transactions.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Fingerprint of the set of transactions.
    pub fn digest(&self) -> Digest {
        self.digest.digest()
    }

    fn conflict(&self, transaction: &Transaction) -> Option<Txid> {
        let spent = transaction
            .inputs
            .iter()
            .find_map(|input| self.spends.get(&input.previous));
        spent
            .or_else(|| self.actions.get(&action_key(transaction)?))
            .copied()
    }

    fn insert(&mut self, entry: Entry) {
        let txid = entry.transaction.txid();
        for input in entry.transaction.inputs.iter() {
            self.spends.insert(input.previous, txid);
        }
        if let Some(key) = action_key(&entry.transaction) {
            self.actions.insert(key, txid);
        }
        self.bytes += entry.size;
        self.digest.insert(&entry.wtxid);
        self.by_wtxid.insert(entry.wtxid, entry.transaction.clone());
        self.entries.push(entry);
    }
}

/// What a block has room for beside header and coinbase.
struct Room {
    bytes: usize,
    signature_operations: u32,
}

impl Room {
    fn of(params: &Params) -> Self {
        let operations = params.max_block_signature_operations;
        Self {
            bytes: (params.max_block_bytes as usize).saturating_sub(RESERVED_BYTES),
            signature_operations: operations.saturating_sub(RESERVED_SIGNATURE_OPERATIONS),
        }
    }
}

/// A block's transactions while they are chosen.
struct Selection<'a> {
    view: View<'a>,
    moment: Moment,
    room: Room,
    chosen: Vec<Arc<Transaction>>,
    fees: Amount,
}

impl Selection<'_> {
    /// Takes a transaction in; false if it does not fit, or not yet.
    fn add(&mut self, entry: &Entry) -> bool {
        let operations = entry.transaction.signature_operations();
        if entry.size > self.room.bytes || operations > self.room.signature_operations {
            return false;
        }
        let mut attempt = self.view.attempt();
        let applied = apply_transaction(&mut attempt, &entry.transaction, self.moment, &VerifiedBefore);
        let Some(fees) = applied.ok().and_then(|fee| self.fees.checked_add(fee)) else {
            return false;
        };
        let delta = attempt.into_delta();
        self.view.absorb(delta);
        self.fees = fees;
        self.room.bytes -= entry.size;
        self.room.signature_operations -= operations;
        self.chosen.push(entry.transaction.clone());
        true
    }
}

/// What its action consumes.
fn action_key(transaction: &Transaction) -> Option<ActionKey> {
    transaction.action.as_ref()?.key(transaction.job_id)
}

/// Units per 1,000 bytes.
fn fee_rate(entry: &Entry) -> u64 {
    entry.fee.units().saturating_mul(1_000) / (entry.size.max(1) as u64)
}

/// True for the steps that are relayed bare.
fn is_job_step(transaction: &Transaction) -> bool {
    let action = transaction.action.as_ref();
    action.is_some_and(|action| action.kind.is_bare())
}

/// True for the steps that pay no fee.
fn is_free(transaction: &Transaction) -> bool {
    let action = transaction.action.as_ref();
    is_job_step(transaction) && !action.is_some_and(|action| matches!(action.kind, ActionKind::Deliver(_)))
}

fn check_standard(transaction: &Transaction) -> Result<(), MempoolError> {
    if is_job_step(transaction) && !(transaction.inputs.is_empty() && transaction.outputs.is_empty()) {
        return Err(MempoolError::NotBare);
    }
    let odd = (0..)
        .zip(transaction.outputs.iter())
        .find(|(_, output)| match &output.lock {
            Lock::Script(script) => !is_standard(script),
            _ => false,
        });
    odd.map_or(Ok(()), |(index, _)| Err(MempoolError::NotStandard(index)))
}

fn check_fee(transaction: &Transaction, size: usize, fee: Amount) -> Result<(), MempoolError> {
    let required = Amount::from_units(MIN_FEE_PER_BYTE.saturating_mul(size as u64)).unwrap_or(Amount::MAX);
    if is_free(transaction) || fee >= required {
        Ok(())
    } else {
        Err(MempoolError::Fee { fee, required })
    }
}

/// Stands in for signatures that were checked when their transaction entered the pool.
struct VerifiedBefore;

impl Verifier for VerifiedBefore {
    fn verify(&self, _: &SignatureCheck) -> bool {
        true
    }
}
