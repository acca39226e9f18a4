//! Two nodes that are fed the same blocks in different orders end equal.

use camelid_core::block::{Block, BlockHeader, coinbase, genesis_block, required_bits};
use camelid_core::chain::{Chain, Delta, Submission};
use camelid_core::keys::{PublicKey, SecretKey, SignatureCheck, Verifier};
use camelid_core::params::{Allocation, Params};
use camelid_core::primitives::{Amount, BlockHash, BoundedVec, Hash256, Height, Time, Timestamp, sha256};
use camelid_core::script::{Script, key_hash_script, key_hash_script_sig};
use camelid_core::tx::{NO_EXPIRY, OutPoint, Transaction, TxIn, TxOut, signature_hash};
use std::sync::{Arc, LazyLock};

/// Coins that exist from the start, all of one owner.
const COINS: u8 = 64;
/// Units of each.
const COIN_UNITS: u64 = 1_000_000;
/// Most blocks that an input makes.
const MOST_BLOCKS: usize = 40;
/// A time at which no header here is too far ahead.
const LATE: Time = Time(u32::MAX as u64 * 1_000);

/// What came of an input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// Blocks made.
    pub blocks: usize,
    /// Blocks that turned out to be invalid, in the first order.
    pub invalid: usize,
    /// Moves of the tip that took blocks back, in either order.
    pub reorganisations: usize,
    /// Height at the end.
    pub height: u32,
}

/// A signature here is a hash: checks must not be what takes the time.
struct Hashes;

impl Verifier for Hashes {
    fn verify(&self, check: &SignatureCheck) -> bool {
        check.signature.0 == hash_signature(&check.digest)
    }
}

fn hash_signature(digest: &Hash256) -> [u8; 64] {
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(&sha256(&digest.0).0);
    signature
}

/// Owns all coins. Its points are computed once and not for each output.
static OWNER: LazyLock<PublicKey> = LazyLock::new(|| {
    let key = SecretKey::from_bytes([1; 32]).expect("a small number is a key");
    key.public_key()
});
static NETWORK: LazyLock<Arc<Params>> = LazyLock::new(|| Arc::new(network()));

fn pay(units: u64) -> TxOut {
    let amount = Amount::from_units(units).expect("few units");
    TxOut::to_script(amount, key_hash_script(&OWNER.key_hash().0))
}

fn network() -> Params {
    let allocations = (0..COINS).map(|_| Allocation {
        script: key_hash_script(&OWNER.key_hash().0),
        amount: pay(COIN_UNITS).value,
    });
    Params {
        allocations: BoundedVec::from_vec(allocations.collect()).expect("few allocations"),
        maturity: 2,
        ..Params::simnet()
    }
}

/// A block of the tree, and where it stands.
struct Grown {
    block: Arc<Block>,
    height: u32,
}

/// Builds a tree of blocks from the first half of `data`, three bytes a block (parent, kind, detail),
/// and feeds it to two chains: in the order of growth, and in one that the second half gives.
///
/// Headers come first, as between nodes; then one more block decides between equals.
pub fn branches(data: &[u8]) -> Told {
    let params = Arc::clone(&NETWORK);
    let (growth, order) = data.split_at(data.len() / 2);
    let tree = grow(&params, growth);
    let mut told = Told {
        blocks: tree.len(),
        ..Told::default()
    };
    let bodies: Vec<&Arc<Block>> = tree.iter().map(|grown| &grown.block).collect();
    let mut first = new_chain(&params, &tree, 1);
    told.invalid = feed(&mut first, &bodies, &mut told.reorganisations);
    let mut second = new_chain(&params, &tree, 2);
    feed(&mut second, &shuffled(&bodies, order), &mut told.reorganisations);

    // Among equals the first seen wins, so the two may differ until somebody finds a block.
    let decisive = next_block(&params, &first);
    for chain in [&mut first, &mut second] {
        feed(chain, &[&decisive], &mut told.reorganisations);
    }
    assert_eq!(first.tip(), decisive.header.hash());
    assert_eq!(second.tip(), first.tip());
    assert_eq!(second.ledger().digest(), first.ledger().digest());
    let totals = first.ledger().totals();
    let outside = u128::from(totals.audit_fund.units()) + u128::from(totals.burned.units());
    assert_eq!(
        first.ledger().coin_sum() + outside,
        u128::from(totals.issued.units())
    );
    told.height = first.height().0;
    told
}

fn new_chain(params: &Arc<Params>, tree: &[Grown], map_seed: u64) -> Chain {
    let mut chain = Chain::new(params.clone(), Arc::new(Hashes), map_seed);
    for grown in tree {
        let known = chain.submit_header(&grown.block.header, LATE);
        assert!(known.is_ok(), "{known:?}");
    }
    chain
}

/// Submits the bodies; returns how many were found to be invalid.
fn feed(chain: &mut Chain, bodies: &[&Arc<Block>], reorganisations: &mut usize) -> usize {
    let mut invalid = 0;
    for block in bodies {
        match chain.submit_block((*block).clone(), LATE) {
            Ok(Submission::Moved(change)) => {
                invalid += change.invalid.len();
                *reorganisations += usize::from(!change.disconnected.is_empty());
            }
            Ok(Submission::Known | Submission::Stored) => {}
            // The block, or one below it, is known to be invalid.
            Err(_) => invalid += 1,
        }
    }
    invalid
}

