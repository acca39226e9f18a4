//! A node may crash between any two records, and comes back.

use super::forge::*;
use super::peer::*;
use super::support::*;
use camelid_core::block::{Block, Work, genesis_block};
use camelid_core::keys::{SignatureCheck, Verifier};
use camelid_core::node::{MemoryStore, Node, NodeConfig, Record, StorageConfig};
use camelid_core::primitives::{Height, decode, encode};
use proptest::prelude::*;
use std::sync::Arc;

/// Blocks of competing branches, with payments that conflict across them.
fn branches(forks: &[(usize, u32)]) -> Vec<Arc<Block>> {
    let params = network();
    let genesis = Forge::new(&params, 1).tip.hash();
    let mut ends = vec![Forge::new(&params, 1)];
    let mut blocks = Vec::new();
    for (number, (at, length)) in (2_u8..).zip(forks) {
        let mut forge = ends[at % ends.len()].clone();
        forge.miner = number;
        for index in 0..*length {
            let coin = genesis_fund(&params, CLIENT, (forge.height.0 + index) % COINS_PER_KEY);
            let pay = payment(
                &genesis,
                std::slice::from_ref(&coin),
                vec![pay_to(number, coins(99))],
            );
            let seconds = (forge.height.0 + 1) * 60;
            // Some coins are spent twice on a branch: such a block is invalid, and so are those above.
            let payments = if (u32::from(number) + index).is_multiple_of(3) {
                vec![pay]
            } else {
                vec![]
            };
            blocks.push(forge.block(seconds, &payments));
            ends.push(forge.clone());
        }
    }
    blocks
}

/// The records as a disk gives them back.
fn read_again(records: &[Record]) -> Vec<Record> {
    let again = records.iter().map(|record| {
        let bytes = encode(record);
        decode(&bytes, bytes.len()).unwrap()
    });
    again.collect()
}

fn recorded_blocks(records: &[Record]) -> usize {
    let is_block = |record: &&Record| matches!(record, Record::Block(_));
    records.iter().filter(is_block).count()
}

/// A peer of a node that goes on from its records.
type Recover = fn(&[Record]) -> Peer;

fn in_memory(records: &[Record]) -> Peer {
    let config = node_config(&network(), Work::default());
    Peer::with(Node::recover(config, records.iter().cloned()), &network(), LATE)
}

fn in_a_store(records: &[Record]) -> Peer {
    Peer::with_store(records, &network(), LATE)
}

/// A node that was fed `blocks`, and one for each place at which it may have crashed, fed the same again.
fn crash_everywhere(blocks: &[Arc<Block>]) {
    crash_and_recover(blocks, in_memory);
    crash_and_recover(blocks, in_a_store);
}

fn crash_and_recover(blocks: &[Arc<Block>], recover: Recover) {
    let params = network();
    let feed = |peer: &mut Peer| {
        for block in blocks {
            peer.send_headers(&[block.header]);
            peer.send_block(block);
        }
    };
    let mut steady = recover(&[]);
    feed(&mut steady);
    let (tip, digest) = (steady.node.chain().tip(), steady.node.chain().ledger().digest());
    for kept in 0..=steady.records.len() {
        let records = read_again(&steady.records[..kept]);
        let mut peer = recover(&records);
        let node = &peer.node;
        // What is recovered is a valid chain,
        assert_conserved(node.chain().ledger());
        let mut straight = new_chain(&params, 9);
        for hash in &node.chain().active()[1..] {
            straight
                .submit_block(node.chain().block(hash).unwrap().clone(), LATE)
                .unwrap();
        }
        assert_eq!(straight.ledger().digest(), node.chain().ledger().digest());
        // and catches up. Ties go to the first seen, which may have been another one before the crash; one
        // more block decides.
        feed(&mut peer);
        let work = |peer: &Peer, hash| peer.node.chain().headers().work(hash);
        assert_eq!(
            work(&peer, &peer.node.chain().tip()),
            work(&steady, &tip),
            "{kept} records kept"
        );
        let mut forge = Forge::new(&params, 99);
        (forge.tip, forge.height) = (
            *steady.node.chain().headers().header(&tip).unwrap(),
            steady.node.chain().height(),
        );
        let decider = forge.block((forge.height.0 + 1) * 60, &[]);
        let mut decided = new_chain(&params, 9);
        for hash in &steady.node.chain().active()[1..] {
            decided
                .submit_block(steady.node.chain().block(hash).unwrap().clone(), LATE)
                .unwrap();
        }
        assert_eq!(decided.ledger().digest(), digest);
        decided.submit_block(decider.clone(), LATE).unwrap();
        peer.send_block(&decider);
        assert_eq!(peer.node.chain().ledger().digest(), decided.ledger().digest());
    }
}

