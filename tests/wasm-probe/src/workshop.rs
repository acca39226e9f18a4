//! Keys, coins and mined blocks on the simulator's network, for the modules that need a ledger.

use camelid_core::block::{Block, BlockHeader, coinbase, genesis_block, required_bits};
use camelid_core::chain::{AppliedBody, Chain, Submission};
use camelid_core::escrow::Standing;
use camelid_core::keys::{EcdsaVerifier, SecretKey};
use camelid_core::params::{Allocation, CommitteeParams, Params};
use camelid_core::primitives::{Amount, BlockHash, BoundedVec, Hash256, Height, JobId, Time, Timestamp};
use camelid_core::script::{Script, ScriptBuilder, key_hash_script, key_hash_script_sig};
use camelid_core::tx::{Action, Lock, NO_EXPIRY, OutPoint, Transaction, TxIn, TxOut, signature_hash};
use core::hint::black_box;
use std::sync::Arc;

/// Pays for the job.
pub const CLIENT: u8 = 1;
/// Works on it.
pub const WORKER: u8 = 2;
/// The first of the [`VERIFIERS`], who come one after the other.
pub const VERIFIER: u8 = 3;
/// How many verifiers there are.
pub const VERIFIERS: u8 = 10;
/// Is paid for blocks.
pub const MINER: u8 = 50;
/// A time at which no header here is too far ahead.
pub const LATE: Time = Time(4_000_000_000_000);

/// The key called `owner`.
pub fn key(owner: u8) -> SecretKey {
    SecretKey::from_bytes(black_box([owner; 32])).expect("a small number is a key")
}

/// Pays to the key called `owner`.
pub fn script_of(owner: u8) -> Script {
    key_hash_script(&key(owner).node_id().0)
}

/// An amount in units.
pub fn units(units: u64) -> Amount {
    Amount::from_units(black_box(units)).expect("fewer units than there are")
}

/// The simulator's network, on which everybody has a coin of 100 coins and leaves quickly.
pub fn params() -> Arc<Params> {
    let allocations = (CLIENT..VERIFIER + VERIFIERS).map(|owner| Allocation {
        script: script_of(owner),
        amount: units(10_000_000_000),
    });
    let simnet = Params::simnet();
    Arc::new(Params {
        allocations: BoundedVec::from_vec(allocations.collect()).expect("a dozen allocations fit"),
        committee: CommitteeParams {
            unbonding: 50,
            ..simnet.committee
        },
        ..simnet
    })
}

/// An output and who can spend it.
#[derive(Clone)]
pub struct Coin {
    pub outpoint: OutPoint,
    pub output: TxOut,
    pub owner: u8,
}

/// Output `index` of `transaction`, which `owner` can spend.
pub fn coin_of(transaction: &Transaction, index: u32, owner: u8) -> Coin {
    Coin {
        outpoint: OutPoint {
            txid: transaction.txid(),
            index,
        },
        output: transaction.outputs[index as usize].clone(),
        owner,
    }
}

/// A transaction that spends `coins`, signed by their owners; the action may concern a job.
pub fn spend(
    genesis: &BlockHash,
    coins: &[Coin],
    outputs: Vec<TxOut>,
    act: Option<(Option<JobId>, Action)>,
) -> Transaction {
    let inputs = coins.iter().map(|coin| TxIn {
        previous: coin.outpoint,
        script_sig: Script::empty(),
        sequence: NO_EXPIRY,
    });
    let (job_id, action) = act.map_or((None, None), |(job, action)| (job, Some(action)));
    let mut transaction = Transaction {
        version: if action.is_some() { 2 } else { 1 },
        inputs: BoundedVec::from_vec(inputs.collect()).expect("few inputs"),
        outputs: BoundedVec::from_vec(outputs).expect("few outputs"),
        lock_time: 0,
        job_id,
        action,
    };
    let txid = transaction.txid();
    let inputs = transaction.inputs.as_mut_slice();
    for ((index, input), coin) in (0..).zip(inputs).zip(coins) {
        input.script_sig = script_sig(genesis, &txid, index, coin);
    }
    transaction
}

