//! A small workshop for tests of the ledger: keys, coins, jobs and mined blocks on the simulator's
//! network, all made through public interfaces.

// Each test binary uses its own part of the workshop.
#![allow(dead_code)]

pub mod network;
pub mod stored;

use camelid_core::block::{Block, BlockHeader, coinbase, genesis_block};
use camelid_core::chain::{AppliedBody, Chain, Delta, Ledger, Submission, SubmitError, connect_block};
use camelid_core::dispute::BadDelivery;
use camelid_core::job::{Opening, SignedDelivery, Terms, prompt_hash};
use camelid_core::keys::{DecryptionProof, EcdsaVerifier, SealContext, SecretKey, seal};
use camelid_core::model::{Finish, Manifest, NumericsProfile, Sampling, TokenId, Tokens};
use camelid_core::params::{Allocation, Params};
use camelid_core::primitives::{
    Amount, BlockHash, BoundedVec, COIN, Hash256, Height, JobId, Time, Timestamp, encode,
};
use camelid_core::rastic::Spec;
use camelid_core::script::{Script, ScriptBuilder, key_hash_script, key_hash_script_sig};
use camelid_core::tx::{
    Action, ActionKind, ClaimKind, Lock, NO_EXPIRY, OutPoint, Transaction, TxIn, TxOut, signature_hash,
};
use std::sync::Arc;

/// The client's key in most tests.
pub const CLIENT: u8 = 1;
/// The compute node's key in most tests.
pub const NODE: u8 = 2;
/// Whoever else is needed.
pub const STRANGER: u8 = 3;
/// Who is paid for blocks.
pub const MINER: u8 = 9;
/// Coins that each of the first four keys has from the start, 100 coins each.
pub const COINS_PER_KEY: u32 = 6;

pub fn units(units: u64) -> Amount {
    Amount::from_units(units).unwrap()
}

pub fn coins(coins: u64) -> Amount {
    Amount::from_coins(coins).unwrap()
}

pub fn secret(index: u8) -> SecretKey {
    SecretKey::from_bytes([index; 32]).unwrap()
}

pub fn script_of(owner: u8) -> Script {
    key_hash_script(&secret(owner).public_key().key_hash().0)
}

pub fn pay_to(owner: u8, amount: Amount) -> TxOut {
    TxOut::to_script(amount, script_of(owner))
}

/// The simulator's network with coins for keys 1 to 4.
pub fn network() -> Arc<Params> {
    let allocations = (1..=4u8)
        .flat_map(|owner| (0..COINS_PER_KEY).map(move |_| owner))
        .map(|owner| Allocation {
            script: script_of(owner),
            amount: coins(100),
        })
        .collect();
    Arc::new(Params {
        allocations: BoundedVec::from_vec(allocations).unwrap(),
        ..Params::simnet()
    })
}

/// A chain of `params` with only its genesis block.
pub fn new_chain(params: &Arc<Params>, map_seed: u64) -> Chain {
    Chain::new(params.clone(), Arc::new(EcdsaVerifier), map_seed)
}

/// A coin and who can spend it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fund {
    pub outpoint: OutPoint,
    pub output: TxOut,
    pub owner: u8,
}

/// Coin `index` of `owner` in the genesis block.
pub fn genesis_fund(params: &Params, owner: u8, index: u32) -> Fund {
    let coinbase = genesis_block(params).transactions[0].clone();
    fund_of(&coinbase, u32::from(owner - 1) * COINS_PER_KEY + index, owner)
}

/// Output `index` of `transaction`, which `owner` can spend.
pub fn fund_of(transaction: &Transaction, index: u32, owner: u8) -> Fund {
    Fund {
        outpoint: OutPoint {
            txid: transaction.txid(),
            index,
        },
        output: transaction.outputs[index as usize].clone(),
        owner,
    }
}

/// A transaction without signatures.
pub fn unsigned(funds: &[Fund], outputs: Vec<TxOut>, act: Option<(JobId, Action)>) -> Transaction {
    let inputs = funds
        .iter()
        .map(|fund| TxIn {
            previous: fund.outpoint,
            script_sig: Script::empty(),
            sequence: NO_EXPIRY,
        })
        .collect();
    let (job_id, action) = act.unzip();
    Transaction {
        version: if action.is_some() { 2 } else { 1 },
        inputs: BoundedVec::from_vec(inputs).unwrap(),
        outputs: BoundedVec::from_vec(outputs).unwrap(),
        lock_time: 0,
        job_id,
        action,
    }
}

