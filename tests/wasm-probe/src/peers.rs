//! `camelid_core::peers`.

use crate::workshop::{CLIENT, key};
use camelid_core::peers::{
    AddressBook, BAN_POINTS, Bans, Candidate, Conduct, NetGroup, Offence, SavedPeers, Standing, choose_victim,
};
use camelid_core::primitives::{BoundedVec, Time, Timestamp, decode, encode};
use camelid_core::wire::{NetAddress, PeerAddress, Services};
use core::hint::black_box;
use core::net::SocketAddr;

/// A book that is filled, drawn from, saved and restored; a ban; a choice among callers.
pub fn probe() {
    let (now, node) = (Timestamp(black_box(1_700_000_000)), key(CLIENT).node_id());
    let (mut book, mut bans) = (AddressBook::new(black_box([3; 32])), Bans::default());
    for number in 0..40u8 {
        let told = PeerAddress {
            address: address(number),
            services: Services::CHAIN,
            last_seen: now,
        };
        book.add(now, &told, NetGroup::of(&address(200)));
    }
    book.note_success(now, &address(1), node);
    book.note_failure(now, &address(2));
    assert!(book.select(now, |known| known.standing == Standing::Tried) == Some(address(1)));
    assert!(!book.sample(now).is_empty());

    let mut conduct = Conduct::default();
    assert!(conduct.admit(Time(1), black_box(3)));
    assert!(conduct.note(Time(1), Offence::InvalidBlock) && conduct.points() >= BAN_POINTS);
    bans.add(now, node, &address(1));

    let saved = SavedPeers::new(&book, BoundedVec::new(), &bans);
    let read: SavedPeers = decode(&encode(&saved), 1 << 20).expect("it was just encoded");
    let (mut restored, mut again) = (AddressBook::new([3; 32]), Bans::default());
    read.restore(&mut restored, &mut again);
    assert!(restored.len() == book.len() && again.has_node(now, node));

    let candidates = (0..40u8).map(|number| Candidate {
        peer: key(number + 1).node_id(),
        group: NetGroup::of(&address(number)),
        opened: Time(u64::from(number)),
        last_block: Time(0),
        last_transaction: Time(0),
    });
    black_box(choose_victim(&black_box([3; 32]), candidates.collect()));
}

fn address(number: u8) -> NetAddress {
    SocketAddr::from(([black_box(20), number, 0, 1], 4_000)).into()
}
