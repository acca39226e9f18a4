//! Nodes that know one seed find each other; a flood of one party's addresses does not take them over.

use super::support::*;
use super::world::{Actor, Script, World, address};
use camelid_core::node::{NetworkConfig, Node, Record};
use camelid_core::peers::{NetGroup, SOURCE_NEW_BUCKETS, Standing};
use camelid_core::primitives::{BoundedVec, decode, encode};
use camelid_core::process::Event;
use camelid_core::wire::{Message, NetAddress, PeerAddress, Services};
use std::collections::BTreeSet;

const TARGET: usize = 4;

/// Twelve nodes of which all know the first one's address.
fn twelve(at: impl Fn(u8) -> String, allow_private: bool) -> World {
    let mut world = World::new();
    for owner in 1..=12u8 {
        let seeds = vec![address(&at(1))];
        let network = NetworkConfig {
            seeds,
            outbound: TARGET,
            allow_private,
            ..NetworkConfig::default()
        };
        world.add_node(owner, &at(owner), network);
    }
    world
}

fn public(owner: u8) -> String {
    format!("{}.1.0.1:4000", 20 + owner)
}

fn assert_connected(world: &World, nodes: usize) {
    let mut reached = BTreeSet::from([0]);
    while let Some(next) = (0..nodes)
        .find(|index| !reached.contains(index) && reached.iter().any(|other| world.is_linked(*index, *other)))
    {
        reached.insert(next);
    }
    assert_eq!(reached.len(), nodes, "in one piece");
}

fn assert_found_each_other(mut world: World) {
    world.seconds(120);
    for index in 0..12 {
        // All call the seed, and nobody is left for it to call.
        let knows_all = (0..12).all(|other| other == index || world.is_linked(index, other));
        let outbound = world.outbound(index).len();
        assert!(
            outbound == TARGET || knows_all,
            "{outbound} outbound of node {index}"
        );
    }
    assert_connected(&world, 12);
    // It stays so: nobody hangs up on anybody but after a test of an address.
    let links = world.links.clone();
    world.seconds(600);
    assert!(links.is_subset(&world.links));
    // Nobody has anything to say against anybody.
    let refused = |(_, event): &&(usize, Event)| matches!(event, Event::Rejected { .. });
    assert_eq!(world.events.iter().find(refused), None);
}

#[test]
fn nodes_that_know_one_seed_find_each_other() {
    assert_found_each_other(twelve(public, false));
}

#[test]
fn a_network_on_one_machine_finds_itself() {
    assert_found_each_other(twelve(
        |owner| format!("127.0.0.1:{}", 4_000 + u16::from(owner)),
        true,
    ));
}

#[test]
fn local_addresses_are_not_taken_where_they_lead_nowhere() {
    let world = {
        let mut world = twelve(|owner| format!("10.0.0.{owner}:4000"), false);
        world.seconds(120);
        world
    };
    // Only the seed, which the operator has named.
    assert_eq!(world.outbound(0), []);
    for index in 1..12 {
        assert_eq!(world.outbound(index), [0]);
    }
}

#[test]
fn the_same_seeds_and_inputs_lead_to_the_same_network() {
    let links = || {
        let mut world = twelve(public, false);
        world.seconds(300);
        (world.links, world.calls)
    };
    assert_eq!(links(), links());
}

#[test]
fn who_is_gone_is_replaced() {
    let mut world = twelve(public, false);
    world.seconds(120);
    let gone = world.outbound(3)[0];
    // Nobody listens there any more.
    world.addresses[gone] = address("1.1.1.1:1");
    for other in 0..12 {
        world.hang_up(gone, other);
    }
    world.seconds(60);
    assert_eq!(world.outbound(3).len(), TARGET);
    assert!(!world.outbound(3).contains(&gone));
}

