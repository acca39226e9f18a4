//! `camelid_core::wire`.

use crate::workshop::{CLIENT, Workshop, key};
use camelid_core::primitives::BoundedVec;
use camelid_core::wire::{Envelope, EnvelopeError, MAX_HOPS, Message};
use core::hint::black_box;

/// An envelope there and back, one that is damaged, and one with a message from the future.
pub fn probe() {
    let workshop = Workshop::new();
    let (magic, sender) = (workshop.params.magic, key(CLIENT).node_id());
    let locator = BoundedVec::from_vec(workshop.chain.locator()).expect("a locator fits");
    let message = Message::GetHeaders(locator);
    let envelope =
        Envelope::new(magic, sender, None, black_box(1), MAX_HOPS, &message).expect("a small message");
    let mut packet = envelope.to_packet().to_vec();
    let read = Envelope::from_packet(black_box(&packet), magic).expect("it was just encoded");
    assert_eq!(read.message(), Ok(Some(message)));

    if let Some(last) = packet.last_mut() {
        *last ^= black_box(1);
    }
    assert_eq!(
        Envelope::from_packet(&packet, magic),
        Err(EnvelopeError::Checksum)
    );
    assert_eq!(Message::from_parts(black_box(200), &[1, 2, 3]), Ok(None));
}
