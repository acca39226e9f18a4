//! New blocks without the transactions that their receiver has.

use super::support::*;
use super::talk::{Talk, id};
use camelid_core::block::{Block, MAX_BLOCK_BYTES};
use camelid_core::primitives::{BlockHash, BoundedVec, encode};
use camelid_core::tx::Transaction;
use camelid_core::wire::{CompactBlock, Message, PartialBlock, ShortId};
use proptest::prelude::*;
use std::sync::Arc;

const PEER: u8 = 5;
const OTHER: u8 = 6;

/// A node, a peer, three payments, and a block with all of them.
struct Scene {
    talk: Talk,
    payments: Vec<Transaction>,
    block: Arc<Block>,
}

fn payments(workshop: &Workshop, count: u32) -> Vec<Transaction> {
    let pay = |index| {
        let fund = workshop.fund(CLIENT, index);
        payment(&workshop.genesis(), &[fund], vec![pay_to(NODE, coins(1))])
    };
    (0..count).map(pay).collect()
}

impl Scene {
    /// The node has heard of the first `known` payments.
    fn new(known: usize) -> Self {
        let workshop = Workshop::new(1);
        let payments = payments(&workshop, 3);
        let block = workshop.block(&payments);
        let mut talk = Talk::new();
        talk.is_called_by(PEER);
        talk.is_called_by(OTHER);
        for payment in &payments[..known] {
            talk.hear(OTHER, &Message::Transaction(Box::new(payment.clone())));
        }
        assert_eq!(talk.node.mempool().len(), known);
        Self {
            talk,
            payments,
            block,
        }
    }

    fn hash(&self) -> BlockHash {
        self.block.header.hash()
    }

    /// The peer announces the block; the salt with which the node asks for it.
    fn announce(&mut self) -> u64 {
        let said = self.talk.hear(PEER, &headers(&[&self.block]));
        match &said[..] {
            [(to, Message::GetCompactBlock { block, salt })] if *to == id(PEER) && *block == self.hash() => {
                *salt
            }
            other => panic!("{other:?}"),
        }
    }

    fn tell(&mut self, peer: u8, salt: u64) -> Vec<Message> {
        let compact = CompactBlock::new(&self.block, salt).unwrap();
        let said = self.talk.hear(peer, &Message::CompactBlock(Box::new(compact)));
        said.into_iter().map(|(_, message)| message).collect()
    }

    fn give(&mut self, transactions: Vec<Transaction>) -> Vec<Message> {
        let transactions = BoundedVec::from_vec(transactions).unwrap();
        let block = self.hash();
        let answer = Message::BlockTransactions { block, transactions };
        let said = self.talk.hear(PEER, &answer);
        said.into_iter().map(|(_, message)| message).collect()
    }

    fn has_the_block(&self) -> bool {
        self.talk.node.chain().tip() == self.hash()
    }
}

fn headers(blocks: &[&Block]) -> Message {
    let headers = blocks.iter().map(|block| block.header).collect();
    Message::Headers(BoundedVec::from_vec(headers).unwrap())
}

fn asks_for_whole(block: &Block) -> Message {
    Message::GetBlocks(BoundedVec::from_vec(vec![block.header.hash()]).unwrap())
}

fn asks_for(block: &Block, places: Vec<u16>) -> Message {
    Message::GetBlockTransactions {
        block: block.header.hash(),
        places: BoundedVec::from_vec(places).unwrap(),
    }
}

#[test]
fn a_block_whose_transactions_are_here_comes_as_ids() {
    let mut scene = Scene::new(3);
    let salt = scene.announce();
    scene.tell(PEER, salt);
    assert!(scene.has_the_block());
    assert!(scene.talk.refusals.is_empty());
}

#[test]
fn transactions_that_are_not_here_are_asked_for_by_their_places() {
    let mut scene = Scene::new(2);
    let salt = scene.announce();
    assert_eq!(scene.tell(PEER, salt), [asks_for(&scene.block, vec![3])]);
    let missing = scene.payments[2].clone();
    scene.give(vec![missing]);
    assert!(scene.has_the_block());
}