/// Signs each input with the key of its owner: a key hash, or an escrow.
pub fn sign(genesis: &BlockHash, mut transaction: Transaction, funds: &[Fund]) -> Transaction {
    let txid = transaction.txid();
    for (index, fund) in (0u32..).zip(funds) {
        let key = secret(fund.owner);
        let signature = key.sign(&signature_hash(genesis, &txid, index, &fund.output));
        let script_sig = match fund.output.lock {
            Lock::Script(_) => key_hash_script_sig(&signature.0, key.public_key().as_bytes()),
            _ => ScriptBuilder::new().push(&signature.0).build().unwrap(),
        };
        transaction.inputs.as_mut_slice()[index as usize].script_sig = script_sig;
    }
    transaction
}

/// A signed payment of `amounts` from `funds`; what is left is the fee.
pub fn payment(genesis: &BlockHash, funds: &[Fund], outputs: Vec<TxOut>) -> Transaction {
    sign(genesis, unsigned(funds, outputs, None), funds)
}

// --- Blocks ---

/// The next block on `ledger` with a solved header. `claimed` is what its coinbase pays. Where the
/// transactions are invalid, the coinbase commits to no records.
pub fn mine(ledger: &Ledger, time: Timestamp, claimed: Amount, transactions: &[Transaction]) -> Arc<Block> {
    let outputs = match claimed.is_zero() {
        true => Vec::new(),
        false => vec![pay_to(MINER, claimed)],
    };
    let body = AppliedBody::new(ledger, time, transactions, &EcdsaVerifier);
    let root = body.map_or_else(|_| no_records(), |body| body.records_root());
    let height = ledger.next_moment(time).height;
    let reward = coinbase(height, 0, &root, outputs).unwrap();
    mine_with(ledger.params(), ledger.tip(), time, reward, transactions)
}

/// What the coinbase of a block commits to that changes no job.
pub fn no_records() -> Hash256 {
    Delta::default().records_root()
}

/// The coinbase of a block that changes no job.
pub fn idle_coinbase(height: Height, extra_nonce: u64, outputs: Vec<TxOut>) -> Transaction {
    coinbase(height, extra_nonce, &no_records(), outputs).unwrap()
}

/// A block with any coinbase.
pub fn mine_with(
    params: &Params,
    parent: BlockHash,
    time: Timestamp,
    coinbase: Transaction,
    transactions: &[Transaction],
) -> Arc<Block> {
    let transactions = [coinbase].into_iter().chain(transactions.iter().cloned());
    let mut block = Block {
        header: BlockHeader {
            version: 1,
            previous: parent,
            merkle_root: Hash256([0; 32]),
            time,
            bits: params.genesis_bits,
            nonce: 0,
        },
        transactions: BoundedVec::from_vec(transactions.collect()).unwrap(),
    };
    block.header.merkle_root = block.merkle_root();
    solve(&mut block.header);
    Arc::new(block)
}

/// Finds the nonce.
pub fn solve(header: &mut BlockHeader) {
    while header.check_work().is_err() {
        header.nonce += 1;
    }
}

/// A time at which no header of these tests is too far ahead.
pub const LATE: Time = Time(u32::MAX as u64 * 1000);

/// A chain that grows by one block a minute.
pub struct Workshop {
    pub params: Arc<Params>,
    pub chain: Chain,
}

impl Workshop {
    pub fn new(map_seed: u64) -> Self {
        let params = network();
        Self {
            chain: new_chain(&params, map_seed),
            params,
        }
    }

    pub fn ledger(&self) -> &Ledger {
        self.chain.ledger()
    }

    pub fn genesis(&self) -> BlockHash {
        *self.ledger().genesis()
    }

    pub fn fund(&self, owner: u8, index: u32) -> Fund {
        genesis_fund(&self.params, owner, index)
    }

    /// Header time of the next block: a minute for each block.
    pub fn next_time(&self) -> Timestamp {
        let minutes = (self.chain.height().0 + 1) * self.params.spacing_s;
        Timestamp(self.params.genesis_time.0 + minutes)
    }

    /// The next block with these transactions, claiming only the subsidy.
    pub fn block(&self, transactions: &[Transaction]) -> Arc<Block> {
        let subsidy = self.params.subsidy_at(self.chain.height().plus(1));
        mine(self.ledger(), self.next_time(), subsidy, transactions)
    }

