//! The node's own coins and the payments it makes with them.

use crate::chain::{Coin, Ledger, OwnCoin, TipChange};
use crate::keys::SecretKey;
use crate::mempool::{FeeRate, Mempool};
use crate::primitives::{Amount, BlockHash, BoundedVec, Height, JobId, Txid};
use crate::script::{Script, StandardScript, key_hash_script_sig};
use crate::tx::{Action, Lock, NO_EXPIRY, OutPoint, Transaction, TxIn, TxOut, signature_hash};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

/// The least fee rate that the node pays.
const MIN_FEE_RATE: FeeRate = FeeRate::per_byte(2);
/// The node pays what would have been mined lately within this many blocks.
const TARGET_BLOCKS: usize = 3;
/// Bytes that signing adds to an input: a 64-byte signature, a 33-byte key, two push opcodes.
const SIGNED_INPUT_BYTES: usize = 100;

/// Confirmed coins that pay to the node's key hash.
pub(super) struct Purse {
    script: Script,
    coins: BTreeMap<OutPoint, (Amount, Height)>,
    /// Promised to transactions that are not in the mempool (half-signed Engages).
    reserved: BTreeMap<OutPoint, JobId>,
    /// Its coins, spent ones and those of abandoned blocks, too: a transaction that spends one does not say what
    /// it is worth.
    seen: BTreeMap<OutPoint, OwnCoin>,
    /// Those of them that were made or spent since the last flush.
    unflushed: BTreeSet<OutPoint>,
}

/// What a node owns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// It can be spent in the next block.
    pub spendable: Amount,
    /// Mined, and not old enough to be spent.
    pub immature: Amount,
    /// Kept for jobs that are not mined, or whose Engage is not.
    pub reserved: Amount,
    /// What transactions in the mempool pay to it, its own change among it.
    pub unconfirmed: Amount,
}

/// Inputs and change for a payment.
pub(super) struct Funds {
    pub(super) inputs: Vec<OutPoint>,
    pub(super) change: Option<TxOut>,
}

impl Purse {
    pub(super) fn new(key: &SecretKey) -> Self {
        let script = StandardScript::KeyHash(key.public_key().key_hash().0)
            .compile()
            .unwrap_or_default();
        Self {
            script,
            coins: BTreeMap::new(),
            reserved: BTreeMap::new(),
            seen: BTreeMap::new(),
            unflushed: BTreeSet::new(),
        }
    }

    /// The script that pays to this node.
    pub(super) fn script(&self) -> &Script {
        &self.script
    }

    fn owns(&self, output: &TxOut) -> bool {
        matches!(&output.lock, Lock::Script(script) if *script == self.script)
    }

