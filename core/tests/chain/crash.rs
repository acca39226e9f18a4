//! A node may crash between any two records, and comes back.

use super::forge::*;
use super::peer::*;
use super::support::*;
use camelid_core::block::{Block, Work};
use camelid_core::keys::{SignatureCheck, Verifier};
use camelid_core::node::{Node, NodeConfig, Record};
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

/// A node that was fed `blocks`, and one for each place at which it may have crashed, fed the same again.
fn crash_everywhere(blocks: &[Arc<Block>]) {
    let params = network();
    let feed = |peer: &mut Peer| {
        for block in blocks {
            peer.send_headers(&[block.header]);
            peer.send_block(block);
        }
    };
    let mut steady = Peer::new(&params, Work::default(), LATE);
    feed(&mut steady);
    let (tip, digest) = (steady.node.chain().tip(), steady.node.chain().ledger().digest());
    for kept in 0..=steady.records.len() {
        let records = read_again(&steady.records[..kept]);
        let node = Node::recover(node_config(&params, Work::default()), records);
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
        let mut peer = Peer::with(node, &params, LATE);
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
    assert!(peer.node.chain().ledger().coin_count() > COINS_PER_KEY as usize);
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