    pub fn submit(&mut self, block: &Arc<Block>) -> Result<Submission, SubmitError> {
        self.chain.submit_block(block.clone(), LATE)
    }

    /// Mines a block with these transactions, which must be valid.
    pub fn extend(&mut self, transactions: &[Transaction]) -> Arc<Block> {
        let block = self.block(transactions);
        let before = self.chain.height();
        match self.submit(&block).unwrap() {
            Submission::Moved(change) => assert_eq!(change.invalid, []),
            other => panic!("the tip did not move: {other:?}"),
        }
        assert_eq!(self.chain.height(), before.plus(1));
        block
    }

    pub fn extend_by(&mut self, blocks: u32) {
        for _ in 0..blocks {
            self.extend(&[]);
        }
    }

    /// Why a block with these transactions is refused; the tip must stay where it is.
    pub fn refusal(&mut self, transactions: &[Transaction]) -> String {
        let block = self.block(transactions);
        self.refusal_of(&block)
    }

    /// Why transactions are refused in the next block, if they are; nothing is mined.
    pub fn refusal_or_none(&self, transactions: &[Transaction]) -> Option<String> {
        let block = self.block(transactions);
        let connected = connect_block(self.ledger(), &block, &EcdsaVerifier);
        connected.err().map(|error| error.to_string())
    }

    /// Why `block` is refused; the tip must stay where it is.
    pub fn refusal_of(&mut self, block: &Arc<Block>) -> String {
        let (tip, digest) = (self.chain.tip(), self.ledger().digest());
        let reason = match self.submit(block) {
            Err(error) => error.to_string(),
            Ok(Submission::Moved(change)) => match &change.invalid[..] {
                [(hash, error)] => {
                    assert_eq!(*hash, block.header.hash());
                    error.to_string()
                }
                other => panic!("accepted: {other:?}"),
            },
            Ok(other) => panic!("neither accepted nor refused: {other:?}"),
        };
        assert_eq!((self.chain.tip(), self.ledger().digest()), (tip, digest));
        reason
    }

    /// Mines until the job's record may be settled in the next block.
    pub fn extend_until_settleable(&mut self, job: &JobId) {
        loop {
            let record = self.ledger().job(job).expect("the job is on the ledger");
            let ledger = self.ledger();
            if record
                .at(&ledger.clock(ledger.next_moment(self.next_time())))
                .stage
                .settles()
            {
                return;
            }
            self.extend(&[]);
        }
    }
}

/// Coins, fund and ashes add up to what was issued.
pub fn assert_conserved(ledger: &Ledger) {
    let totals = ledger.totals();
    let outside = u128::from(totals.audit_fund.units()) + u128::from(totals.burned.units());
    assert_eq!(ledger.coin_sum() + outside, u128::from(totals.issued.units()));
}

// --- Jobs ---

/// The end token of the model in these tests.
pub const END: TokenId = 0;

pub fn manifest() -> Manifest {
    Manifest {
        chunk_root: Hash256([7; 32]),
        chunks: 1,
        bytes: 1,
        tokenizer: Hash256([8; 32]),
        vocabulary: 64,
        end_tokens: BoundedVec::from_vec(vec![END]).unwrap(),
        context: 4096,
        profile: NumericsProfile::exact("test"),
        golden: Hash256([9; 32]),
    }
}

/// The key that the outputs of these tests are sealed to.
pub fn delivery_secret() -> SecretKey {
    secret(CLIENT).derive_key("test/delivery", &[])
}

/// Terms by [`CLIENT`] for a job that is opened at `height`: reward 1 coin, the least stake.
pub fn terms(params: &Params, height: Height) -> Terms {
    let reward = units(COIN);
    Terms {
        prompt_hash: prompt_hash(&[1; 32], &[5, 6]),
        seed: 1,
        sampling: Sampling::GREEDY,
        max_tokens: 8,
        model: manifest().id(),
        exact: true,
        spec: Spec::V2,
        samples: 0,
        deadline: height.plus(params.jobs.min_deadline),
        reward,
        audit_fee: params.jobs.audit_fee(reward, false),
        engage_fee: units(10_000),
        stake: params.jobs.min_stake(reward).unwrap(),
        client_key: secret(CLIENT).public_key(),
        delivery_key: delivery_secret().public_key(),
        refund: script_of(CLIENT),
        private: false,
        created: params.genesis_time,
        contact: secret(CLIENT).node_id(),
    }
}