#[test]
fn anchors_are_called_first_after_a_restart() {
    let mut world = twelve(public, false);
    world.seconds(1_000);
    let before: BTreeSet<NetAddress> = world
        .outbound(5)
        .into_iter()
        .map(|other| world.addresses[other])
        .collect();
    let saved = world.records[5]
        .iter()
        .rfind(|record| matches!(record, Record::Peers(_)))
        .expect("the book was saved");
    let saves = world.records[5]
        .iter()
        .filter(|record| matches!(record, Record::Peers(_)))
        .count();
    assert!(saves <= 2, "{saves} saves in 1,000 seconds");
    let bytes = encode(saved);
    let saved: Record = decode(&bytes, bytes.len()).unwrap();
    for other in 0..12 {
        world.hang_up(5, other);
    }
    let network = NetworkConfig {
        seeds: vec![address(&public(1))],
        outbound: TARGET,
        listen: Some(address(&public(6))),
        ..NetworkConfig::default()
    };
    let node = Node::recover(super::world::open_config(6, network), [saved]);
    let known = node.address_book().unwrap().len();
    assert!((TARGET..=11).contains(&known), "{known} others are remembered");
    world.calls.clear();
    world.actors[5] = Actor::Node(Box::new(node));
    world.give(5, camelid_core::process::Input::Start);
    let first: BTreeSet<NetAddress> = world.calls.iter().take(2).map(|(_, address)| *address).collect();
    assert!(first.is_subset(&before), "{first:?} of {before:?}");
}

/// 2,000 addresses in one /16, all of which answer, told over and over by peers from there.
#[test]
fn a_flood_of_one_groups_addresses_gets_one_outbound_connection() {
    let mut world = twelve(public, false);
    world.seconds(120);
    let victim = 7;
    let attackers: Vec<usize> = (0..12u8)
        .map(|number| {
            let script = Script::new(100 + number, Vec::new(), false);
            world.add(
                Actor::Script(script),
                address(&format!("66.6.0.{}:4000", number + 1)),
            )
        })
        .collect();
    for round in 0..40u32 {
        for attacker in &attackers {
            world.call(*attacker, victim);
            let told = (0..1_000u32).map(|number| {
                let number = (round * 1_000 + number) % 2_000;
                PeerAddress {
                    address: address(&format!("66.6.{}.{}:4000", number / 200, number % 200 + 1)),
                    services: Services::CHAIN,
                    last_seen: world.now.timestamp(),
                }
            });
            let addresses = BoundedVec::from_vec(told.collect()).unwrap();
            world.tell(*attacker, victim, &Message::Addresses(addresses));
        }
        // The victim loses a peer now and then, which is what the attacker waits for.
        if let Some(peer) = world.outbound(victim).first().copied() {
            world.hang_up(victim, peer);
        }
        world.seconds(20);
        let outbound = world.outbound(victim);
        let hostile = outbound.iter().filter(|peer| **peer >= 12).count();
        assert!(
            hostile <= 2,
            "one, and perhaps one that is only tested: {outbound:?}"
        );
    }
    world.seconds(300);
    assert_eq!(
        world.outbound(victim).iter().filter(|peer| **peer < 12).count(),
        TARGET - hostile(&world, victim)
    );
    let book = world.node(victim).address_book().unwrap();
    let group = NetGroup::of(&address("66.6.0.1:1"));
    let buckets: BTreeSet<u16> = book
        .buckets(Standing::New)
        .filter(|(_, address)| NetGroup::of(address) == group)
        .map(|(bucket, _)| bucket)
        .collect();
    assert!(buckets.len() <= usize::from(SOURCE_NEW_BUCKETS), "{buckets:?}");
    let honest = book
        .iter()
        .filter(|known| NetGroup::of(&known.address) != group)
        .count();
    assert_eq!(honest, 11, "all honest nodes are still known");
    assert_conserved(world.node(victim).chain().ledger());
}

fn hostile(world: &World, victim: usize) -> usize {
    let hostile = world.outbound(victim).iter().filter(|peer| **peer >= 12).count();
    assert!(hostile <= 1);
    hostile
}
