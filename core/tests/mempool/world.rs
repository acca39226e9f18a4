//! A chain, a pool over it, and payments with exact fees.

use super::support::*;
use camelid_core::chain::{Chain, Submission, TipChange, connect_block};
use camelid_core::keys::{EcdsaVerifier, SignatureCheck, Verifier};
use camelid_core::mempool::{FeeRate, Mempool, MempoolError, Policy};
use camelid_core::params::Params;
use camelid_core::primitives::{Amount, BlockHash, Height};
use camelid_core::tx::{Lock, NO_EXPIRY, OutPoint, Transaction, TxOut};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// Checks every signature, the same one only once.
#[derive(Clone, Default)]
pub struct Remembering(Arc<Mutex<BTreeMap<SignatureCheck, bool>>>);

impl Verifier for Remembering {
    fn verify(&self, check: &SignatureCheck) -> bool {
        let mut known = self.0.lock().unwrap();
        *known.entry(*check).or_insert_with(|| EcdsaVerifier.verify(check))
    }
}

impl Remembering {
    /// Different checks that were made.
    pub fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

pub struct World {
    pub workshop: Workshop,
    pub pool: Mempool,
    pub verifier: Remembering,
    /// All outputs that were ever made.
    outputs: BTreeMap<OutPoint, TxOut>,
}

impl World {
    pub fn new(policy: Policy, params: Params) -> Self {
        let (params, verifier) = (Arc::new(params), Remembering::default());
        let workshop = Workshop {
            chain: Chain::new(params.clone(), Arc::new(verifier.clone()), 1),
            params,
        };
        let mut world = Self {
            pool: Mempool::new(policy),
            outputs: BTreeMap::new(),
            workshop,
            verifier,
        };
        let genesis = world.workshop.chain.headers().genesis();
        let block = world.workshop.chain.block(&genesis).unwrap().clone();
        world.note(&block.transactions[0]);
        world
    }

    /// With the policy and the network of most tests.
    pub fn usual() -> Self {
        Self::new(Policy::default(), (*network()).clone())
    }

    fn note(&mut self, transaction: &Transaction) {
        let txid = transaction.txid();
        let outputs = (0..).zip(transaction.outputs.iter().cloned());
        self.outputs
            .extend(outputs.map(|(index, output)| (OutPoint { txid, index }, output)));
    }

    pub fn genesis(&self) -> BlockHash {
        self.workshop.genesis()
    }

    pub fn accept(&mut self, transaction: &Transaction) -> Result<(), MempoolError> {
        self.note(transaction);
        let (ledger, time) = (self.workshop.chain.ledger(), self.workshop.next_time());
        self.pool
            .accept(Arc::new(transaction.clone()), ledger, time, &self.verifier)
    }

    /// What the transaction leaves over: inputs less outputs.
    pub fn fee(&self, transaction: &Transaction) -> u64 {
        let spent = transaction
            .inputs
            .iter()
            .map(|input| self.outputs[&input.previous].value);
        let made = transaction.outputs.iter().map(|output| output.value);
        let [spent, made] = [Amount::checked_sum(spent), Amount::checked_sum(made)];
        spent.unwrap().checked_sub(made.unwrap()).map_or(0, Amount::units)
    }

    /// Signature operations of the transaction and of the scripts that it spends.
    pub fn operations(&self, transaction: &Transaction) -> u32 {
        let spent = transaction
            .inputs
            .iter()
            .map(|input| &self.outputs[&input.previous].lock);
        let spent = spent.map(|lock| match lock {
            Lock::Script(script) => script.signature_operations(),
            _ => 0,
        });
        spent.fold(transaction.signature_operations(), u32::saturating_add)
    }

    /// True if these are valid together, in this order, in the next block.
    pub fn is_valid(&self, transactions: &[Transaction]) -> bool {
        let block = self.workshop.block(transactions);
        connect_block(self.workshop.ledger(), &block, &self.verifier).is_ok()
    }

    /// Mines the template, or as much of its beginning as `part` permille.
    pub fn mine(&mut self, part: usize) -> TipChange {
        let ledger = self.workshop.ledger();
        let moment = ledger.next_moment(self.workshop.next_time());
        let (chosen, _) = self.pool.select(ledger, moment);
        let count = chosen.len() * part / 1_000;
        let transactions: Vec<_> = chosen[..count].iter().map(|entry| (**entry).clone()).collect();
        self.connect(&transactions)
    }

