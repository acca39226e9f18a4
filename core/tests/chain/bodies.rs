//! Bodies that are not a header's own, and bodies that are and break a rule.

use super::forge::*;
use super::peer::*;
use super::support::*;
use camelid_core::block::{Block, Work};
use camelid_core::chain::{BlockError, Chain, SubmitError};
use camelid_core::primitives::{BlockHash, BoundedVec, Height};
use camelid_core::tx::Transaction;
use proptest::prelude::*;
use std::sync::Arc;

fn with_body(block: &Block, transactions: Vec<Transaction>) -> Arc<Block> {
    Arc::new(Block {
        header: block.header,
        transactions: BoundedVec::from_vec(transactions).unwrap(),
    })
}

/// A block with three payments, and bodies that somebody made of its.
fn mutated() -> (Arc<Block>, Vec<Arc<Block>>) {
    let params = network();
    let genesis = Forge::new(&params, MINER).tip.hash();
    let payments: Vec<Transaction> = (0..3)
        .map(|index| {
            let fund = genesis_fund(&params, CLIENT, index);
            payment(&genesis, &[fund], vec![pay_to(NODE, coins(99))])
        })
        .collect();
    let block = Forge::new(&params, MINER).block(60, &payments);
    let body = || block.transactions.to_vec();
    let changed = |change: &dyn Fn(&mut Vec<Transaction>)| {
        let mut transactions = body();
        change(&mut transactions);
        with_body(&block, transactions)
    };
    let bodies = vec![
        changed(&|body| body.truncate(3)),
        changed(&|body| body.truncate(1)),
        changed(&Vec::clear),
        changed(&|body| body.swap(1, 2)),
        changed(&|body| body.swap(0, 1)),
        // Bitcoin's tree would not notice that the last one, or the last two, come twice (CVE-2012-2459).
        changed(&|body| body.push(body[3].clone())),
        changed(&|body| body.extend_from_within(2..)),
        changed(&|body| body.insert(1, body[1].clone())),
        // Another signature leaves the txid as it is.
        changed(&|body| {
            let other = body[2].inputs[0].script_sig.clone();
            body[1].inputs.as_mut_slice()[0].script_sig = other;
        }),
        changed(&|body| body[0].lock_time += 1),
        changed(&|body| body[1].outputs = BoundedVec::new()),
        // Too large for any block, if it were this header's.
        changed(&|body| {
            let large = body[1].clone();
            body.extend(std::iter::repeat_n(large, 8_000));
        }),
    ];
    (block, bodies)
}

#[test]
fn a_mutated_body_does_not_poison_its_header() {
    let params = network();
    let (block, bodies) = mutated();
    let mut chain = new_chain(&params, 1);
    for (number, body) in bodies.iter().enumerate() {
        let refused = chain.submit_block(body.clone(), LATE);
        assert!(
            matches!(refused, Err(SubmitError::Block(BlockError::MerkleRoot))),
            "body {number}: {refused:?}"
        );
    }
    chain.submit_block(block.clone(), LATE).unwrap();
    assert_eq!(chain.tip(), block.header.hash());
}

/// Whoever puts an invalid block on the best header must not make a node forget that header.
#[test]
fn the_best_header_is_the_best_valid_one_again_when_another_turns_out_to_be_invalid() {
    let params = network();
    let mut forge = Forge::new(&params, 1);
    let honest = forge.blocks(6);
    let mut chain = new_chain(&params, 1);
    for block in &honest {
        chain.submit_header(&block.header, LATE).unwrap();
    }
    // No transaction, not even a coinbase.
    let mut bad = Block {
        header: forge.tip,
        transactions: BoundedVec::new(),
    };
    bad.header = forge.solved(forge.date(7 * 60), bad.merkle_root());
    let refused = chain.submit_block(Arc::new(bad), LATE);
    assert!(matches!(refused, Err(SubmitError::Block(_))), "{refused:?}");
    let best = honest[5].header.hash();
    for block in &honest {
        assert_eq!(chain.headers().best(), best);
        assert!(!chain.missing_bodies(best, 16).is_empty());
        chain.submit_block(block.clone(), LATE).unwrap();
    }
    assert_eq!(chain.tip(), best);
    assert!(chain.is_caught_up());
}

