//! Addresses that peers tell each other.

use super::talk::{Talk, id};
use super::world::address;
use camelid_core::keys::NodeId;
use camelid_core::primitives::{BoundedVec, Timestamp};
use camelid_core::process::Direction;
use camelid_core::wire::{MAX_ADDRESSES, Message, PeerAddress, Services};

const PEER: u8 = 5;

fn told(at: &str, last_seen: Timestamp) -> PeerAddress {
    PeerAddress {
        address: address(at),
        services: Services::CHAIN,
        last_seen,
    }
}

fn addresses(list: Vec<PeerAddress>) -> Message {
    Message::Addresses(BoundedVec::from_vec(list).unwrap())
}

/// `count` addresses, each in a group of its own.
fn many(count: usize, last_seen: Timestamp) -> Vec<PeerAddress> {
    (0..count)
        .map(|number| {
            told(
                &format!("{}.{}.0.1:4000", 40 + number / 250, number % 250),
                last_seen,
            )
        })
        .collect()
}

fn address_answers(said: &[(NodeId, Message)]) -> Vec<(NodeId, Vec<PeerAddress>)> {
    let answer = |(to, message): &(NodeId, Message)| match message {
        Message::Addresses(addresses) => Some((*to, addresses.to_vec())),
        _ => None,
    };
    said.iter().filter_map(answer).collect()
}

/// A node that a peer it has called has told of `count` addresses.
fn informed(count: usize) -> Talk {
    let mut talk = Talk::new();
    talk.open(9, "32.1.0.1:4000", Direction::Outbound);
    let now = talk.now.timestamp();
    talk.hear(9, &addresses(many(count, now)));
    talk
}

#[test]
fn whoever_calls_is_told_of_some_addresses_once() {
    let mut talk = informed(400);
    let known = talk.node.address_book().unwrap().len();
    assert!(known > 100, "{known}");
    talk.is_called_by(PEER);
    let answers = address_answers(&talk.hear(PEER, &Message::GetAddresses));
    let [(to, sample)] = &answers[..] else {
        panic!("{answers:?}")
    };
    assert_eq!((*to, sample.len()), (id(PEER), known * 230 / 1_000));
    assert_eq!(address_answers(&talk.hear(PEER, &Message::GetAddresses)), []);
    // Whom the node has called gets no answer.
    assert_eq!(address_answers(&talk.hear(9, &Message::GetAddresses)), []);
    // Another one gets another sample.
    talk.is_called_by(6);
    let answers = address_answers(&talk.hear(6, &Message::GetAddresses));
    assert_ne!(answers[0].1, *sample);
}

#[test]
fn whom_a_node_calls_hears_of_its_address_and_is_asked_for_others() {
    let mut talk = Talk::new();
    let said = talk.open(9, "32.1.0.1:4000", Direction::Outbound);
    let own = told("31.1.0.1:4000", talk.now.timestamp());
    assert_eq!(address_answers(&said), [(id(9), vec![own])]);
    assert!(said.contains(&(id(9), Message::GetAddresses)));
    // Who calls is not asked: it could choose the answers.
    let said = talk.is_called_by(PEER);
    assert!(!said.iter().any(|(_, message)| *message == Message::GetAddresses));
}

#[test]
fn who_was_not_asked_may_tell_of_one_address_in_ten_seconds() {
    let mut talk = Talk::new();
    talk.is_called_by(PEER);
    let all = many(500, talk.now.timestamp());
    talk.hear(PEER, &addresses(all.clone()));
    assert_eq!(talk.node.address_book().unwrap().len(), 1);
    talk.wait_s(100);
    talk.hear(PEER, &addresses(all[1..].to_vec()));
    assert_eq!(talk.node.address_book().unwrap().len(), 11);
}

#[test]
fn news_is_passed_on_to_two_once() {
    let mut talk = Talk::new();
    for peer in 5..=12 {
        talk.is_called_by(peer);
    }
    let now = talk.now.timestamp();
    let news = told("40.1.0.1:4000", now);
    let passed = address_answers(&talk.hear(PEER, &addresses(vec![news])));
    assert_eq!(passed.len(), 2);
    for (to, list) in &passed {
        assert!(*to != id(PEER) && *list == [news]);
    }
    // It comes back from the others, and goes no further.
    assert_eq!(address_answers(&talk.hear(6, &addresses(vec![news]))), []);
    // What is old is no news, and neither is a long list.
    let old = told("40.2.0.1:4000", Timestamp(now.0 - 601));
    assert_eq!(address_answers(&talk.hear(7, &addresses(vec![old]))), []);
    assert_eq!(address_answers(&talk.hear(8, &addresses(many(11, now)))), []);
}

#[test]
fn a_time_from_the_future_is_taken_for_days_ago() {
    let mut talk = Talk::new();
    talk.open(9, "32.1.0.1:4000", Direction::Outbound);
    let now = talk.now.timestamp();
    let soon = Timestamp(now.0 + 600);
    for (at, seen, kept) in [
        ("40.1.0.1:1", Timestamp(u32::MAX), Timestamp(now.0 - 5 * 86_400)),
        ("40.2.0.1:1", Timestamp(0), Timestamp(now.0 - 5 * 86_400)),
        ("40.3.0.1:1", soon, now),
        ("40.4.0.1:1", Timestamp(now.0 - 7), Timestamp(now.0 - 7)),
    ] {
        talk.hear(9, &addresses(vec![told(at, seen)]));
        let known = talk.node.address_book().unwrap().get(&address(at)).unwrap();
        assert_eq!(known.last_seen, kept, "{at}");
    }
}

#[test]
fn addresses_that_lead_nowhere_are_not_kept() {
    let mut talk = informed(0);
    let now = talk.now.timestamp();
    for at in [
        "0.0.0.0:1",
        "1.2.3.4:0",
        "127.0.0.1:1",
        "10.1.2.3:1",
        "192.168.1.1:1",
        "172.16.0.1:1",
        "169.254.1.1:1",
        "100.64.0.1:1",
        "224.0.0.1:1",
        "255.255.255.255:1",
        "198.18.0.1:1",
        "[::1]:1",
        "[::]:1",
        "[fe80::1]:1",
        "[fc00::1]:1",
        "[ff02::1]:1",
        "[2001:db8::1]:1",
        // Its own.
        "31.1.0.1:4000",
    ] {
        talk.hear(9, &addresses(vec![told(at, now)]));
        assert_eq!(talk.node.address_book().unwrap().get(&address(at)), None, "{at}");
    }
    talk.hear(9, &addresses(vec![told("[2a00::1]:1", now)]));
    assert!(
        talk.node
            .address_book()
            .unwrap()
            .get(&address("[2a00::1]:1"))
            .is_some()
    );
    assert!(
        Message::Addresses(BoundedVec::from_vec(many(MAX_ADDRESSES, now)).unwrap())
            .to_parts()
            .1
            .len()
            < 40_000
    );
}

#[test]
fn nodes_without_an_open_network_neither_ask_nor_answer() {
    use super::support::network::config;
    use camelid_core::process::{Input, Outputs, Process as _};
    let mut node = camelid_core::node::Node::new(config(1, &[PEER]));
    let mut talk = Talk::new();
    for message in [Message::GetAddresses, addresses(many(3, talk.now.timestamp()))] {
        let packet = talk.packet(PEER, &message);
        let mut out = Outputs::new();
        let from = id(PEER);
        node.handle(talk.now, Input::Message { from, packet }, &mut out);
        assert_eq!(out.take(), []);
    }
    assert!(node.address_book().is_none());
}