    /// Mines a block with these, which must be valid.
    pub fn connect(&mut self, transactions: &[Transaction]) -> TipChange {
        let block = self.workshop.block(transactions);
        let change = self.submit(&block);
        assert_eq!(change.connected.len(), 1);
        change
    }

    /// Replaces the last `depth` blocks by one more that are empty.
    pub fn fork(&mut self, depth: u32) -> TipChange {
        let params = self.workshop.params.clone();
        let height = self.workshop.chain.height().0;
        let from = height.saturating_sub(depth);
        let mut parent = self.workshop.chain.active()[from as usize];
        let mut change = TipChange::default();
        for height in from + 1..=height + 1 {
            let time =
                camelid_core::primitives::Timestamp(params.genesis_time.0 + height * params.spacing_s + 1);
            let subsidy = params.subsidy_at(Height(height));
            let reward = idle_coinbase(Height(height), u64::from(time.0), vec![pay_to(MINER, subsidy)]);
            let block = mine_with(&params, parent, time, reward, &[]);
            parent = block.header.hash();
            if let Submission::Moved(moved) = self.workshop.submit(&block).unwrap() {
                change = moved;
            }
        }
        assert_eq!(change.invalid, []);
        self.rebase(&change);
        change
    }

    fn submit(&mut self, block: &Arc<camelid_core::block::Block>) -> TipChange {
        let Ok(Submission::Moved(change)) = self.workshop.submit(block) else {
            panic!("the tip does not move");
        };
        assert_eq!(change.invalid, []);
        self.rebase(&change);
        change
    }

    fn rebase(&mut self, change: &TipChange) {
        let (ledger, time) = (self.workshop.chain.ledger(), self.workshop.next_time());
        self.pool.rebase(change, ledger, time, &self.verifier);
    }

    /// The template as a block that claims all fees; it must be valid and within all limits. Returns
    /// its fees.
    pub fn check_template(&self) -> u64 {
        let ledger = self.workshop.ledger();
        let time = self.workshop.next_time();
        let (chosen, fees) = self.pool.select(ledger, ledger.next_moment(time));
        let transactions: Vec<_> = chosen.iter().map(|entry| (**entry).clone()).collect();
        let params = &self.workshop.params;
        let height = self.workshop.chain.height().plus(1);
        let reward = params.subsidy_at(height).checked_add(fees).unwrap();
        let block = mine(ledger, time, reward, &transactions);
        assert_eq!(camelid_core::chain::check_block(&block, params), Ok(()));
        connect_block(ledger, &block, &self.verifier).unwrap();
        fees.units()
    }
}

/// Pays all of `funds` but a fee of `rate` units per byte, in equal parts, to `owners`.
pub fn pay(genesis: &BlockHash, funds: &[Fund], owners: &[u8], rate: u64) -> Transaction {
    let total: u64 = funds.iter().map(|fund| fund.output.value.units()).sum();
    let build = |fee: u64| {
        let left = total.saturating_sub(fee);
        let share = left / owners.len() as u64;
        let outputs = owners.iter().enumerate().map(|(index, owner)| {
            let rest = if index == 0 { left % owners.len() as u64 } else { 0 };
            pay_to(*owner, units(share + rest))
        });
        payment(genesis, funds, outputs.collect())
    };
    build(rate * build(0).size() as u64)
}

/// [`pay`] from one coin to its owner.
pub fn pay_self(world: &World, fund: &Fund, rate: u64) -> Transaction {
    pay(&world.genesis(), std::slice::from_ref(fund), &[fund.owner], rate)
}

/// A chain of `length` payments, each of which spends the one before.
pub fn chain_of(world: &World, fund: &Fund, length: usize, rate: u64) -> Vec<Transaction> {
    let mut chain: Vec<Transaction> = Vec::new();
    for _ in 0..length {
        let fund = chain
            .last()
            .map_or(fund.clone(), |last| fund_of(last, 0, fund.owner));
        chain.push(pay_self(world, &fund, rate));
    }
    chain
}

pub fn rate_of(world: &World, transaction: &Transaction) -> FeeRate {
    FeeRate::of(world.fee(transaction), transaction.size())
}

/// `transaction` with another input sequence, signed again by `owner` of its only input.
pub fn with_sequence(world: &World, fund: &Fund, transaction: &Transaction, sequence: u32) -> Transaction {
    assert_ne!(sequence, NO_EXPIRY);
    let mut other = transaction.clone();
    other.inputs.as_mut_slice()[0].sequence = sequence;
    sign(&world.genesis(), other, std::slice::from_ref(fund))
}