/// Through messages, with the header announced before or not.
#[test]
fn a_peer_with_mutated_bodies_does_not_keep_the_honest_one_away() {
    let params = network();
    let (block, bodies) = mutated();
    for announced in [false, true] {
        let mut peer = Peer::new(&params, Work::default(), LATE);
        if announced {
            peer.send_headers(&[block.header]);
        }
        for body in &bodies {
            peer.send_block(body);
        }
        assert_eq!(peer.node.chain().height(), Height(0));
        assert!(peer.records.is_empty(), "nothing is recorded");
        peer.send_block(&block);
        assert_eq!(peer.node.chain().tip(), block.header.hash());
    }
}

/// What its miner put into it twice is invalid for good, and the honest block after it is not.
#[test]
fn a_block_with_duplicated_transactions_and_the_honest_block_after_it() {
    let params = network();
    let genesis = Forge::new(&params, MINER).tip.hash();
    let pay = payment(
        &genesis,
        &[genesis_fund(&params, CLIENT, 0)],
        vec![pay_to(NODE, coins(99))],
    );
    let twice = Forge::new(&params, MINER).block(60, &[pay.clone(), pay.clone()]);
    let honest = Forge::new(&params, MINER).block(60, std::slice::from_ref(&pay));
    let mut peer = Peer::new(&params, Work::default(), LATE);
    peer.send_block(&twice);
    assert_eq!(peer.node.chain().height(), Height(0));
    // Another body does not help it, and its children are refused.
    let once = with_body(&twice, honest.transactions.to_vec());
    peer.send_block(&once);
    let mut forge = Forge::new(&params, MINER);
    (forge.tip, forge.height) = (twice.header, Height(1));
    let child = forge.block(120, &[]);
    peer.send_block(&child);
    assert_eq!(peer.refusals.len(), 2, "{:?}", peer.refusals);
    peer.send_block(&honest);
    assert_eq!(peer.node.chain().tip(), honest.header.hash());
}

/// The bodies that are missing on the way to `towards`, by the definition.
fn missing_by_definition(chain: &Chain, towards: &BlockHash, blocks: &[Arc<Block>]) -> Vec<BlockHash> {
    let mut path = Vec::new();
    let mut next = blocks.iter().find(|block| block.header.hash() == *towards);
    while let Some(block) = next {
        path.push(block.header.hash());
        next = blocks
            .iter()
            .find(|parent| parent.header.hash() == block.header.previous);
    }
    path.reverse();
    path.retain(|hash| chain.block(hash).is_none());
    path
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever came in what order, the lowest missing bodies are asked for.
    #[test]
    fn the_lowest_missing_bodies_come_first(
        forks in prop::collection::vec((any::<prop::sample::Index>(), 1_u32..6), 1..8),
        arrivals in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>()), 0..80),
        limit in 1_usize..20,
    ) {
        let params = network();
        let mut blocks: Vec<Arc<Block>> = Vec::new();
        let mut ends = vec![Forge::new(&params, 1)];
        for (number, (at, length)) in (2..).zip(&forks) {
            let mut forge = at.get(&ends).clone();
            forge.miner = number;
            for block in forge.blocks(*length) {
                blocks.push(block);
                let mut end = forge.clone();
                (end.tip, end.height) = (blocks.last().unwrap().header, Height(blocks.last().unwrap().transactions[0].lock_time));
                ends.push(end);
            }
        }
        let mut chain = new_chain(&params, 1);
        for (which, with_body) in &arrivals {
            let block = which.get(&blocks);
            let _ = if *with_body {
                chain.submit_block(block.clone(), LATE).map(|_| ()).map_err(|error| error.to_string())
            } else {
                chain.submit_header(&block.header, LATE).map(|_| ()).map_err(|error| error.to_string())
            };
            for towards in blocks.iter().map(|block| block.header.hash()) {
                let work = |hash: &BlockHash| chain.headers().work(hash);
                let expected = if work(&towards) > work(&chain.tip()) {
                    let mut all = missing_by_definition(&chain, &towards, &blocks);
                    all.truncate(limit);
                    all
                } else {
                    Vec::new()
                };
                prop_assert_eq!(chain.missing_bodies(towards, limit), expected);
            }
        }
        // And in the end the best header is the one with the most work, and is reached.
        for block in &blocks {
            chain.submit_header(&block.header, LATE).unwrap();
        }
        let most = blocks.iter().filter_map(|block| chain.headers().work(&block.header.hash())).max();
        prop_assert_eq!(chain.headers().work(&chain.headers().best()), most);
        while let Some(next) = chain.missing_bodies(chain.headers().best(), 1).first() {
            let block = blocks.iter().find(|block| block.header.hash() == *next).unwrap();
            chain.submit_block(block.clone(), LATE).unwrap();
        }
        prop_assert_eq!(chain.headers().work(&chain.tip()), most);
    }
}