/// Each byte of `order` puts the next of the rest in line.
fn shuffled<'a>(bodies: &[&'a Arc<Block>], order: &[u8]) -> Vec<&'a Arc<Block>> {
    let mut rest = bodies.to_vec();
    let mut line = Vec::new();
    for byte in order {
        if !rest.is_empty() {
            line.push(rest.remove(usize::from(*byte) % rest.len()));
        }
    }
    rest.reverse();
    line.extend(rest);
    line
}

fn grow(params: &Params, growth: &[u8]) -> Vec<Grown> {
    let genesis = genesis_block(params);
    let mut tree: Vec<Grown> = Vec::new();
    for (number, step) in growth.chunks_exact(3).take(MOST_BLOCKS).enumerate() {
        // Mostly the last block, sometimes one of the three before it.
        let back = usize::from(step[0] % 8).saturating_sub(4);
        let parent = tree.len().checked_sub(1 + back).map(|index| &tree[index]);
        let (header, height) = parent.map_or((&genesis.header, 0), |parent| {
            (&parent.block.header, parent.height)
        });
        let block = block(
            params,
            &genesis,
            header,
            height + 1,
            (number as u64, step[1], step[2]),
        );
        tree.push(Grown {
            block: Arc::new(block),
            height: height + 1,
        });
    }
    tree
}

/// A block whose transactions are of one of a few kinds, some of them invalid.
fn block(
    params: &Params,
    genesis: &Block,
    parent: &BlockHeader,
    height: u32,
    (number, kind, detail): (u64, u8, u8),
) -> Block {
    let coin = u32::from(detail % COINS);
    let spend = |outputs: Vec<TxOut>| spend(genesis, coin, outputs);
    let half = COIN_UNITS / 2;
    let (claimed, transactions) = match kind % 16 {
        0..=2 => (0, vec![]),
        3 => (params.subsidy.units(), vec![]),
        4..=6 => (0, vec![spend(vec![pay(COIN_UNITS)])]),
        7..=9 => (0, vec![spend(vec![pay(half), pay(u64::from(detail))])]),
        // A child of the same block.
        10..=12 => {
            let parent = spend(vec![pay(half)]);
            let child = spend_output(genesis, &parent, 0, vec![pay(half - 1)]);
            (0, vec![parent, child])
        }
        // Invalid: twice, too much, and a coinbase that claims too much.
        13 => (0, vec![spend(vec![pay(1)]), spend(vec![pay(2)])]),
        14 => (0, vec![spend(vec![pay(COIN_UNITS + 1)])]),
        _ => (params.subsidy.units() + 1, vec![]),
    };
    let time = Timestamp(params.genesis_time.0 + height * params.spacing_s + u32::from(detail % 16));
    mined(
        params,
        parent,
        (Height(height), time, number),
        claimed,
        transactions,
    )
}

fn next_block(params: &Params, chain: &Chain) -> Arc<Block> {
    let tip = chain
        .headers()
        .header(&chain.tip())
        .expect("the tip has a header");
    let height = chain.height().plus(1);
    let time = Timestamp(params.genesis_time.0 + height.0 * params.spacing_s + 100);
    Arc::new(mined(params, tip, (height, time, u64::MAX), 0, vec![]))
}

fn mined(
    params: &Params,
    parent: &BlockHeader,
    (height, time, extra_nonce): (Height, Timestamp, u64),
    claimed: u64,
    transactions: Vec<Transaction>,
) -> Block {
    let outputs = if claimed == 0 { vec![] } else { vec![pay(claimed)] };
    let reward =
        coinbase(height, extra_nonce, &Delta::default().records_root(), outputs).expect("one output fits");
    let transactions = [reward].into_iter().chain(transactions).collect();
    let mut block = Block {
        header: BlockHeader {
            version: 1,
            previous: parent.hash(),
            merkle_root: Hash256([0; 32]),
            time,
            bits: required_bits(params, parent, Height(height.0 - 1)),
            nonce: 0,
        },
        transactions: BoundedVec::from_vec(transactions).expect("few transactions"),
    };
    block.header.merkle_root = block.merkle_root();
    while block.header.check_work().is_err() {
        block.header.nonce += 1;
    }
    block
}

/// Spends one of the coins that exist from the start.
fn spend(genesis: &Block, coin: u32, outputs: Vec<TxOut>) -> Transaction {
    spend_output(genesis, &genesis.transactions[0], coin, outputs)
}

fn spend_output(genesis: &Block, parent: &Transaction, index: u32, outputs: Vec<TxOut>) -> Transaction {
    let input = TxIn {
        previous: OutPoint {
            txid: parent.txid(),
            index,
        },
        script_sig: Script::empty(),
        sequence: NO_EXPIRY,
    };
    let mut transaction = Transaction {
        version: 1,
        inputs: BoundedVec::from_vec(vec![input]).expect("one input"),
        outputs: BoundedVec::from_vec(outputs).expect("few outputs"),
        lock_time: 0,
        job_id: None,
        action: None,
    };
    let hash: BlockHash = genesis.header.hash();
    let spent = &parent.outputs[index as usize];
    let digest = signature_hash(&hash, &transaction.txid(), 0, spent);
    let script_sig = key_hash_script_sig(&hash_signature(&digest), OWNER.as_bytes());
    transaction.inputs.as_mut_slice()[0].script_sig = script_sig;
    transaction
}
