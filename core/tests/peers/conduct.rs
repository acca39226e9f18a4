//! Who does what honest nodes do not do is sent away; who does what can happen to them is not.

use super::support::*;
use super::talk::{OWN, Talk, id};
use super::world::{address, open_config};
use camelid_core::block::{BlockHeader, genesis_block};
use camelid_core::node::{NetworkConfig, Node, Record};
use camelid_core::peers::{
    AddressBook, Allowance, BAN_POINTS, BAN_S, Bans, Conduct, MAX_BANS, Offence, Rate, SavedPeers,
};
use camelid_core::primitives::{BlockHash, BoundedVec, Hash256, Time, Timestamp, Wtxid};
use camelid_core::process::{Direction, Input, Timer};
use camelid_core::wire::{Envelope, Message, Packet};
use proptest::prelude::*;

const PEER: u8 = 5;
const OTHER: u8 = 6;

fn talk() -> Talk {
    let mut talk = Talk::new();
    talk.is_called_by(PEER);
    talk.is_called_by(OTHER);
    talk
}

/// A header on the genesis block.
fn header(nonce_works: bool) -> BlockHeader {
    let genesis = genesis_block(&network()).header;
    let mut header = BlockHeader {
        previous: genesis.hash(),
        merkle_root: Hash256([5; 32]),
        time: Timestamp(genesis.time.0 + 60),
        ..genesis
    };
    while header.check_work().is_ok() != nonce_works {
        header.nonce += 1;
    }
    header
}

fn headers(headers: Vec<BlockHeader>) -> Message {
    Message::Headers(BoundedVec::from_vec(headers).unwrap())
}

/// What `message` and its like cost.
fn is_banned_after(times: usize, message: &Message) -> bool {
    let mut talk = talk();
    for _ in 0..times {
        talk.hear(PEER, message);
    }
    talk.disconnected == [id(PEER)] && !talk.node.peers().contains(&id(PEER))
}

#[test]
fn a_breach_of_the_protocol_is_the_last() {
    let stray = BlockHeader {
        previous: BlockHash([9; 32]),
        ..header(true)
    };
    let invalid = Message::Block(Box::new(camelid_core::block::Block {
        header: header(true),
        transactions: BoundedVec::new(),
    }));
    for breach in [
        headers(vec![header(false)]),
        headers(vec![header(true), stray]),
        invalid,
    ] {
        assert!(is_banned_after(1, &breach), "{breach:?}");
    }
    let packets: [fn(&mut Talk) -> Packet; 3] = [
        |_| Packet::from(vec![0xff; 100]),
        |talk| {
            let packet = talk.packet(PEER, &Message::GetAddresses);
            Packet::from(packet[..packet.len() - 1].to_vec())
        },
        |_| {
            let foreign = Envelope::new(*b"NONE", id(PEER), None, 1, 0, &Message::GetAddresses);
            foreign.unwrap().to_packet()
        },
    ];
    for packet in packets {
        let mut talk = talk();
        let packet = packet(&mut talk);
        talk.hear_packet(PEER, packet);
        assert_eq!(talk.disconnected, [id(PEER)]);
    }
}

#[test]
fn what_happens_to_honest_nodes_is_not_held_against_them() {
    let mut late = header(true);
    late.time = Timestamp(u32::MAX);
    solve(&mut late);
    let params = network();
    // Spends a coin twice over: against the rules, but so may be our tip.
    let fund = genesis_fund(&params, CLIENT, 0);
    let genesis = genesis_block(&params).header.hash();
    let too_much = payment(&genesis, &[fund], vec![pay_to(CLIENT, coins(1_000))]);
    for message in [
        headers(vec![late]),
        Message::Transaction(Box::new(too_much)),
        Message::Inventory(BoundedVec::from_vec(vec![Wtxid([1; 32])]).unwrap()),
        Message::GetBlocks(BoundedVec::from_vec(vec![BlockHash([1; 32])]).unwrap()),
    ] {
        assert!(!is_banned_after(50, &message), "{message:?}");
    }
    // A block whose parents were missed is announced.
    let mut announced = header(true);
    announced.previous = BlockHash([9; 32]);
    solve(&mut announced);
    let answers = talk().hear(PEER, &headers(vec![announced]));
    assert!(matches!(&answers[..], [(to, Message::GetHeaders(_))] if *to == id(PEER)));
    assert!(!is_banned_after(50, &headers(vec![announced])));
}