/// An output that ends with the end token.
pub fn opening(output: &[TokenId]) -> Opening {
    Opening {
        finish: Finish::EndToken,
        output: Tokens::from_vec(output.to_vec()).unwrap(),
        salt: [4; 32],
    }
}

/// Spends `fund` into an escrow for `terms`; the rest goes back to the fund's owner.
pub fn open_job(genesis: &BlockHash, fund: &Fund, terms: &Terms) -> Transaction {
    let kind = ActionKind::OpenJob(Box::new(terms.clone()));
    let job = terms.job_id(genesis, &fund.outpoint);
    let escrow = TxOut {
        value: terms.escrow_value().unwrap(),
        lock: Lock::Escrow,
    };
    let change = fund.output.value.checked_sub(escrow.value).unwrap();
    let outputs = vec![escrow, pay_to(fund.owner, change)];
    let funds = std::slice::from_ref(fund);
    sign(
        genesis,
        unsigned(funds, outputs, Some((job, Action { seq: 0, kind }))),
        funds,
    )
}

/// What goes into an Engage.
pub struct Engaging {
    /// Escrow first, then the node's stake.
    pub funds: Vec<Fund>,
    pub outputs: Vec<TxOut>,
    pub job: JobId,
    pub action: Action,
}

/// The Engage of `node` with `opening` for the job that `open` opens, before it is signed.
pub fn engaging(genesis: &BlockHash, open: &Transaction, stake: &Fund, opening: &Opening) -> Engaging {
    let Some(ActionKind::OpenJob(terms)) = open.action.as_ref().map(|action| &action.kind) else {
        panic!("not an OpenJob");
    };
    let (job, node) = (open.job_id.unwrap(), secret(stake.owner));
    let payout = script_of(stake.owner);
    let kind = ActionKind::Engage {
        commitment: opening.commitment(genesis, &job, &node.public_key(), &payout),
        node_key: node.public_key(),
        payout,
    };
    let bond = TxOut {
        value: terms.bond_value().unwrap(),
        lock: Lock::Bond,
    };
    let change = stake.output.value.checked_sub(terms.stake).unwrap();
    Engaging {
        funds: vec![fund_of(open, 0, CLIENT), stake.clone()],
        outputs: vec![bond, pay_to(stake.owner, change)],
        job,
        action: Action { seq: 1, kind },
    }
}

impl Engaging {
    pub fn signed(&self, genesis: &BlockHash) -> Transaction {
        let act = Some((self.job, self.action.clone()));
        sign(
            genesis,
            unsigned(&self.funds, self.outputs.clone(), act),
            &self.funds,
        )
    }
}

/// An action without inputs.
pub fn bare(job: JobId, seq: u32, kind: ActionKind) -> Transaction {
    unsigned(&[], Vec::new(), Some((job, Action { seq, kind })))
}

/// A Withheld claim by [`CLIENT`] whose deposit comes from `fund`.
pub fn withheld(genesis: &BlockHash, job: JobId, seq: u32, deposit: Amount, fund: &Fund) -> Transaction {
    let kind = ActionKind::claim(
        ClaimKind::Withheld,
        genesis,
        (&job, seq),
        &fund.outpoint,
        &secret(CLIENT),
    );
    let output = TxOut {
        value: deposit,
        lock: Lock::Deposit,
    };
    let change = fund.output.value.checked_sub(deposit).unwrap();
    let funds = std::slice::from_ref(fund);
    let outputs = vec![output, pay_to(fund.owner, change)];
    sign(
        genesis,
        unsigned(funds, outputs, Some((job, Action { seq, kind }))),
        funds,
    )
}

/// The signed delivery of `plaintext` by `node` under `context`.
pub fn delivery(context: &SealContext, plaintext: &[u8], node: u8) -> SignedDelivery {
    let ephemeral = secret(node).derive_key("test/ephemeral", &encode(context));
    let sealed = seal(context, &ephemeral, plaintext).unwrap();
    SignedDelivery::sign(context, sealed.ephemeral, sealed.ciphertext, &secret(node)).unwrap()
}

/// Evidence against `delivery`, with the manifest.
pub fn evidence(context: &SealContext, delivery: &SignedDelivery) -> BadDelivery {
    BadDelivery {
        proof: DecryptionProof::create(
            context,
            &delivery_secret(),
            &delivery.ephemeral,
            &delivery.ciphertext_hash(),
        ),
        delivery: delivery.clone(),
        manifest: Some(Box::new(manifest())),
    }
}