#[test]
fn a_crash_at_any_record_of_a_reorganisation() {
    // Three blocks, a branch that overtakes them, and the first ones again.
    let blocks = branches(&[(0, 3), (0, 5), (3, 4)]);
    crash_everywhere(&blocks);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn a_crash_at_any_record_of_any_history(
        forks in prop::collection::vec((any::<usize>(), 1_u32..5), 1..5),
    ) {
        crash_everywhere(&branches(&forks));
    }

    /// Bodies out of order: some wait for their parents when the node crashes.
    #[test]
    fn a_crash_while_blocks_wait_for_their_parents(
        blocks in Just(branches(&[(0, 4), (2, 4)])).prop_shuffle(),
    ) {
        let params = network();
        let in_order = branches(&[(0, 4), (2, 4)]);
        let mut steady = Peer::new(&params, Work::default(), LATE);
        let headers = |peer: &mut Peer| {
            for block in &in_order {
                peer.send_headers(&[block.header]);
            }
        };
        headers(&mut steady);
        for block in &blocks {
            steady.send_block(block);
        }
        for kept in 0..=steady.records.len() {
            let records = read_again(&steady.records[..kept]);
            let node = Node::recover(node_config(&params, Work::default()), records);
            let mut peer = Peer::with(node, &params, LATE);
            headers(&mut peer);
            for block in &blocks {
                peer.send_block(block);
            }
            let work = |peer: &Peer| peer.node.chain().headers().work(&peer.node.chain().tip());
            prop_assert_eq!(work(&peer), work(&steady), "{} records kept", kept);
            assert_conserved(peer.node.chain().ledger());
        }
    }
}

/// Most of a long chain is in the store alone, and all of it is shown.
#[test]
fn a_node_forgets_what_it_flushed_and_shows_it() {
    let params = network();
    let blocks = Forge::new(&params, 1).blocks(60);
    let mut peer = Peer::with_store(&[], &params, LATE);
    peer.send_chain(&blocks);
    let flushes = peer
        .records
        .iter()
        .filter(|record| matches!(record, Record::Flush(_)));
    assert!(flushes.count() >= 10);
    let genesis = genesis_block(&params);
    for block in std::iter::once(&genesis).chain(blocks.iter().map(|block| &**block)) {
        assert_eq!(
            peer.node.chain().block(&block.header.hash()).as_deref(),
            Some(block)
        );
    }
    let mut straight = new_chain(&params, 9);
    for block in &blocks {
        straight.submit_block(block.clone(), LATE).unwrap();
    }
    let (ledger, expected) = (peer.node.chain().ledger(), straight.ledger());
    assert_eq!(ledger.digest(), expected.digest());
    assert_eq!(ledger.coin_sum(), expected.coin_sum());
    assert_eq!(ledger.coin_count(), expected.coin_count());
    assert_eq!(ledger.balance(&script_of(1)), expected.balance(&script_of(1)));
}

/// A branch that forks below several flushes.
#[test]
fn a_reorganisation_goes_back_below_flushes() {
    let params = network();
    let mut forge = Forge::new(&params, 1);
    let shared = forge.blocks(5);
    let (one, mut other) = (forge.blocks(40), forge.clone());
    (other.tip, other.height, other.miner) = (shared[4].header, Height(5), 2);
    let two = other.blocks(41);
    let mut peer = Peer::with_store(&[], &params, LATE);
    peer.send_chain(&[shared.clone(), one].concat());
    peer.send_chain(&two);
    assert_eq!(peer.node.chain().tip(), two[40].header.hash());
    let restarted = Peer::with_store(&peer.records, &params, LATE);
    let mut straight = new_chain(&params, 9);
    for block in shared.iter().chain(&two) {
        straight.submit_block(block.clone(), LATE).unwrap();
    }
    for peer in [&peer, &restarted] {
        assert_eq!(peer.node.chain().ledger().digest(), straight.ledger().digest());
        assert_conserved(peer.node.chain().ledger());
    }
}