#[test]
fn what_goes_on_from_nothing_adds_up() {
    let mut first = header(true);
    first.previous = BlockHash([9; 32]);
    solve(&mut first);
    let mut second = header(true);
    second.previous = first.hash();
    solve(&mut second);
    let message = headers(vec![first, second]);
    assert!(!is_banned_after(9, &message));
    assert!(is_banned_after(10, &message));
}

#[test]
fn a_ban_holds_for_a_day_for_node_and_host() {
    let mut talk = talk();
    talk.hear_packet(PEER, Packet::from(vec![0xff; 100]));
    talk.disconnected.clear();
    // What it says now is not heard, and calls for no second ban.
    talk.hear_packet(PEER, Packet::from(vec![0xff; 100]));
    assert_eq!(talk.refusals.len(), 1, "{:?}", talk.refusals);
    assert_eq!((&talk.banned[..], talk.disconnected.len()), (&[id(PEER)][..], 0));
    talk.close(PEER);
    talk.open(PEER, "77.1.0.1:50000", Direction::Inbound);
    assert_eq!(talk.disconnected, [id(PEER)], "from elsewhere");
    talk.open(8, &format!("{PEER}.7.0.1:999"), Direction::Inbound);
    assert_eq!(talk.disconnected, [id(PEER), id(8)], "under another name");
    assert_eq!(talk.node.peers(), [id(OTHER)]);
    talk.wait_s(u64::from(BAN_S));
    talk.is_called_by(PEER);
    assert!(talk.node.peers().contains(&id(PEER)), "a day later");
}

#[test]
fn a_ban_is_saved_although_nothing_else_has_changed() {
    let mut talk = talk();
    talk.wait_s(3_600);
    talk.wait_s(3_600);
    let before = talk.saves;
    talk.wait_s(3_600);
    assert_eq!(talk.saves, before, "nothing has changed");
    talk.hear_packet(PEER, Packet::from(vec![0xff; 100]));
    talk.wait_s(3_600);
    assert_eq!(talk.saves, before + 1);
}

#[test]
fn a_node_tells_after_a_restart_of_bans_that_last_yet() {
    let address = address("5.7.0.1:50000");
    for (age_s, expected) in [(BAN_S - 1, &[id(PEER)][..]), (BAN_S, &[])] {
        let now = Talk::new().now.timestamp();
        let mut bans = Bans::default();
        bans.add(Timestamp(now.0 - age_s), id(PEER), &address);
        let saved = SavedPeers::new(&AddressBook::new([1; 32]), BoundedVec::new(), &bans);
        let record = Record::Peers(Box::new(saved));
        let config = open_config(OWN, NetworkConfig::default());
        assert_eq!(Talk::of(Node::recover(config, [record])).banned, expected);
    }
}

#[test]
fn a_flood_is_ignored_and_then_ends() {
    let mut talk = talk();
    let ask = Message::GetHeaders(BoundedVec::from_vec(vec![network_genesis()]).unwrap());
    talk.hear(OTHER, &headers(vec![header(true)]));
    let rate = camelid_core::peers::rate_of(0);
    for _ in 0..rate.burst + BAN_POINTS - 1 {
        talk.hear(PEER, &ask);
    }
    assert_eq!(talk.disconnected, []);
    // Within its rate it could go on for ever.
    talk.hear(PEER, &ask);
    assert_eq!(talk.disconnected, [id(PEER)]);
    let mut patient = self::talk();
    for _ in 0..2_000 {
        patient.now = patient.now.after_ms(1_000_000 / rate.milli_per_second);
        patient.hear(PEER, &ask);
    }
    assert_eq!(patient.disconnected, []);
}

