//! Floods: headers of next to no work, inventories, orphans. What is remembered of them is bounded.

use super::forge::*;
use super::peer::*;
use super::support::*;
use camelid_core::block::{BlockHeader, Work};
use camelid_core::params::Params;
use camelid_core::primitives::{BlockHash, BoundedVec, Hash256, Height, Wtxid};
use camelid_core::process::Process as _;
use camelid_core::wire::{MAX_HEADERS, MAX_INVENTORY, Message};
use std::sync::Arc;

/// Two hashes a header, the least there is.
const EASIEST: u32 = 0x207f_ffff;

/// The work of `count` of the easiest headers.
fn easiest_work(count: u32) -> Work {
    let target = camelid_core::block::CompactTarget(EASIEST).target().unwrap();
    target.work().times(count)
}

/// Sends headers in full messages while the node asks on; how many it took in, and whether it asked
/// for more at the end.
fn flood(peer: &mut Peer, forge: &mut Forge, count: u32) -> bool {
    let mut asked = true;
    let full = u32::try_from(MAX_HEADERS).unwrap();
    for _ in 0..count.div_ceil(full) {
        let headers = forge.headers(full);
        let answers = peer.send_headers(&headers);
        let last = headers.last().unwrap().hash();
        asked = matches!(&answers[..], [Message::GetHeaders(locator)] if locator[0] == last);
    }
    asked
}

fn low_work_flood(count: u32) {
    let params = asert_network(EASIEST, 4_320);
    let mut peer = Peer::new(&params, easiest_work(count * 2), LATE);
    let before = peer.node.digest();
    let mut forge = Forge::new(&params, 1);
    // The node goes on listening, since the work may still come, and keeps none of it.
    assert!(flood(&mut peer, &mut forge, count));
    assert_eq!(peer.node.chain().headers().len(), 1);
    // The chain ends without it.
    let answers = peer.send_headers(&forge.headers(1));
    assert_eq!(answers, []);
    assert_eq!(peer.node.chain().headers().len(), 1);
    assert_eq!((peer.node.digest(), &peer.refusals[..]), (before, &[][..]));
}

#[test]
fn headers_of_minimum_difficulty_leave_nothing_behind() {
    low_work_flood(20_000);
}

#[test]
#[ignore = "half a minute; the nightly run does it"]
fn two_million_headers_of_minimum_difficulty_leave_nothing_behind() {
    low_work_flood(2_000_000);
}

/// Without a known minimum, a chain of our own is measure enough.
#[test]
fn headers_far_below_our_own_chain_are_not_kept() {
    // 64 hashes a block on schedule, two for who is late.
    let params = asert_network(0x2003_ffff, 600);
    let mut peer = Peer::new(&params, Work::default(), LATE);
    peer.send_chain(&Forge::new(&params, 1).blocks(300));
    assert_eq!(peer.node.chain().height(), Height(300));
    let cheap = Forge {
        late_s: 3_600,
        ..Forge::new(&params, 2)
    };
    assert!(flood(&mut peer, &mut cheap.clone(), 4_000));
    assert_eq!(peer.node.chain().headers().len(), 301);
    // Nor are their blocks, which nobody has asked for.
    for miner in 2..5 {
        let block = Forge {
            miner,
            ..cheap.clone()
        }
        .blocks(1)
        .remove(0);
        peer.send_block(&block);
        assert!(peer.node.chain().block(&block.header.hash()).is_none());
    }
    assert_eq!(peer.refusals.len(), 3);
    assert!(
        peer.refusals
            .iter()
            .all(|reason| reason.contains("too little work"))
    );
}

/// All messages of headers that a peer with these headers answers GetHeaders with.
fn serve(peer: &mut Peer, headers: &[BlockHeader], first: &[BlockHeader]) -> usize {
    let mut questions = 0;
    let mut answer = first.to_vec();
    loop {
        let answers = peer.send_headers(&answer);
        let asked = answers.iter().find_map(|message| match message {
            Message::GetHeaders(locator) => Some(locator[0]),
            _ => None,
        });
        let Some(after) = asked else { return questions };
        questions += 1;
        assert!(questions < 100, "it asks for ever");
        let start = headers
            .iter()
            .position(|header| header.hash() == after)
            .map_or(0, |at| at + 1);
        answer = headers[start..].iter().take(MAX_HEADERS).copied().collect();
        if answer.is_empty() {
            return questions;
        }
    }
}

#[test]
fn a_long_chain_that_shows_enough_work_is_kept() {
    let params = asert_network(EASIEST, 4_320);
    let headers = Forge::new(&params, 1).headers(5_000);
    for enough_at in [1, 1_999, 2_000, 2_001, 4_000, 4_001, 5_000] {
        let mut peer = Peer::new(&params, easiest_work(enough_at), LATE);
        serve(&mut peer, &headers, &headers[..MAX_HEADERS]);
        assert_eq!(peer.node.chain().headers().len(), 5_001, "enough at {enough_at}");
        assert_eq!(peer.node.chain().headers().best(), headers[4_999].hash());
        assert_eq!(peer.refusals, [""; 0]);
    }
    let mut peer = Peer::new(&params, easiest_work(5_001), LATE);
    serve(&mut peer, &headers, &headers[..MAX_HEADERS]);
    assert_eq!(peer.node.chain().headers().len(), 1);
}

