//! Who has to go when too many call.

use super::support::*;
use super::talk::{Talk, id};
use super::world::address;
use camelid_core::node::NetworkConfig;
use camelid_core::peers::{Candidate, NetGroup, choose_victim};
use camelid_core::primitives::Time;
use camelid_core::process::Direction;
use proptest::prelude::*;

/// Candidate `number` of the host `host`, in the order in which they called.
fn candidate(number: u8, host: [u8; 4], news: u64) -> Candidate {
    let address = std::net::SocketAddr::from((host, 1)).into();
    Candidate {
        peer: id(number),
        group: NetGroup::of(&address),
        opened: Time(1_000 + u64::from(number)),
        last_block: Time(news),
        last_transaction: Time(news),
    }
}

#[test]
fn few_are_all_protected() {
    let few = (1..=12).map(|number| candidate(number, [number, 1, 1, 1], 0));
    assert_eq!(choose_victim(&[1; 32], few.collect()), None);
}

proptest! {
    /// An attacker who calls often, from one group, after the honest ones and without giving anything, only
    /// ever drives out its own.
    #[test]
    fn a_crowd_drives_out_its_own(key in any::<[u8; 32]>(), honest in 1u8..16, crowd in 30u8..100) {
        let all = (1..=honest)
            .map(|number| candidate(number, [number + 10, 1, 1, 1], u64::from(number)))
            .chain((0..crowd).map(|number| candidate(100 + number, [66, 6, number, 1], 0)));
        let victim = choose_victim(&key, all.collect()).expect("somebody has to go");
        prop_assert!((0..crowd).any(|number| id(100 + number) == victim));
    }

    #[test]
    fn the_choice_depends_on_nothing_else(key in any::<[u8; 32]>(), numbers in prop::collection::btree_set(1u8..120, 1..60)) {
        let all: Vec<_> = numbers.iter().map(|number| candidate(*number, [number / 4 + 1, 1, 1, 1], 0)).collect();
        let reversed = all.iter().rev().copied().collect();
        prop_assert_eq!(choose_victim(&key, all), choose_victim(&key, reversed));
    }
}

#[test]
fn inbound_connections_are_bounded() {
    let mut talk = Talk::with(NetworkConfig {
        outbound: 0,
        max_inbound: 20,
        listen: Some(address("31.1.0.1:4000")),
        ..NetworkConfig::default()
    });
    for number in 0..100u8 {
        talk.now = talk.now.after_ms(1_000);
        talk.open(100 + number, &format!("66.6.0.{number}:1"), Direction::Inbound);
        assert!(talk.node.peers().len() <= 20);
        assert_eq!(talk.node.peers().len(), talk.node.connections().len());
    }
    assert_eq!(talk.node.peers().len(), 20);
    assert_eq!(talk.disconnected.len(), 80);
    // Few enough to be all protected: the next one has to go itself.
    let mut small = Talk::with(NetworkConfig {
        outbound: 0,
        max_inbound: 3,
        ..NetworkConfig::default()
    });
    for number in 10..20u8 {
        small.is_called_by(number);
    }
    assert_eq!(small.node.peers(), [id(10), id(11), id(12)]);
    assert_conserved(small.node.chain().ledger());
}