#[test]
fn who_gives_other_transactions_is_asked_for_the_whole_block() {
    for wrong in [vec![0], vec![], vec![2, 2]] {
        let mut scene = Scene::new(2);
        let salt = scene.announce();
        scene.tell(PEER, salt);
        let wrong = wrong.iter().map(|index| scene.payments[*index].clone()).collect();
        assert_eq!(scene.give(wrong), [asks_for_whole(&scene.block)]);
        assert!(scene.talk.refusals.is_empty(), "ids may be alike by chance");
        scene
            .talk
            .hear(PEER, &Message::Block(Box::new((*scene.block).clone())));
        assert!(scene.has_the_block());
    }
}

#[test]
fn what_was_not_asked_for_is_not_looked_at() {
    let mut scene = Scene::new(3);
    assert_eq!(scene.tell(PEER, 7), []);
    let salt = scene.announce();
    assert_eq!(scene.tell(OTHER, salt), [], "it was asked of another peer");
    let all = scene.payments.clone();
    assert_eq!(scene.give(all), []);
    assert!(!scene.has_the_block());
    scene.tell(PEER, salt);
    assert!(scene.has_the_block());
}

/// A message of 100 kB would be a gigabyte if it could name a large transaction again and again.
#[test]
fn an_id_stands_for_one_place() {
    let mut scene = Scene::new(3);
    let salt = scene.announce();
    let mut compact = CompactBlock::new(&scene.block, salt).unwrap();
    compact.ids = BoundedVec::from_vec(vec![compact.ids[0]; 16_383]).unwrap();
    let said = scene
        .talk
        .hear(PEER, &Message::CompactBlock(Box::new(compact.clone())));
    let asked = asks_for(&scene.block, (2..=16_383).collect());
    assert_eq!(said, [(id(PEER), asked)]);
    // And once: whatever comes of it, the next answer is not looked at.
    let said = scene.talk.hear(PEER, &Message::CompactBlock(Box::new(compact)));
    assert_eq!(said, []);
}

#[test]
fn what_is_filled_in_is_no_larger_than_a_block() {
    let workshop = Workshop::new(1);
    let outputs = vec![pay_to(NODE, units(1)); 2_000];
    let pay = |index| {
        payment(
            &workshop.genesis(),
            &[workshop.fund(CLIENT, index)],
            outputs.clone(),
        )
    };
    let large: Vec<_> = (0..20).map(|index| Arc::new(pay(index))).collect();
    let size = encode(&*large[0]).len();
    let block = workshop.block(&[]);
    let salt = 1;
    let ids = large
        .iter()
        .map(|large| ShortId::new(&block.header.hash(), salt, &large.wtxid()));
    let compact = CompactBlock {
        header: block.header,
        coinbase: block.transactions[0].clone(),
        ids: BoundedVec::from_vec(ids.collect()).unwrap(),
    };
    let partial = PartialBlock::new(compact, salt, large.iter().map(|large| (large.wtxid(), large)));
    let filled = 20 - partial.missing().len();
    assert!(
        filled * size <= MAX_BLOCK_BYTES && (filled + 1) * size > MAX_BLOCK_BYTES,
        "{filled} of {size} bytes"
    );
}

#[test]
fn ids_made_with_another_salt_name_nothing() {
    let mut scene = Scene::new(3);
    let salt = scene.announce();
    assert_eq!(
        scene.tell(PEER, salt ^ 1),
        [asks_for(&scene.block, vec![1, 2, 3])]
    );
}

#[test]
fn what_is_no_news_is_asked_for_whole() {
    // Without a mempool nothing could be filled in.
    let mut scene = Scene::new(0);
    let said = scene.talk.hear(PEER, &headers(&[&scene.block]));
    assert_eq!(said, [(id(PEER), asks_for_whole(&scene.block))]);
    // Of several blocks that are missing, the mempool knows little.
    let mut workshop = Workshop::new(1);
    let blocks = [workshop.extend(&[]), workshop.extend(&[])];
    let mut scene = Scene::new(3);
    let said = scene.talk.hear(PEER, &headers(&[&blocks[0], &blocks[1]]));
    let hashes = blocks.iter().map(|block| block.header.hash()).collect();
    let whole = Message::GetBlocks(BoundedVec::from_vec(hashes).unwrap());
    assert_eq!(said, [(id(PEER), whole)]);
}

