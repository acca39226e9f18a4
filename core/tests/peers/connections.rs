//! Whom a node calls, how often, and whom it keeps.

use super::talk::{OWN, Talk, id};
use super::world::address;
use camelid_core::node::NetworkConfig;
use camelid_core::peers::Standing;
use camelid_core::primitives::BoundedVec;
use camelid_core::process::{ConnectionEvent, Direction, Input};
use camelid_core::wire::{Message, PeerAddress, Services};

const SEED: &str = "41.1.0.1:4000";

fn talk(outbound: usize) -> Talk {
    Talk::with(NetworkConfig {
        seeds: vec![address(SEED)],
        outbound,
        ..NetworkConfig::default()
    })
}

/// An hour of seconds in which every call fails: when the node called.
fn hours_of_failure(talk: &mut Talk) -> Vec<u64> {
    let mut times = Vec::new();
    for second in 0..3_600 {
        for address in std::mem::take(&mut talk.calls) {
            times.push(second);
            talk.input(Input::Connection(ConnectionEvent::Failed { address }));
        }
        talk.wait_s(1);
    }
    times
}

#[test]
fn who_does_not_answer_is_called_ever_more_seldom() {
    let mut talk = talk(8);
    assert_eq!(talk.calls, [address(SEED)], "at once");
    let times = hours_of_failure(&mut talk);
    let gaps: Vec<u64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!((8..=10).contains(&times.len()), "{times:?}");
    assert!((5..=8).contains(&gaps[0]), "{gaps:?}");
    for pair in gaps.windows(2) {
        assert!(pair[1] > pair[0], "{gaps:?}");
    }
}

#[test]
fn a_call_that_the_transport_forgets_is_given_up() {
    let mut talk = talk(1);
    for _ in 0..29 {
        talk.wait_s(1);
    }
    assert_eq!(talk.calls.len(), 1);
    for _ in 0..10 {
        talk.wait_s(1);
    }
    assert_eq!(talk.calls.len(), 2, "30 seconds, then the pause");
}

#[test]
fn who_hangs_up_at_once_was_not_worth_the_call() {
    let mut talk = talk(1);
    talk.open(5, SEED, Direction::Outbound);
    talk.close(5);
    assert_eq!(talk.calls.len(), 1, "not called again at once");
    for _ in 0..10 {
        talk.wait_s(1);
    }
    assert_eq!(talk.calls.len(), 2);
}

#[test]
fn no_more_than_the_target_are_kept_and_the_oldest_stay() {
    let mut talk = talk(2);
    for peer in 5..9u8 {
        talk.open(peer, &format!("4{peer}.1.0.1:1"), Direction::Outbound);
        talk.now = talk.now.after_ms(10);
    }
    talk.wait_s(1);
    assert_eq!(talk.disconnected, [id(7), id(8)]);
    assert_eq!(talk.node.peers(), [id(5), id(6)]);
}

#[test]
fn two_of_one_group_are_never_called() {
    let mut talk = talk(8);
    talk.open(5, SEED, Direction::Outbound);
    talk.calls.clear();
    let told = (1..=200u8).map(|number| PeerAddress {
        address: address(&format!("50.1.0.{number}:4000")),
        services: Services::CHAIN,
        last_seen: talk.now.timestamp(),
    });
    let told = Message::Addresses(BoundedVec::from_vec(told.collect()).unwrap());
    talk.hear(5, &told);
    for _ in 0..20 {
        talk.wait_s(1);
    }
    assert_eq!(talk.calls.len(), 1, "{:?}", talk.calls);
}

#[test]
fn a_feeler_finds_out_whether_somebody_is_there_and_leaves() {
    let mut talk = talk(1);
    talk.open(5, SEED, Direction::Outbound);
    let told = PeerAddress {
        address: address("50.1.0.1:4000"),
        services: Services::CHAIN,
        last_seen: talk.now.timestamp(),
    };
    talk.hear(5, &Message::Addresses(BoundedVec::from_vec(vec![told]).unwrap()));
    talk.calls.clear();
    for _ in 0..200 {
        talk.wait_s(1);
        if !talk.calls.is_empty() {
            break;
        }
    }
    assert_eq!(talk.calls, [told.address]);
    let said = talk.open(6, "50.1.0.1:4000", Direction::Outbound);
    assert_eq!((said, talk.disconnected.clone()), (Vec::new(), vec![id(6)]));
    assert_eq!(talk.node.peers(), [id(5)]);
    let known = talk.node.address_book().unwrap().get(&told.address).unwrap();
    assert_eq!((known.standing, known.node), (Standing::Tried, Some(id(6))));
}

#[test]
fn a_node_that_meets_itself_does_not_call_itself_again() {
    let mut talk = talk(1);
    talk.open(OWN, SEED, Direction::Outbound);
    assert_eq!(talk.disconnected, [id(OWN)]);
    assert_eq!(talk.node.peers(), []);
    for _ in 0..600 {
        talk.wait_s(1);
    }
    assert_eq!(talk.calls.len(), 1);
}

#[test]
fn a_peer_that_called_is_not_called_in_turn() {
    let mut talk = talk(1);
    talk.calls.clear();
    talk.input(Input::Connection(ConnectionEvent::Failed {
        address: address(SEED),
    }));
    talk.open(5, "41.1.0.1:50000", Direction::Inbound);
    let own = PeerAddress {
        address: address(SEED),
        services: Services::CHAIN,
        last_seen: talk.now.timestamp(),
    };
    talk.hear(5, &Message::Addresses(BoundedVec::from_vec(vec![own]).unwrap()));
    for _ in 0..600 {
        talk.wait_s(1);
    }
    assert_eq!(talk.calls, []);
    talk.close(5);
    assert_eq!(talk.calls, [address(SEED)]);
}
