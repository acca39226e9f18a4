//! The address book: bounds that hold under any flood.

use super::support::*;
use camelid_core::keys::NodeId;
use camelid_core::peers::{
    AddressBook, Bans, GROUP_TRIED_BUCKETS, MAX_CONTESTED, NEW_BUCKETS, NetGroup, SLOTS, SOURCE_NEW_BUCKETS,
    SavedPeers, Standing, TRIED_BUCKETS,
};
use camelid_core::primitives::{BoundedVec, Timestamp, decode, encode};
use camelid_core::wire::{NetAddress, PeerAddress, Services};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::net::SocketAddr;

const NOW: Timestamp = Timestamp(1_700_000_000);

fn v4(ip: [u8; 4], port: u16) -> NetAddress {
    SocketAddr::from((ip, port)).into()
}

fn group(a: u8, b: u8) -> NetGroup {
    NetGroup::of(&v4([a, b, 1, 1], 1))
}

fn told(address: NetAddress) -> PeerAddress {
    PeerAddress {
        address,
        services: Services::CHAIN,
        last_seen: NOW,
    }
}

fn node() -> NodeId {
    secret(NODE).node_id()
}

/// Buckets of a table with addresses that `mine` claims.
fn buckets(book: &AddressBook, standing: Standing, mine: impl Fn(&NetAddress) -> bool) -> BTreeSet<u16> {
    let mine = book.buckets(standing).filter(|(_, address)| mine(address));
    mine.map(|(bucket, _)| bucket).collect()
}

#[derive(Clone, Debug)]
enum Step {
    Add([u8; 4], u16, [u8; 2]),
    Success([u8; 4], u16),
    Failure([u8; 4], u16),
    Forget([u8; 4], u16),
    Wait(u32),
}

fn step() -> impl Strategy<Value = Step> {
    // Few hosts, so that steps meet.
    let ip = || prop_oneof![any::<[u8; 4]>(), (1u8..4, 1u8..4).prop_map(|(a, b)| [a, b, 1, 1])];
    let port = || 0u16..3;
    prop_oneof![
        6 => (ip(), port(), any::<[u8; 2]>()).prop_map(|(ip, port, source)| Step::Add(ip, port, source)),
        3 => (ip(), port()).prop_map(|(ip, port)| Step::Success(ip, port)),
        3 => (ip(), port()).prop_map(|(ip, port)| Step::Failure(ip, port)),
        1 => (ip(), port()).prop_map(|(ip, port)| Step::Forget(ip, port)),
        1 => (0u32..2_000_000).prop_map(Step::Wait),
    ]
}

fn play(key: [u8; 32], steps: &[Step]) -> AddressBook {
    let (mut book, mut now) = (AddressBook::new(key), NOW);
    for step in steps {
        match step {
            Step::Add(ip, port, [a, b]) => {
                let told = PeerAddress {
                    last_seen: now,
                    ..told(v4(*ip, *port))
                };
                book.add(now, &told, group(*a, *b));
            }
            Step::Success(ip, port) => book.note_success(now, &v4(*ip, *port), node()),
            Step::Failure(ip, port) => book.note_failure(now, &v4(*ip, *port)),
            Step::Forget(ip, port) => book.forget(&v4(*ip, *port)),
            Step::Wait(seconds) => now = Timestamp(now.0 + seconds),
        }
    }
    book
}