fn script_sig(genesis: &BlockHash, txid: &camelid_core::primitives::Txid, index: u32, coin: &Coin) -> Script {
    let owner = key(coin.owner);
    let signature = owner.sign(&signature_hash(genesis, txid, index, &coin.output));
    match coin.output.lock {
        Lock::Script(_) => key_hash_script_sig(&signature.0, owner.public_key().as_bytes()),
        _ => ScriptBuilder::new()
            .push(&signature.0)
            .build()
            .expect("one signature fits"),
    }
}

/// A payment of `coin` to `to`, less `fee` units.
pub fn pay(genesis: &BlockHash, coin: &Coin, to: u8, fee: u64) -> Transaction {
    let left = coin
        .output
        .value
        .checked_sub(units(fee))
        .expect("the coin is worth more");
    let outputs = vec![TxOut::to_script(left, script_of(to))];
    spend(genesis, std::slice::from_ref(coin), outputs, None)
}

/// A chain that grows by a block a minute.
pub struct Workshop {
    pub params: Arc<Params>,
    pub chain: Chain,
}

impl Workshop {
    pub fn new() -> Self {
        let params = params();
        let chain = Chain::new(params.clone(), Arc::new(EcdsaVerifier), black_box(5));
        Self { params, chain }
    }

    /// The genesis block's hash.
    pub fn genesis(&self) -> BlockHash {
        *self.chain.ledger().genesis()
    }

    /// The coin that `owner` has from the start.
    pub fn coin(&self, owner: u8) -> Coin {
        let block = genesis_block(&self.params);
        coin_of(&block.transactions[0], u32::from(owner - CLIENT), owner)
    }

    /// A mined block at `height` over `parent`; `extra_nonce` tells two of them apart. What it does to
    /// jobs it does over the tip.
    pub fn block(
        &self,
        parent: BlockHash,
        height: Height,
        extra_nonce: u64,
        transactions: &[Transaction],
    ) -> Arc<Block> {
        let reward = TxOut::to_script(self.params.subsidy_at(height), script_of(MINER));
        let ledger = self.chain.ledger();
        let body = AppliedBody::new(ledger, self.time_at(height), transactions, &EcdsaVerifier);
        let root = body.expect("valid transactions").records_root();
        let coinbase = coinbase(height, extra_nonce, &root, vec![reward]).expect("a coinbase fits");
        let transactions = [coinbase].into_iter().chain(transactions.iter().cloned());
        let parent_header = self.chain.headers().header(&parent).expect("a known parent");
        let mut block = Block {
            header: BlockHeader {
                version: 1,
                previous: parent,
                merkle_root: Hash256([0; 32]),
                time: self.time_at(height),
                bits: required_bits(&self.params, parent_header, height.minus(1)),
                nonce: 0,
            },
            transactions: BoundedVec::from_vec(transactions.collect()).expect("few transactions"),
        };
        block.header.merkle_root = block.merkle_root();
        while block.header.check_work().is_err() {
            block.header.nonce += 1;
        }
        Arc::new(block)
    }

    /// Header time of the block at `height`.
    pub fn time_at(&self, height: Height) -> Timestamp {
        Timestamp(self.params.genesis_time.0 + height.0 * self.params.spacing_s)
    }

    /// Mines a block with these transactions, which must be valid.
    pub fn extend(&mut self, transactions: &[Transaction]) {
        let height = self.chain.height().plus(1);
        let block = self.block(self.chain.tip(), height, 0, transactions);
        match self.chain.submit_block(block, LATE) {
            Ok(Submission::Moved(change)) => assert_eq!(change.invalid, []),
            other => panic!("the tip did not move: {other:?}"),
        }
    }

    /// Mines until the job may be settled in the next block.
    pub fn extend_until_settleable(&mut self, job: &JobId) {
        loop {
            if self.standing(job).stage.settles() {
                return;
            }
            self.extend(&[]);
        }
    }

    /// Where a job will stand in the next block.
    pub fn standing(&self, job: &JobId) -> Standing {
        let ledger = self.chain.ledger();
        let moment = ledger.next_moment(self.time_at(ledger.height().plus(1)));
        let record = ledger.job(job).expect("the job is on the ledger");
        record.at(&ledger.clock(black_box(moment)))
    }
}