/// Own coins, spent ones as well, are known again after a restart from a flush.
#[test]
fn a_purse_remembers_what_it_was_flushed_with() {
    let params = network();
    let mut forge = Forge::new(&params, MINER);
    let spent = genesis_fund(&params, CLIENT, 0);
    let genesis = forge.tip.hash();
    let pay = payment(
        &genesis,
        std::slice::from_ref(&spent),
        vec![pay_to(STRANGER, coins(99))],
    );
    let mut blocks = vec![forge.block(60, &[pay])];
    blocks.extend(forge.blocks(30));
    let mut peer = Peer::with_store(&[], &params, LATE);
    peer.send_chain(&blocks);
    // A payment that is not flushed when the machine dies.
    let last = genesis_fund(&params, CLIENT, 1);
    let pay = payment(
        &genesis,
        std::slice::from_ref(&last),
        vec![pay_to(STRANGER, coins(99))],
    );
    peer.send_block(&forge.block(forge.next_date(), &[pay]));
    let restarted = Peer::with_store(&peer.records, &params, LATE);
    assert_eq!(restarted.node.balance(), peer.node.balance());
    for coin in [spent, last] {
        assert_eq!(restarted.node.own_coin(&coin.outpoint), Some(coins(100)));
    }
    let heights: Vec<u32> = peer.node.own_heights().iter().map(|height| height.0).collect();
    assert_eq!(heights, [0, 1, 32]);
    assert_eq!(restarted.node.own_heights(), peer.node.own_heights());
}

/// Whoever restores another wallet into a directory sees its coins.
#[test]
fn another_key_finds_its_coins_in_a_flushed_ledger() {
    let params = network();
    let mut peer = Peer::with_store(&[], &params, LATE);
    peer.send_chain(&Forge::new(&params, STRANGER).blocks(30));
    let mut store = MemoryStore::default();
    peer.records
        .iter()
        .for_each(|record| drop(store.take(record.clone())));
    let config = NodeConfig {
        key: secret(STRANGER),
        storage: Some(StorageConfig {
            store: Arc::new(store),
            cache_bytes: 0,
        }),
        ..node_config(&params, Work::default())
    };
    let stranger = Node::recover(config, []);
    assert!(stranger.chain().height() == Height(30));
    let balance = stranger.balance();
    let owned = u128::from(balance.spendable.units()) + u128::from(balance.immature.units());
    assert_eq!(owned, peer.node.chain().ledger().balance(&script_of(STRANGER)));
    assert_eq!(stranger.own_heights().len(), 31);
}

/// The tip moves by both blocks at once.
#[test]
fn a_coin_that_comes_and_goes_in_one_move_is_remembered() {
    let params = network();
    let mut forge = Forge::new(&params, MINER);
    let genesis = forge.tip.hash();
    let coin = genesis_fund(&params, STRANGER, 0);
    let income = payment(&genesis, &[coin], vec![pay_to(CLIENT, coins(99))]);
    let made = fund_of(&income, 0, CLIENT);
    let expense = payment(
        &genesis,
        std::slice::from_ref(&made),
        vec![pay_to(STRANGER, coins(98))],
    );
    let blocks = [forge.block(60, &[income]), forge.block(120, &[expense])];
    let mut peer = Peer::new(&params, Work::default(), LATE);
    peer.send_headers(&blocks.each_ref().map(|block| block.header));
    peer.send_block(&blocks[1]);
    assert_eq!(peer.node.chain().height(), Height(0));
    peer.send_block(&blocks[0]);
    assert_eq!(peer.node.chain().height(), Height(2));
    assert_eq!(peer.node.own_coin(&made.outpoint), Some(coins(99)));
    let heights: Vec<u32> = peer.node.own_heights().iter().map(|height| height.0).collect();
    assert_eq!(heights, [0, 1, 2]);
}

