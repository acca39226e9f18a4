//! A fresh node catches up 500 blocks, although one of its two peers stalls or lies.

use super::support::*;
use super::world::{Actor, Script, World, address};
use camelid_core::block::Block;
use camelid_core::node::NetworkConfig;
use camelid_core::primitives::{BlockHash, Height, Timestamp};
use camelid_core::process::{Event, Input};
use std::sync::Arc;

const BLOCKS: u32 = 500;
const FORK: u32 = 400;

fn honest_chain() -> Vec<Arc<Block>> {
    let mut workshop = Workshop::new(1);
    (0..BLOCKS).map(|_| workshop.extend(&[])).collect()
}

/// The first 400 of `honest`, then 150 others; the first of those pays its miner twice the subsidy if
/// `is_invalid`.
fn longer_chain(honest: &[Arc<Block>], is_invalid: bool) -> Vec<Arc<Block>> {
    let params = network();
    let mut blocks = honest[..FORK as usize].to_vec();
    for number in 1..=150u32 {
        let height = Height(FORK + number);
        let subsidy = params.subsidy_at(height);
        let factor = if is_invalid && number == 1 { 2 } else { 1 };
        let claimed = units(subsidy.units() * factor);
        let coinbase = idle_coinbase(height, 99, vec![pay_to(MINER, claimed)]);
        let parent: BlockHash = blocks.last().unwrap().header.hash();
        let time = Timestamp(params.genesis_time.0 + height.0 * params.spacing_s);
        blocks.push(mine_with(&params, parent, time, coinbase, &[]));
    }
    blocks
}

/// An honest node with the chain, another peer, and a fresh node with both as seeds.
fn catch_up(honest: &[Arc<Block>], other: Script) -> (World, usize) {
    let mut world = World::new();
    let quiet = NetworkConfig {
        outbound: 0,
        ..NetworkConfig::default()
    };
    let teller = world.add_node(11, "21.1.0.1:4000", quiet);
    if let Actor::Node(node) = &mut world.actors[teller] {
        let records = honest
            .iter()
            .map(|block| camelid_core::node::Record::Block(block.clone()));
        let config = super::world::open_config(
            11,
            NetworkConfig {
                outbound: 0,
                ..NetworkConfig::default()
            },
        );
        **node = camelid_core::node::Node::recover(config, records);
    }
    world.give(teller, Input::Start);
    assert_eq!(world.node(teller).chain().height().0, BLOCKS);
    world.add(Actor::Script(other), address("22.1.0.1:4000"));
    let seeds = vec![address("21.1.0.1:4000"), address("22.1.0.1:4000")];
    let network = NetworkConfig {
        seeds,
        ..NetworkConfig::default()
    };
    let fresh = world.add_node(13, "23.1.0.1:4000", network);
    (world, fresh)
}

fn seconds_to_height(world: &mut World, fresh: usize, height: u32) -> u64 {
    for seconds in 0..600 {
        if world.node(fresh).chain().height().0 >= height {
            return seconds;
        }
        world.seconds(1);
    }
    panic!(
        "stuck at {}: {:?}",
        world.node(fresh).chain().height(),
        world.events
    );
}

#[test]
fn two_honest_peers_share_the_work() {
    let honest = honest_chain();
    let (mut world, fresh) = catch_up(&honest, Script::new(12, honest.clone(), true));
    let seconds = seconds_to_height(&mut world, fresh, BLOCKS);
    assert!(seconds <= 2, "{seconds} seconds");
    let asked = world.script(1).asked_blocks;
    assert!((100..=400).contains(&asked), "{asked} of 500 blocks");
}

#[test]
fn a_peer_that_has_the_chain_and_gives_no_blocks_costs_seconds() {
    let honest = honest_chain();
    let (mut world, fresh) = catch_up(&honest, Script::new(12, honest.clone(), false));
    let seconds = seconds_to_height(&mut world, fresh, BLOCKS);
    assert!(seconds <= 30, "{seconds} seconds");
    let asked = world.script(1).asked_blocks;
    assert!(
        (1..=32).contains(&asked),
        "asked for {asked} blocks that it does not give"
    );
}

#[test]
fn a_longer_chain_whose_bodies_never_come_does_not_hold_up_the_one_that_is_there() {
    let honest = honest_chain();
    let (mut world, fresh) = catch_up(&honest, Script::new(12, longer_chain(&honest, false), false));
    let seconds = seconds_to_height(&mut world, fresh, BLOCKS);
    assert!(seconds <= 30, "{seconds} seconds");
    // Who goes on like this is sent away in the end.
    world.seconds(600);
    assert!(world.events.iter().any(|(node, event)| *node == fresh
        && matches!(event, Event::Rejected { reason, .. } if reason.contains("did not come"))));
    assert_eq!(world.node(fresh).chain().height().0, BLOCKS);
}

#[test]
fn a_longer_chain_is_followed_if_its_bodies_come() {
    let honest = honest_chain();
    let (mut world, fresh) = catch_up(&honest, Script::new(12, longer_chain(&honest, false), true));
    let seconds = seconds_to_height(&mut world, fresh, FORK + 150);
    assert!(seconds <= 2, "{seconds} seconds");
}

#[test]
fn an_invalid_body_costs_its_giver_the_connection() {
    let honest = honest_chain();
    let liar = Script::new(12, longer_chain(&honest, true), true);
    let id = liar.id;
    let (mut world, fresh) = catch_up(&honest, liar);
    let seconds = seconds_to_height(&mut world, fresh, BLOCKS);
    assert!(seconds <= 30, "{seconds} seconds");
    assert!(!world.is_linked(fresh, 1), "sent away");
    assert!(world.events.iter().any(|(node, event)| *node == fresh
        && matches!(event, Event::Banned { peer, .. } if *peer == id)));
    // The honest one is not to blame for anything.
    assert!(world.is_linked(fresh, 0));
    let tip = honest.last().unwrap().header.hash();
    assert_eq!(world.node(fresh).chain().tip(), tip);
}

#[test]
fn a_body_that_does_not_fit_its_header_costs_its_giver_the_connection() {
    let honest = honest_chain();
    let mut mutated = honest.clone();
    for block in mutated.iter_mut().skip(10) {
        *block = Arc::new(Block {
            header: block.header,
            transactions: honest[0].transactions.clone(),
        });
    }
    let (mut world, fresh) = catch_up(&honest, Script::new(12, mutated, true));
    seconds_to_height(&mut world, fresh, BLOCKS);
    assert!(!world.is_linked(fresh, 1), "sent away");
    assert_eq!(
        world.node(fresh).chain().tip(),
        honest.last().unwrap().header.hash()
    );
}

#[test]
fn a_peer_that_hangs_up_leaves_its_blocks_to_others() {
    let honest = honest_chain();
    let (mut world, fresh) = catch_up(&honest, Script::new(12, honest.clone(), false));
    assert!(world.is_linked(fresh, 1));
    world.hang_up(fresh, 1);
    world.addresses[1] = address("1.1.1.1:1");
    let seconds = seconds_to_height(&mut world, fresh, BLOCKS);
    assert!(seconds <= 2, "{seconds} seconds");
}