/// Each address stands in one place of the table that its entry names, and all places are used by one.
fn assert_sound(book: &AddressBook) {
    for standing in [Standing::New, Standing::Tried] {
        let places: Vec<_> = book.buckets(standing).collect();
        let entries = book.iter().filter(|known| known.standing == standing).count();
        assert_eq!(places.len(), entries);
        let addresses: BTreeSet<_> = places.iter().map(|(_, address)| **address).collect();
        assert_eq!(addresses.len(), places.len());
        for (bucket, address) in places {
            assert_eq!(book.get(address).unwrap().standing, standing);
            let limit = match standing {
                Standing::New => NEW_BUCKETS,
                Standing::Tried => TRIED_BUCKETS,
            };
            assert!(bucket < limit);
        }
    }
    assert!(book.contested().count() <= MAX_CONTESTED);
    for contested in book.contested() {
        assert_eq!(book.get(contested).unwrap().standing, Standing::Tried);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_order_of_steps_leaves_it_sound(key in any::<[u8; 32]>(), steps in prop::collection::vec(step(), 0..400)) {
        assert_sound(&play(key, &steps));
    }

    #[test]
    fn the_same_steps_lead_to_the_same_book_and_draws(key in any::<[u8; 32]>(), steps in prop::collection::vec(step(), 0..200)) {
        let [mut one, mut other] = [play(key, &steps), play(key, &steps)];
        prop_assert_eq!(saved(&one), saved(&other));
        for _ in 0..10 {
            prop_assert_eq!(one.select(NOW, |_| true), other.select(NOW, |_| true));
        }
        prop_assert_eq!(one.sample(NOW), other.sample(NOW));
    }

    /// What is restored is what was saved, all in its place.
    #[test]
    fn saved_books_come_back(key in any::<[u8; 32]>(), steps in prop::collection::vec(step(), 0..300)) {
        let book = play(key, &steps);
        let bytes = encode(&saved(&book));
        let read: SavedPeers = decode(&bytes, bytes.len()).unwrap();
        let (mut restored, mut bans) = (AddressBook::new(key), Bans::default());
        read.restore(&mut restored, &mut bans);
        assert_sound(&restored);
        prop_assert_eq!(encode(&saved(&restored)), bytes);
        // Under another key some places may be taken; the book is sound all the same.
        let (mut moved, mut bans) = (AddressBook::new([1; 32]), Bans::default());
        saved(&book).restore(&mut moved, &mut bans);
        assert_sound(&moved);
    }

    /// One source, whatever it tells of, gets at most its share of `new`; and one group, whoever tells of
    /// it, gets nothing of `tried` before it answers and at most its share after.
    #[test]
    fn one_party_gets_its_share(key in any::<[u8; 32]>(), hosts in prop::collection::vec(any::<[u8; 2]>(), 1..3_000)) {
        let mut book = AddressBook::new(key);
        let (evil, mine) = (group(66, 6), |address: &NetAddress| NetGroup::of(address) == group(66, 6));
        for [c, d] in &hosts {
            book.add(NOW, &told(v4([66, 6, *c, *d], 1)), evil);
            book.add(NOW, &told(v4([c / 2 + 64, *d, 1, 1], 1)), evil);
        }
        prop_assert!(buckets(&book, Standing::New, |_| true).len() <= usize::from(SOURCE_NEW_BUCKETS));
        // One source's word on one group fills a single bucket.
        prop_assert!(buckets(&book, Standing::New, mine).len() <= 1);
        prop_assert_eq!(book.buckets(Standing::Tried).count(), 0);
        for [c, d] in &hosts {
            book.note_success(NOW, &v4([66, 6, *c, *d], 1), node());
        }
        prop_assert!(buckets(&book, Standing::Tried, mine).len() <= usize::from(GROUP_TRIED_BUCKETS));
        assert_sound(&book);
    }
}

fn saved(book: &AddressBook) -> SavedPeers {
    SavedPeers::new(book, BoundedVec::new(), &Bans::default())
}

#[test]
fn a_flood_from_everywhere_stays_within_the_tables() {
    let mut book = AddressBook::new([7; 32]);
    for number in 0..60_000u32 {
        let [_, a, b, c] = number.to_be_bytes();
        let address = v4([c / 2 + 1, b, a, c], 1);
        book.add(NOW, &told(address), group(b, c));
        if number % 3 == 0 {
            book.note_success(NOW, &address, node());
        }
    }
    let (new, tried) = (
        book.buckets(Standing::New).count(),
        book.buckets(Standing::Tried).count(),
    );
    assert!(new <= usize::from(NEW_BUCKETS * SLOTS) && tried <= usize::from(TRIED_BUCKETS * SLOTS));
    assert!(
        new > 10_000 && tried > 3_000,
        "{new} and {tried}: the tables are used"
    );
    let bytes = encode(&saved(&book)).len();
    assert!(bytes < 3_000_000, "{bytes} bytes");
}

/// Draws favour no full bucket: an attacker that fills its share of the buckets to the brim is drawn in
/// about that share of the draws, not as often as it has addresses.
#[test]
fn full_buckets_are_not_drawn_more_often() {
    let mut book = AddressBook::new([7; 32]);
    let evil = group(66, 6);
    for number in 0..60_000u32 {
        let [_, _, c, d] = number.to_be_bytes();
        book.add(NOW, &told(v4([c / 2 + 64, d, 1, 1], 1)), evil);
    }
    for number in 0..400u16 {
        let [a, b] = number.to_be_bytes();
        book.add(NOW, &told(v4([20 + a, b, 1, 1], 1)), group(20 + a, b));
    }
    let hostile = book.iter().filter(|known| known.source == evil).count();
    assert!(hostile > 700, "{hostile}");
    let mut drawn = 0;
    for _ in 0..1_000 {
        let address = book.select(NOW, |_| true).unwrap();
        drawn += u32::from(book.get(&address).unwrap().source == evil);
    }
    // A sixteenth would be 62.
    assert!(drawn < 150, "{drawn} of 1,000 draws");
}

#[test]
fn nobody_who_still_answers_loses_a_tried_place() {
    let mut book = AddressBook::new([7; 32]);
    let hosts: Vec<NetAddress> = (0..2_000u16)
        .map(|number| {
            let [c, d] = number.to_be_bytes();
            v4([66, 6, c, d], 1)
        })
        .collect();
    for address in &hosts {
        book.note_success(NOW, address, node());
    }
    let first: BTreeSet<NetAddress> = book
        .buckets(Standing::Tried)
        .map(|(_, address)| *address)
        .collect();
    assert!(first.len() <= usize::from(GROUP_TRIED_BUCKETS * SLOTS));
    for address in &hosts {
        book.note_success(NOW, address, node());
    }
    let holders: Vec<NetAddress> = book.contested().copied().collect();
    assert_eq!(holders.len(), MAX_CONTESTED);
    let still =
        |book: &AddressBook, address| book.get(address).map(|known| known.standing) == Some(Standing::Tried);
    assert!(first.iter().all(|address| still(&book, address)));
    // One that has failed since gives way.
    let later = Timestamp(NOW.0 + 100);
    book.note_failure(later, &holders[0]);
    for address in &hosts {
        book.note_success(Timestamp(NOW.0 + 200), address, node());
        if !still(&book, &holders[0]) {
            break;
        }
    }
    assert_sound(&book);
}

#[test]
fn without_a_network_nobody_is_given_up() {
    let mut book = AddressBook::new([7; 32]);
    let address = v4([40, 1, 1, 1], 1);
    book.add(NOW, &told(address), group(40, 2));
    for minutes in 1..100 {
        book.note_failure(Timestamp(NOW.0 + minutes * 60), &address);
    }
    let now = Timestamp(NOW.0 + 10_000);
    assert_eq!(book.get(&address).unwrap().failures, 1);
    assert!(!book.get(&address).unwrap().is_terrible(now));
    // Others answer, this one does not.
    for minutes in 0..3 {
        let now = Timestamp(now.0 + minutes * 60);
        book.note_success(now, &v4([41, 1, 1, 1], 1), node());
        book.note_failure(now, &address);
    }
    assert!(book.get(&address).unwrap().is_terrible(Timestamp(now.0 + 1_000)));
}

#[test]
fn hostile_bytes_are_refused() {
    let mut book = AddressBook::new([7; 32]);
    book.note_success(NOW, &v4([40, 1, 1, 1], 1), node());
    let bytes = encode(&saved(&book));
    assert!(decode::<SavedPeers>(&bytes, 1_000).is_ok());
    let mut future = bytes.clone();
    future[0] = 2;
    assert!(decode::<SavedPeers>(&future, 1_000).is_err(), "another version");
    let mut many = bytes.clone();
    many[1..5].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(decode::<SavedPeers>(&many, 1_000).is_err(), "too many entries");
    let longer = [&bytes[..], &[0]].concat();
    assert!(decode::<SavedPeers>(&longer, 1_000).is_err());
    for length in 0..bytes.len() {
        assert!(decode::<SavedPeers>(&bytes[..length], 1_000).is_err());
    }
}

#[test]
fn addresses_made_from_others_belong_to_their_group() {
    let of = |text: &str| NetGroup::of(&text.parse::<SocketAddr>().unwrap().into());
    let plain = of("9.8.7.6:1");
    assert_eq!(plain, NetGroup::V4([9, 8]));
    for made in [
        "[2002:908:706::1]:1",
        "[64:ff9b::908:706]:1",
        "[2001:0:1:2:3:4:f6f7:f8f9]:1",
        "[::ffff:9.8.1.1]:5",
    ] {
        assert_eq!(of(made), plain, "{made}");
    }
    assert_eq!(of("[2a00:1:2::1]:1"), NetGroup::V6([0x2a, 0, 0, 1]));
    assert_ne!(of("127.0.0.1:1"), of("127.0.0.1:2"));
    assert!(of("192.168.0.1:1").is_local() && of("[::1]:1").is_local());
}
