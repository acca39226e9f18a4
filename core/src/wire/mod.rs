//! What nodes say to each other: an envelope (paper, 2.1.2) around one of a few messages.

mod address;
mod check;
mod compact;
mod envelope;
mod message;
mod peer_address;

pub use address::NetAddress;
pub use check::{CheckRefusal, CheckRequest, CheckRequestError, Matches};
pub use compact::{CompactBlock, PartialBlock, Place, Places, ShortId};
pub use envelope::{Envelope, EnvelopeError, MAX_HOPS, MAX_PACKET_BYTES, Packet};
pub use message::{MAX_HEADERS, MAX_INVENTORY, MAX_LOCATOR, MAX_REQUESTED_BLOCKS, Message};
pub use peer_address::{MAX_ADDRESSES, PeerAddress, Services};