    /// Looks at the outputs that a move of the tip touched.
    pub(super) fn refresh<'a>(&mut self, outpoints: impl IntoIterator<Item = &'a OutPoint>, ledger: &Ledger) {
        for outpoint in outpoints {
            match ledger.coin(outpoint) {
                Some(coin) if self.owns(&coin.output) => {
                    self.coins
                        .insert(*outpoint, (coin.output.value, coin.spendable_from));
                    self.note(*outpoint, coin.output.value, coin.created.height);
                }
                _ => {
                    self.coins.remove(outpoint);
                }
            }
        }
    }

    fn note(&mut self, outpoint: OutPoint, value: Amount, created: Height) {
        let coin = OwnCoin {
            value,
            created,
            spent: None,
        };
        if self.seen.insert(outpoint, coin) != Some(coin) {
            self.unflushed.insert(outpoint);
        }
    }

    /// Looks at all blocks of a tip change.
    pub(super) fn follow(&mut self, change: &TipChange, ledger: &Ledger) {
        let heights = (0..).map(|depth| ledger.height().minus(depth));
        let blocks: Vec<_> = heights.zip(change.connected.iter().rev()).collect();
        for (height, block) in blocks.into_iter().rev() {
            // Payouts of jobs and bonds stand in no transaction: what spends one shows it.
            let undo = change.undo.get(&block.header.hash());
            for (outpoint, spent) in undo.iter().flat_map(|undo| &undo.coins) {
                spent.iter().for_each(|coin| self.find(outpoint, coin));
            }
            for transaction in block.transactions.iter() {
                self.follow_transaction(transaction, height);
            }
        }
        self.refresh(&change.coins, ledger);
    }

    fn follow_transaction(&mut self, transaction: &Transaction, height: Height) {
        for input in transaction.inputs.iter() {
            if let Some(coin) = self.seen.get_mut(&input.previous) {
                coin.spent = Some(height);
                self.unflushed.insert(input.previous);
            }
        }
        for (index, output) in (0..).zip(transaction.outputs.iter()) {
            if self.owns(output) {
                let txid = transaction.txid();
                self.note(OutPoint { txid, index }, output.value, height);
            }
        }
    }

    /// Knows again what it knew at the last flush.
    pub(super) fn restore(&mut self, seen: Vec<(OutPoint, OwnCoin)>) {
        self.seen.extend(seen);
    }

    /// Knows a coin of the ledger if it is its own.
    pub(super) fn find(&mut self, outpoint: &OutPoint, coin: &Coin) {
        if self.owns(&coin.output) {
            self.note(*outpoint, coin.output.value, coin.created.height);
        }
    }

    /// Looks which of its coins are left.
    pub(super) fn recount(&mut self, ledger: &Ledger) {
        let unspent = self.seen.iter().filter(|(_, coin)| coin.spent.is_none());
        let outpoints: Vec<_> = unspent.map(|(outpoint, _)| *outpoint).collect();
        self.coins.clear();
        self.refresh(&outpoints, ledger);
    }

    /// Coins that were made or spent since the last flush.
    pub(super) fn take_unflushed(&mut self) -> Vec<(OutPoint, OwnCoin)> {
        let unflushed = core::mem::take(&mut self.unflushed).into_iter();
        unflushed
            .filter_map(|outpoint| Some((outpoint, *self.seen.get(&outpoint)?)))
            .collect()
    }

    /// Heights of all blocks of the best chain that made or spent a coin of this purse, and perhaps of others.
    pub(super) fn heights(&self) -> BTreeSet<Height> {
        let of = |coin: &OwnCoin| [Some(coin.created), coin.spent];
        self.seen.values().flat_map(of).flatten().collect()
    }

    /// What a coin is or was worth, if it is or was one of this purse.
    pub(super) fn worth(&self, outpoint: &OutPoint) -> Option<Amount> {
        self.seen.get(outpoint).map(|coin| coin.value)
    }

    /// What there is at `height`. Coins that a transaction in the mempool spends are gone.
    pub(super) fn balance(&self, height: Height, mempool: &Mempool) -> Balance {
        // Sums of coins that are all on one ledger cannot overflow; those in the mempool are none yet.
        let plus = |sum: &mut Amount, value| *sum = sum.checked_add(value).unwrap_or(Amount::MAX);
        let mut balance = Balance::default();
        for (outpoint, (value, from)) in &self.coins {
            if mempool.spends(outpoint) {
                continue;
            }
            let sum = if self.reserved.contains_key(outpoint) {
                &mut balance.reserved
            } else if *from <= height {
                &mut balance.spendable
            } else {
                &mut balance.immature
            };
            plus(sum, *value);
        }
        let coming = mempool
            .transactions()
            .flat_map(|(transaction, _)| transaction.outputs.iter());
        for output in coming.filter(|output| self.owns(output)) {
            plus(&mut balance.unconfirmed, output.value);
        }
        balance
    }

    /// Keeps coins for `job` until it releases them.
    pub(super) fn reserve(&mut self, job: JobId, outpoints: &[OutPoint]) {
        self.reserved
            .extend(outpoints.iter().map(|outpoint| (*outpoint, job)));
    }

    /// Lets the coins that are kept for `job` be spent again.
    pub(super) fn release(&mut self, job: &JobId) {
        self.reserved.retain(|_, holder| holder != job);
    }

    /// Chooses coins of at least `amount`, largest first so that inputs stay few; `None` if there are
    /// not enough that are spendable at `height`.
    pub(super) fn choose(&self, amount: Amount, height: Height, mempool: &Mempool) -> Option<Funds> {
        let mut spendable: Vec<(Amount, OutPoint)> = self
            .coins
            .iter()
            .filter(|(outpoint, (_, from))| {
                *from <= height && !self.reserved.contains_key(outpoint) && !mempool.spends(outpoint)
            })
            .map(|(outpoint, (value, _))| (*value, *outpoint))
            .collect();
        spendable.sort_unstable_by(|a, b| b.cmp(a));
        let (mut sum, mut inputs) = (Amount::ZERO, Vec::new());
        for (value, outpoint) in spendable {
            if sum >= amount && !inputs.is_empty() {
                break;
            }
            sum = sum.checked_add(value)?;
            inputs.push(outpoint);
        }
        let change = sum.checked_sub(amount)?;
        let change = TxOut::to_script(change, self.script.clone());
        // Change that is not worth spending is left to the miner.
        let change = (!mempool.is_dust(&change)).then_some(change);
        (!inputs.is_empty()).then_some(Funds { inputs, change })
    }

    /// A signed transaction that creates `first` (if any), does what `act` says, and pays a fee at the
    /// rate of the day. `act` gets the first input, which OpenJob's id depends on.
    pub(super) fn pay(
        &self,
        key: &SecretKey,
        ledger: &Ledger,
        mempool: &Mempool,
        first: Option<&TxOut>,
        act: impl Fn(&OutPoint) -> (Option<JobId>, Action),
    ) -> Option<Transaction> {
        let value = first.map_or(Amount::ZERO, |output| output.value);
        self.build(key, ledger, mempool, (value, None), |funds| {
            let (job, action) = act(funds.inputs.first()?);
            let outputs = first.into_iter().cloned().chain(funds.change).collect();
            unsigned(&funds.inputs, outputs, job, Some(action))
        })
    }

    /// A signed transaction that pays `outputs` and a fee at `rate`, or at that of the day.
    pub(super) fn transfer(
        &self,
        key: &SecretKey,
        ledger: &Ledger,
        mempool: &Mempool,
        outputs: &[TxOut],
        rate: Option<FeeRate>,
    ) -> Option<Transaction> {
        let value = Amount::checked_sum(outputs.iter().map(|output| output.value))?;
        self.build(key, ledger, mempool, (value, rate), |funds| {
            let outputs = outputs.iter().cloned().chain(funds.change).collect();
            unsigned(&funds.inputs, outputs, None, None)
        })
    }

    /// What `compose` makes of coins for `value` and a fee that is enough for its size, signed.
    fn build(
        &self,
        key: &SecretKey,
        ledger: &Ledger,
        mempool: &Mempool,
        (value, rate): (Amount, Option<FeeRate>),
        compose: impl Fn(Funds) -> Option<Transaction>,
    ) -> Option<Transaction> {
        let height = ledger.height().plus(1);
        let rate = rate.unwrap_or_else(|| mempool.estimate(TARGET_BLOCKS).max(MIN_FEE_RATE));
        let draft = |fee: Amount| {
            let needed = value.checked_add(fee)?;
            compose(self.choose(needed, height, mempool)?)
        };
        // The fee depends on the size and the size, through the number of inputs, on the fee.
        let mut fee = Amount::ZERO;
        for _ in 0..4 {
            let transaction = draft(fee)?;
            let bytes = transaction.size() + transaction.inputs.len() * SIGNED_INPUT_BYTES;
            let needed = rate.fee(bytes);
            if needed <= fee {
                return self.sign(key, ledger, transaction, 0);
            }
            fee = needed;
        }
        None
    }

    /// Signs the inputs from `first` on, all of which must be coins of this purse.
    pub(super) fn sign(
        &self,
        key: &SecretKey,
        ledger: &Ledger,
        transaction: Transaction,
        first: usize,
    ) -> Option<Transaction> {
        let txid = transaction.txid();
        let mut inputs = transaction.inputs.clone();
        for (index, input) in (0u32..).zip(inputs.as_mut_slice()).skip(first) {
            let spent = ledger.coin(&input.previous)?;
            input.script_sig = key_hash_sig(key, ledger.genesis(), &txid, index, &spent.output);
        }
        Some(Transaction {
            inputs,
            ..transaction
        })
    }
}

fn key_hash_sig(key: &SecretKey, genesis: &BlockHash, txid: &Txid, index: u32, spent: &TxOut) -> Script {
    let signature = key.sign(&signature_hash(genesis, txid, index, spent));
    key_hash_script_sig(&signature.0, key.public_key().as_bytes())
}

/// A transaction without `script_sig`s. `None` with more inputs or outputs than allowed.
pub(super) fn unsigned(
    inputs: &[OutPoint],
    outputs: Vec<TxOut>,
    job_id: Option<JobId>,
    action: Option<Action>,
) -> Option<Transaction> {
    let inputs = inputs
        .iter()
        .map(|outpoint| TxIn {
            previous: *outpoint,
            script_sig: Script::empty(),
            sequence: NO_EXPIRY,
        })
        .collect();
    Some(Transaction {
        version: if action.is_some() { 2 } else { 1 },
        inputs: BoundedVec::from_vec(inputs)?,
        outputs: BoundedVec::from_vec(outputs)?,
        lock_time: 0,
        job_id,
        action,
    })
}