#[test]
fn who_does_not_answer_is_asked_for_the_whole_block() {
    let mut scene = Scene::new(3);
    scene.announce();
    let said = scene.talk.wait_s(11);
    assert_eq!(said, [(id(PEER), asks_for_whole(&scene.block))]);
}

#[test]
fn a_node_tells_its_blocks_as_they_are_asked_for() {
    let mut scene = Scene::new(0);
    scene
        .talk
        .hear(PEER, &Message::Block(Box::new((*scene.block).clone())));
    assert!(scene.has_the_block());
    let block = scene.hash();
    let said = scene
        .talk
        .hear(OTHER, &Message::GetCompactBlock { block, salt: 9 });
    let compact = CompactBlock::new(&scene.block, 9).unwrap();
    assert_eq!(said, [(id(OTHER), Message::CompactBlock(Box::new(compact)))]);
    let said = scene.talk.hear(OTHER, &asks_for(&scene.block, vec![1, 3]));
    let transactions = vec![scene.payments[0].clone(), scene.payments[2].clone()];
    let transactions = BoundedVec::from_vec(transactions).unwrap();
    assert_eq!(
        said,
        [(id(OTHER), Message::BlockTransactions { block, transactions })]
    );
    let unknown = BlockHash([3; 32]);
    assert_eq!(
        scene.talk.hear(
            OTHER,
            &Message::GetCompactBlock {
                block: unknown,
                salt: 9
            }
        ),
        []
    );
}

#[test]
fn who_asks_for_places_that_a_block_does_not_have_is_sent_away() {
    for places in [vec![4], vec![2, 1], vec![1, 1]] {
        let mut scene = Scene::new(0);
        scene
            .talk
            .hear(PEER, &Message::Block(Box::new((*scene.block).clone())));
        scene.talk.hear(OTHER, &asks_for(&scene.block, places));
        assert_eq!(scene.talk.disconnected, [id(OTHER)]);
    }
}

proptest! {
    #[test]
    fn a_block_is_made_whole_whatever_of_it_is_known(
        count in 0_u32..8,
        known in prop::collection::vec(any::<bool>(), 8),
        strangers in any::<bool>(),
        salt: u64,
    ) {
        let workshop = Workshop::new(1);
        let all = payments(&workshop, 8);
        let inside = &all[..count as usize];
        let block = workshop.block(inside);
        let compact = CompactBlock::new(&block, salt).unwrap();
        let pool: Vec<Arc<Transaction>> = (0..).zip(&all)
            .filter(|(index, _)| known[*index] && (strangers || *index < inside.len()))
            .map(|(_, transaction)| Arc::new(transaction.clone()))
            .collect();
        let partial = PartialBlock::new(compact, salt, pool.iter().map(|known| (known.wtxid(), known)));
        let missing: Vec<Transaction> = partial
            .missing()
            .iter()
            .map(|place| block.transactions[usize::from(*place)].clone())
            .collect();
        prop_assert_eq!(missing.len(), (0..inside.len()).filter(|index| !known[*index]).count());
        let too_few = missing.split_last().map(|(_, rest)| rest.to_vec());
        if let Some(too_few) = too_few {
            prop_assert_eq!(partial.clone().complete(too_few), None);
        }
        let too_many = missing.iter().cloned().chain([all[0].clone()]).collect();
        prop_assert_eq!(partial.clone().complete(too_many), None);
        prop_assert_eq!(partial.complete(missing), Some((*block).clone()));
    }

    #[test]
    fn transactions_in_the_wrong_places_make_no_block(at in 0_usize..3, salt: u64) {
        let workshop = Workshop::new(1);
        let mut inside = payments(&workshop, 3);
        let block = workshop.block(&inside);
        let partial = PartialBlock::new(CompactBlock::new(&block, salt).unwrap(), salt, [].into_iter());
        inside.swap(at, (at + 1) % 3);
        prop_assert_eq!(partial.complete(inside), None);
    }
}
