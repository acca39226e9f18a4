//! Every decoder for bytes from outside.

use camelid_core::block::{Block, BlockHeader};
use camelid_core::committee::{Ballot, Registration, Ticket};
use camelid_core::dispute::{BadDelivery, Evidence};
use camelid_core::escrow::JobRecord;
use camelid_core::job::{Offer, SignedDelivery, Terms};
use camelid_core::model::Manifest;
use camelid_core::node::Record;
use camelid_core::params::Params;
use camelid_core::primitives::{MerkleProof, decode, encode};
use camelid_core::script::Script;
use camelid_core::tx::Transaction;
use camelid_core::wire::{CheckRequest, Envelope, Message};

use borsh::{BorshDeserialize, BorshSerialize};

/// The most bytes that are given to a decoder.
const LIMIT: usize = 2_000_000;

/// Whether the bytes decode; they must be the one encoding of what they decode to.
type Decoder = fn(&[u8]) -> bool;

/// All decoders, by name. The place in the list is the first byte of an input.
pub const DECODERS: &[(&str, Decoder)] = &[
    ("Transaction", round_trip::<Transaction>),
    ("Block", round_trip::<Block>),
    ("BlockHeader", round_trip::<BlockHeader>),
    ("Script", round_trip::<Script>),
    ("Terms", round_trip::<Terms>),
    ("Offer", round_trip::<Offer>),
    ("SignedDelivery", round_trip::<SignedDelivery>),
    ("BadDelivery", round_trip::<BadDelivery>),
    ("Evidence", round_trip::<Evidence>),
    ("Manifest", round_trip::<Manifest>),
    ("MerkleProof", round_trip::<MerkleProof>),
    ("Registration", round_trip::<Registration>),
    ("Ballot", round_trip::<Ballot>),
    ("Ticket", round_trip::<Ticket>),
    ("JobRecord", round_trip::<JobRecord>),
    ("CheckRequest", round_trip::<CheckRequest>),
    ("Params", round_trip::<Params>),
    ("Record", round_trip::<Record>),
    ("Message", message),
    ("Envelope", envelope),
];

/// Gives all bytes but the first to the decoder that the first one names.
pub fn decoders(data: &[u8]) -> Option<&'static str> {
    let (first, rest) = data.split_first()?;
    let (name, accepts) = DECODERS[usize::from(*first) % DECODERS.len()];
    accepts(rest).then_some(name)
}

fn round_trip<T: BorshSerialize + BorshDeserialize>(bytes: &[u8]) -> bool {
    match decode::<T>(bytes, LIMIT) {
        Ok(value) => {
            assert_eq!(encode(&value), bytes, "two encodings of one value");
            true
        }
        Err(_) => false,
    }
}

/// The first byte is the kind.
fn message(bytes: &[u8]) -> bool {
    let Some((kind, payload)) = bytes.split_first() else {
        return false;
    };
    match Message::from_parts(*kind, payload) {
        Ok(Some(message)) => {
            assert_eq!(
                message.to_parts(),
                (*kind, payload.to_vec()),
                "two encodings of one message"
            );
            true
        }
        Ok(None) | Err(_) => false,
    }
}

fn envelope(bytes: &[u8]) -> bool {
    let Ok(envelope) = Envelope::from_packet(bytes, Params::simnet().magic) else {
        return false;
    };
    assert_eq!(
        envelope.to_packet().to_vec(),
        bytes,
        "two encodings of one envelope"
    );
    // What is inside may be nonsense; finding out must do no harm.
    let _ = envelope.message();
    true
}
