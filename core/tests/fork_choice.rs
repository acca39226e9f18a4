//! The choice between branches, and what becomes of invalid ones.
#![allow(clippy::unwrap_used)]

mod support;

use camelid_core::block::{Block, genesis_block};
use camelid_core::chain::Submission;
use camelid_core::primitives::{Height, Timestamp};
use std::sync::Arc;
use support::*;

/// Blocks that extend the genesis block of a fresh chain, a minute apart, told apart by `miner`.
fn branch(parent: Option<&Arc<Block>>, blocks: u32, miner: u8) -> Vec<Arc<Block>> {
    let params = network();
    let mut tip = parent.map_or_else(
        || {
            let genesis = genesis_block(&params);
            (genesis.header.hash(), 0)
        },
        |block| (block.header.hash(), block.transactions[0].lock_time),
    );
    (0..blocks)
        .map(|_| {
            let height = Height(tip.1 + 1);
            let reward = idle_coinbase(height, u64::from(miner), vec![pay_to(miner, coins(50))]);
            let time = params.genesis_time.plus_seconds(60 * u64::from(height.0));
            let time = Timestamp(u32::try_from(time).unwrap());
            let block = mine_with(&params, tip.0, time, reward, &[]);
            tip = (block.header.hash(), height.0);
            block
        })
        .collect()
}

#[test]
fn work_decides_and_the_first_seen_wins_a_tie() {
    let (short, long) = (branch(None, 3, 1), branch(None, 4, 2));
    for order in [[&short, &long], [&long, &short]] {
        let mut workshop = Workshop::new(3);
        for block in order.into_iter().flatten() {
            workshop.submit(block).unwrap();
        }
        assert_eq!(workshop.chain.tip(), long[3].header.hash());
        // Among equals, whoever's last block was complete first.
        let mut workshop = Workshop::new(3);
        for block in order.into_iter().flat_map(|branch| &branch[..3]) {
            workshop.submit(block).unwrap();
        }
        assert_eq!(workshop.chain.tip(), order[0][2].header.hash());
    }
}

#[test]
fn bodies_may_come_in_any_order_once_their_headers_are_known() {
    let blocks = branch(None, 5, 1);
    let mut workshop = Workshop::new(3);
    for block in &blocks {
        assert_eq!(workshop.chain.submit_header(&block.header, LATE), Ok(true));
    }
    for block in blocks.iter().rev() {
        assert_eq!(workshop.chain.height(), Height(0));
        workshop.submit(block).unwrap();
    }
    assert_eq!(workshop.chain.tip(), blocks[4].header.hash());
}

#[test]
fn an_invalid_block_in_a_longer_branch_leaves_the_old_tip_in_place() {
    let mut workshop = Workshop::new(3);
    let shared = branch(None, 2, 1);
    let best = branch(Some(&shared[1]), 2, 1);
    let mut fork = branch(Some(&shared[1]), 1, 2);
    let invalid = {
        let reward = idle_coinbase(Height(4), 0, vec![pay_to(2, coins(51))]);
        let time = fork[0].header.time.0 + 60;
        mine_with(
            &workshop.params,
            fork[0].header.hash(),
            Timestamp(time),
            reward,
            &[],
        )
    };
    let above = branch(Some(&invalid), 3, 2);
    for block in shared.iter().chain(&best) {
        workshop.submit(block).unwrap();
    }
    let digest = workshop.ledger().digest();
    fork.push(invalid.clone());
    fork.push(above[0].clone());
    let mut invalids = Vec::new();
    for block in &fork {
        if let Submission::Moved(change) = workshop.submit(block).unwrap() {
            assert!(change.connected.is_empty() && change.disconnected.is_empty());
            invalids.extend(change.invalid.into_iter().map(|(hash, _)| hash));
        }
    }
    assert_eq!(invalids, [invalid.header.hash()]);
    assert_eq!(workshop.chain.tip(), best[1].header.hash());
    assert_eq!(workshop.ledger().digest(), digest);
    // Nothing is asked for, nor taken in, beyond the invalid block any more.
    assert_eq!(workshop.chain.headers().best(), best[1].header.hash());
    assert!(workshop.chain.submit_header(&above[1].header, LATE).is_err());
    assert!(
        workshop
            .submit(&invalid)
            .is_ok_and(|s| matches!(s, Submission::Known))
    );
    assert_eq!(
        workshop.chain.missing_bodies(workshop.chain.headers().best(), 16),
        []
    );
    // The chain goes on where it was.
    workshop.extend(&[]);
}

#[test]
fn headers_beyond_an_invalid_block_lead_nowhere() {
    let mut workshop = Workshop::new(3);
    let invalid = {
        let reward = idle_coinbase(Height(1), 0, vec![pay_to(2, coins(51))]);
        let time = workshop.next_time();
        mine_with(&workshop.params, workshop.chain.tip(), time, reward, &[])
    };
    // The headers are known before the body turns out to be invalid.
    let above = branch(Some(&invalid), 5, 2);
    workshop.chain.submit_header(&invalid.header, LATE).unwrap();
    for block in &above[..4] {
        workshop.chain.submit_header(&block.header, LATE).unwrap();
    }
    let honest = branch(None, 2, 1);
    let submit_honest = |workshop: &mut Workshop| {
        for block in &honest {
            workshop.chain.submit_header(&block.header, LATE).unwrap();
        }
    };
    submit_honest(&mut workshop);
    workshop.submit(&invalid).unwrap();
    assert!(workshop.chain.submit_header(&above[4].header, LATE).is_err());
    // Peers repeat their headers at every request.
    submit_honest(&mut workshop);
    // Bodies are fetched towards the best header: it must not be one of the invalid branch.
    let missing: Vec<_> = honest.iter().map(|block| block.header.hash()).collect();
    assert_eq!(
        workshop.chain.missing_bodies(workshop.chain.headers().best(), 16),
        missing
    );
}
