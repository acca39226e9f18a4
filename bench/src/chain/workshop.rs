//! A chain with many coins, and payments that spend them.

use camelid_core::block::{Block, BlockHeader, coinbase, genesis_block, required_bits};
use camelid_core::chain::{Chain, Delta, Submission};
use camelid_core::keys::{SecretKey, SharedVerifier};
use camelid_core::params::{Allocation, Params};
use camelid_core::primitives::{Amount, BoundedVec, COIN, Hash256, Time, Timestamp};
use camelid_core::script::{Script, key_hash_script, key_hash_script_sig};
use camelid_core::tx::{NO_EXPIRY, OutPoint, Transaction, TxIn, TxOut, signature_hash};
use std::sync::Arc;

/// What each coin is worth, in units.
const COIN_VALUE: u64 = 100 * COIN;

/// A network on which one key has `coins` coins.
pub(crate) struct Workshop {
    pub(crate) params: Arc<Params>,
    key: SecretKey,
    script: Script,
    coins: u32,
}

impl Workshop {
    pub(crate) fn new(coins: u32) -> Self {
        let key = SecretKey::from_bytes([7; 32]).expect("a small number is a key");
        let script = key_hash_script(&key.public_key().key_hash().0);
        let allocation = Allocation {
            script: script.clone(),
            amount: amount(COIN_VALUE),
        };
        let allocations = vec![allocation; usize::try_from(coins).expect("few coins")];
        Self {
            params: Arc::new(Params {
                allocations: BoundedVec::from_vec(allocations).expect("at most 4,096 coins"),
                ..Params::simnet()
            }),
            key,
            script,
            coins,
        }
    }

    pub(crate) fn chain(&self, verifier: SharedVerifier) -> Chain {
        Chain::new(self.params.clone(), verifier, 1)
    }

    /// Payments of two coins each to two outputs.
    pub(crate) fn payments(&self, outputs: u32) -> Vec<Transaction> {
        let pairs = (0..self.coins / 2).map(|pair| [2 * pair, 2 * pair + 1]);
        pairs.map(|pair| self.pay(&pair, outputs)).collect()
    }

    /// Spends coins of the genesis block into equal outputs, and a fee of one unit for each.
    pub(crate) fn pay(&self, coins: &[u32], outputs: u32) -> Transaction {
        let txid = genesis_block(&self.params).transactions[0].txid();
        let coins = coins.iter().map(|index| OutPoint { txid, index: *index });
        let coins: Vec<OutPoint> = coins.collect();
        self.spend(&coins, COIN_VALUE, (outputs, 1))
    }

    /// Payments of a coin of the genesis block, each to the next one, with a fee of 1,000 units.
    pub(crate) fn chain_of(&self, coin: u32, length: u32) -> Vec<Transaction> {
        let mut txid = genesis_block(&self.params).transactions[0].txid();
        let mut payments = Vec::new();
        for (number, index) in (0..u64::from(length)).zip([coin].into_iter().chain(std::iter::repeat(0))) {
            let payment = self.spend(
                &[OutPoint { txid, index }],
                COIN_VALUE - 1_000 * number,
                (1, 1_000),
            );
            txid = payment.txid();
            payments.push(payment);
        }
        payments
    }

    /// Spends coins of `value` each into `outputs` equal outputs with a fee for each.
    fn spend(&self, coins: &[OutPoint], value: u64, (outputs, fee): (u32, u64)) -> Transaction {
        let share = value * coins.len() as u64 / u64::from(outputs) - fee;
        let output = TxOut::to_script(amount(share), self.script.clone());
        let inputs = coins.iter().map(|outpoint| TxIn {
            previous: *outpoint,
            script_sig: Script::empty(),
            sequence: NO_EXPIRY,
        });
        let mut transaction = Transaction {
            version: 1,
            inputs: BoundedVec::from_vec(inputs.collect()).expect("few inputs"),
            outputs: BoundedVec::from_vec((0..outputs).map(|_| output.clone()).collect())
                .expect("few outputs"),
            lock_time: 0,
            job_id: None,
            action: None,
        };
        let spent = TxOut::to_script(amount(value), self.script.clone());
        let hash = genesis_block(&self.params).header.hash();
        let txid = transaction.txid();
        for (index, input) in (0..).zip(transaction.inputs.as_mut_slice()) {
            let signature = self.key.sign(&signature_hash(&hash, &txid, index, &spent));
            input.script_sig = key_hash_script_sig(&signature.0, self.key.public_key().as_bytes());
        }
        transaction
    }

    /// The next block of `chain`, solved; it claims no more than the subsidy.
    pub(crate) fn block(&self, chain: &Chain, transactions: Vec<Transaction>) -> Block {
        let height = chain.height().plus(1);
        let reward = TxOut::to_script(self.params.subsidy_at(height), self.script.clone());
        let coinbase =
            coinbase(height, 0, &Delta::default().records_root(), vec![reward]).expect("one output");
        let parent = chain.headers().header(&chain.tip()).expect("the tip");
        let all = [coinbase].into_iter().chain(transactions).collect();
        let mut block = Block {
            header: BlockHeader {
                version: 1,
                previous: chain.tip(),
                merkle_root: Hash256([0; 32]),
                time: Timestamp(parent.time.0 + self.params.spacing_s),
                bits: required_bits(&self.params, parent, chain.height()),
                nonce: 0,
            },
            transactions: BoundedVec::from_vec(all).expect("at most 16,384 transactions"),
        };
        block.header.merkle_root = block.merkle_root();
        while block.header.check_work().is_err() {
            block.header.nonce += 1;
        }
        block
    }

    /// Extends `chain` by a block with these transactions.
    pub(crate) fn extend(&self, chain: &mut Chain, transactions: Vec<Transaction>) {
        let block = Arc::new(self.block(chain, transactions));
        match chain.submit_block(block, Time(u64::MAX)) {
            Ok(Submission::Moved(change)) => assert_eq!(change.invalid, []),
            other => panic!("the tip does not move: {other:?}"),
        }
    }
}

fn amount(units: u64) -> Amount {
    Amount::from_units(units).expect("fewer units than there are")
}