/// Bodies come after their headers, each of them with less work than the whole chain has.
#[test]
fn the_bodies_of_a_chain_with_enough_work_are_taken_in() {
    let params = asert_network(EASIEST, 4_320);
    let blocks = Forge::new(&params, 1).blocks(50);
    let mut peer = Peer::new(&params, easiest_work(50), LATE);
    peer.send_chain(&blocks);
    assert_eq!(peer.refusals, [""; 0]);
    assert_eq!(peer.node.chain().tip(), blocks[49].header.hash());
    // A chain that is one block shorter is none.
    let mut peer = Peer::new(&params, easiest_work(51), LATE);
    peer.send_chain(&blocks);
    assert_eq!(peer.node.chain().headers().len(), 1);
}

/// Showing one chain and then sending another, which would end nowhere, does not work.
#[test]
fn a_chain_that_changes_after_it_has_shown_its_work_is_refused() {
    let params = asert_network(EASIEST, 4_320);
    let shown = Forge::new(&params, 1).headers(6_000);
    let other = Forge::new(&params, 2).headers(6_000);
    for changed_after in [0, MAX_HEADERS] {
        let mut peer = Peer::new(&params, easiest_work(6_000), LATE);
        for headers in shown.chunks(MAX_HEADERS) {
            peer.send_headers(headers);
        }
        if changed_after > 0 {
            peer.send_headers(&shown[..MAX_HEADERS]);
        }
        let kept = peer.node.chain().headers().len();
        assert_eq!(kept, 1 + changed_after);
        // A mixture that does not hang together, and one that does.
        let mixed = [&shown[changed_after..changed_after + 500], &other[500..2_000]].concat();
        peer.send_headers(&mixed);
        peer.send_headers(&other[..MAX_HEADERS]);
        assert_eq!(peer.node.chain().headers().len(), kept);
        assert!(!peer.refusals.is_empty());
    }
}

/// Every rule holds the first time through.
#[test]
fn a_long_chain_with_a_fault_is_refused_where_the_fault_is() {
    let params = asert_network(EASIEST, 4_320);
    let headers = Forge::new(&params, 1).headers(4_000);
    for fault in [0, 1_999, 2_000, 3_999] {
        let mut broken = headers.clone();
        broken[fault].version = 2;
        while broken[fault].check_work().is_ok() {
            broken[fault].nonce += 1;
        }
        let mut peer = Peer::new(&params, easiest_work(4_000), LATE);
        for headers in broken.chunks(MAX_HEADERS) {
            peer.send_headers(headers);
        }
        assert_eq!(peer.node.chain().headers().len(), 1);
        assert!(!peer.refusals.is_empty(), "fault at {fault}");
    }
}

#[test]
fn inventories_are_answered_and_forgotten() {
    let params = network();
    let mut peer = Peer::new(&params, Work::default(), LATE);
    let before = peer.node.digest();
    for message in 0..200_u32 {
        let ids = (0_u32..).take(MAX_INVENTORY).map(|number| {
            let mut id = [0xee; 32];
            id[..8].copy_from_slice(&[message.to_le_bytes(), number.to_le_bytes()].concat());
            Wtxid(id)
        });
        let ids = BoundedVec::from_vec(ids.collect()).unwrap();
        let answers = peer.send(&Message::Inventory(ids.clone()));
        // One question for each inventory, no longer than that, and nothing is kept for it.
        assert_eq!(answers, [Message::GetTransactions(ids)]);
    }
    assert_eq!(peer.node.digest(), before);
    assert_eq!(peer.refusals, [""; 0]);
}

#[test]
fn orphan_blocks_are_not_kept() {
    let params = network();
    let mut peer = Peer::new(&params, Work::default(), LATE);
    let before = peer.node.digest();
    for number in 0..500_u32 {
        let mut forge = Forge::new(&params, 1);
        let mut unknown = [7; 32];
        unknown[..4].copy_from_slice(&number.to_le_bytes());
        forge.tip.merkle_root = Hash256(unknown);
        let orphan = forge.block(60, &[]);
        let answers = peer.send_headers(&[orphan.header]);
        assert!(matches!(&answers[..], [Message::GetHeaders(_)]));
        peer.send_block(&orphan);
        assert!(peer.node.chain().block(&orphan.header.hash()).is_none());
    }
    assert_eq!(peer.node.chain().headers().len(), 1);
    assert_eq!(peer.node.digest(), before);
}

/// Bodies far above the tip wait, but no more than a bound, and what is refused may come again.
#[test]
fn bodies_that_wait_for_their_parents_are_bounded() {
    let params: Arc<Params> = network();
    let blocks = Forge::new(&params, 1).blocks(400);
    let mut chain = new_chain(&params, 1);
    for block in &blocks {
        chain.submit_header(&block.header, LATE).unwrap();
    }
    let waiting = blocks.iter().skip(1);
    let kept = waiting.filter(|block| chain.submit_block((*block).clone(), LATE).is_ok());
    assert_eq!(kept.count(), 128);
    // Refused for now, not for good: in order, all of them come in.
    let missing = |chain: &camelid_core::chain::Chain| chain.missing_bodies(chain.headers().best(), 16);
    let by_hash = |hash: &BlockHash| blocks.iter().find(|block| block.header.hash() == *hash).unwrap();
    while let [next, ..] = missing(&chain)[..] {
        chain.submit_block(by_hash(&next).clone(), LATE).unwrap();
    }
    assert_eq!(chain.height(), Height(400));
}