/// Blocks without deltas, as an older schema leaves them: what they change need not fit into memory.
#[test]
fn blocks_that_are_checked_anew_are_flushed_on_the_way() {
    let params = network();
    let blocks = Forge::new(&params, 1).blocks(60);
    let records: Vec<_> = blocks.iter().cloned().map(Record::Block).collect();
    // The constructor's node has started, and has been told of each flush.
    let peer = Peer::with_store(&records, &params, LATE);
    assert_eq!(peer.node.chain().tip(), blocks[59].header.hash());
    let flushes = peer.records.iter().filter_map(|record| match record {
        Record::Flush(flush) => Some(flush.coins.len()),
        _ => None,
    });
    let flushed: Vec<usize> = flushes.collect();
    assert!(
        flushed.len() >= 10 && flushed.iter().all(|coins| *coins < 40),
        "{flushed:?}"
    );
    let connected = peer
        .records
        .iter()
        .filter(|record| matches!(record, Record::Connected(_)));
    assert_eq!(connected.count(), 60);
    let again = Peer::with_store(&[records, peer.records].concat(), &params, LATE);
    assert_eq!(
        again.node.chain().ledger().digest(),
        peer.node.chain().ledger().digest()
    );
}

struct RefusesAll;

impl Verifier for RefusesAll {
    fn verify(&self, _: &SignatureCheck) -> bool {
        false
    }
}

/// A node that was fed a branch with payments and another one that overtakes it.
fn reorganised() -> Peer {
    let mut peer = Peer::new(&network(), Work::default(), LATE);
    for block in branches(&[(0, 3), (0, 5)]) {
        peer.send_block(&block);
    }
    assert!(peer.node.chain().ledger().coin_count() > u64::from(COINS_PER_KEY));
    peer
}

#[test]
fn what_was_checked_before_a_crash_is_not_checked_again() {
    let steady = reorganised();
    let recover = |records: Vec<Record>| {
        let config = NodeConfig {
            verifier: Arc::new(RefusesAll),
            ..node_config(&network(), Work::default())
        };
        Node::recover(config, records)
    };
    let records = read_again(&steady.records);
    let digest = steady.node.chain().ledger().digest();
    assert_eq!(recover(records.clone()).chain().ledger().digest(), digest);
    let mut blocks_alone = records;
    blocks_alone.retain(|record| matches!(record, Record::Block(_)));
    let checked = recover(blocks_alone);
    assert!(
        checked.chain().height() < steady.node.chain().height(),
        "signatures are checked"
    );
}

proptest! {
    #[test]
    fn deltas_that_are_lost_cost_nothing_but_time(lost in prop::collection::vec(any::<bool>(), 32)) {
        let steady = reorganised();
        let mut lost = lost.into_iter().cycle();
        let mut records = read_again(&steady.records);
        records.retain(|record| matches!(record, Record::Block(_)) || lost.next() == Some(false));
        let node = Node::recover(node_config(&network(), Work::default()), records);
        prop_assert_eq!(node.chain().ledger().digest(), steady.node.chain().ledger().digest());
    }
}

/// Records that are damaged are skipped.
#[test]
fn a_block_missing_among_the_records_is_fetched_again() {
    let params = network();
    let blocks = Forge::new(&params, 1).blocks(6);
    let mut steady = Peer::new(&params, Work::default(), LATE);
    steady.send_chain(&blocks);
    assert_eq!(recorded_blocks(&steady.records), 6);
    for lost in 0..6 {
        let mut records = steady.records.clone();
        records.retain(|record| !matches!(record, Record::Block(block) if *block == blocks[lost]));
        let node = Node::recover(node_config(&params, Work::default()), records);
        assert_eq!(node.chain().height(), Height(u32::try_from(lost).unwrap()));
        let mut peer = Peer::with(node, &params, LATE);
        peer.send_chain(&blocks);
        assert_eq!(peer.node.chain().tip(), blocks[5].header.hash());
    }
}

/// Bodies that came before their parents' are recorded before them.
#[test]
fn the_order_of_recorded_blocks_does_not_matter() {
    let params = network();
    let blocks = Forge::new(&params, 1).blocks(20);
    let mut steady = Peer::new(&params, Work::default(), LATE);
    for block in &blocks {
        steady.send_headers(&[block.header]);
    }
    for block in blocks.iter().rev() {
        steady.send_block(block);
    }
    assert_eq!(recorded_blocks(&steady.records), 20);
    let node = Node::recover(node_config(&params, Work::default()), steady.records);
    assert_eq!(node.chain().tip(), blocks[19].header.hash());
    assert_eq!(
        node.chain().ledger().digest(),
        steady.node.chain().ledger().digest()
    );
}