fn network_genesis() -> BlockHash {
    genesis_block(&network()).header.hash()
}

#[test]
fn all_that_was_said_by_who_is_gone_is_forgotten() {
    let mut talk = talk();
    let wtxid = Wtxid([7; 32]);
    let inventory = Message::Inventory(BoundedVec::from_vec(vec![wtxid]).unwrap());
    talk.hear(PEER, &inventory);
    talk.close(PEER);
    // The one that is left is asked at the next occasion, and nobody asks the one that is gone.
    talk.hear(OTHER, &inventory);
    talk.now = talk.now.after_ms(2_000);
    let said = talk.hear(OTHER, &Message::Inventory(BoundedVec::new()));
    let asks = Message::GetTransactions(BoundedVec::from_vec(vec![wtxid]).unwrap());
    assert_eq!(said, [(id(OTHER), asks)]);
    for (to, _) in talk.input(Input::TimerFired(Timer::Maintenance)) {
        assert_eq!(to, id(OTHER));
    }
}

#[test]
fn points_are_forgiven_one_a_minute() {
    let (mut conduct, start) = (Conduct::default(), Time(1_000_000));
    assert!(!conduct.note(start, Offence::PassedOn));
    assert_eq!(conduct.points(), 20);
    assert!(!conduct.note(start.after_ms(5 * 60_000 + 59_999), Offence::Harmless));
    assert_eq!(conduct.points(), 15);
    assert!(!conduct.note(start.after_ms(6 * 60_000), Offence::Harmless));
    assert_eq!(conduct.points(), 14, "the rest of a minute counts");
    assert!(conduct.note(start.after_ms(6 * 60_000), Offence::InvalidBlock));
}

proptest! {
    /// However it is used, no more comes out than flowed in.
    #[test]
    fn an_allowance_keeps_its_rate(
        milli_per_second in 1u64..5_000,
        burst in 1u32..50,
        gaps in prop::collection::vec(0u64..3_000, 1..300),
    ) {
        let rate = Rate { milli_per_second, burst };
        let (mut now, mut taken) = (Time(1_000), 0u64);
        let mut allowance = Allowance::full(rate, now);
        for gap in gaps {
            now = now.after_ms(gap);
            taken += u64::from(allowance.take(now));
        }
        let elapsed = now.0 - 1_000;
        prop_assert!(taken <= u64::from(burst) + elapsed * milli_per_second / 1_000_000);
    }

    #[test]
    fn bans_are_bounded_and_end(steps in prop::collection::vec((any::<u8>(), any::<[u8; 4]>(), 0u32..90_000), 1..60)) {
        let (mut bans, mut now) = (Bans::default(), Timestamp(1_000_000));
        for (key, ip, gap) in steps {
            now = Timestamp(now.0 + gap);
            let node = secret(key.clamp(1, 200)).node_id();
            let address = std::net::SocketAddr::from((ip, 1)).into();
            bans.add(now, node, &address);
            let last = Timestamp(now.0 + BAN_S - 1);
            prop_assert!(bans.has_node(last, node) && bans.has_address(last, &address));
            prop_assert!(!bans.has_node(Timestamp(now.0 + BAN_S), node));
            prop_assert!(bans.len() <= MAX_BANS);
        }
    }
}

#[test]
fn bans_that_end_first_make_room() {
    let (mut bans, node) = (Bans::default(), id(PEER));
    let host = |number: u32| std::net::SocketAddr::from(((0x0900_0000 + number).to_be_bytes(), 1)).into();
    for number in 0..3_000 {
        bans.add(Timestamp(1_000 + number), node, &host(number));
    }
    let now = Timestamp(4_000);
    assert_eq!(bans.len(), MAX_BANS);
    assert!(bans.has_address(now, &host(2_999)) && !bans.has_address(now, &host(0)));
}
