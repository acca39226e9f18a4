//! The envelope: who says what to whom, over how many hops.

use super::message::Message;
use crate::block::MAX_BLOCK_BYTES;
use crate::keys::NodeId;
use crate::primitives::{BoundedVec, DecodeError, decode, encode, sha256d};
use alloc::sync::Arc;
use alloc::vec::Vec;
use borsh::io::{Read, Write};
use borsh::{BorshDeserialize, BorshSerialize};
use core::fmt;
use core::ops::Deref;

/// Largest payload: a block.
const MAX_PAYLOAD_BYTES: usize = MAX_BLOCK_BYTES;
/// Bytes of an envelope beside its payload, at most.
const MAX_ENVELOPE_BYTES: usize = 4 + 20 + 21 + 8 + 1 + 1 + 4 + 4;
/// Largest packet that is decoded.
pub const MAX_PACKET_BYTES: usize = MAX_PAYLOAD_BYTES + MAX_ENVELOPE_BYTES;
/// Most hops a message may still travel (hole H17).
pub const MAX_HOPS: u8 = 8;

/// A message in transit (paper, 2.1.2).
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Envelope {
    /// The network.
    pub magic: [u8; 4],
    /// Who wrote it. Nothing rests on this: what matters inside is signed.
    pub sender: NodeId,
    /// Who it is for; `None` is everybody.
    pub recipient: Option<NodeId>,
    /// The sender's number for it, so that equal messages are told apart.
    pub message_id: u64,
    /// Hops it may still travel.
    pub hops_left: u8,
    /// Type of the payload.
    pub kind: u8,
    /// The encoded message.
    pub payload: BoundedVec<u8, MAX_PAYLOAD_BYTES>,
    /// First four bytes of the payload's double SHA-256.
    pub checksum: [u8; 4],
}

/// Why a packet is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// It does not decode.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// It belongs to another network.
    #[error("another network's message")]
    WrongNetwork,
    /// The payload is damaged.
    #[error("checksum mismatch")]
    Checksum,
    /// More hops than allowed.
    #[error("{0} hops left, at most {MAX_HOPS} are allowed")]
    TooManyHops(u8),
}

impl Envelope {
    /// Wraps a message. `None` if it is too large.
    pub fn new(
        magic: [u8; 4],
        sender: NodeId,
        recipient: Option<NodeId>,
        message_id: u64,
        hops_left: u8,
        message: &Message,
    ) -> Option<Self> {
        let (kind, payload) = message.to_parts();
        let checksum = checksum(&payload);
        let payload = BoundedVec::from_vec(payload)?;
        Some(Self {
            magic,
            sender,
            recipient,
            message_id,
            hops_left,
            kind,
            payload,
            checksum,
        })
    }

    /// Reads an envelope of the network `magic`.
    ///
    /// # Errors
    /// [`EnvelopeError`] says what is wrong with it.
    pub fn from_packet(packet: &[u8], magic: [u8; 4]) -> Result<Self, EnvelopeError> {
        let envelope: Self = decode(packet, MAX_PACKET_BYTES)?;
        if envelope.magic != magic {
            return Err(EnvelopeError::WrongNetwork);
        }
        if envelope.hops_left > MAX_HOPS {
            return Err(EnvelopeError::TooManyHops(envelope.hops_left));
        }
        if checksum(&envelope.payload) != envelope.checksum {
            return Err(EnvelopeError::Checksum);
        }
        Ok(envelope)
    }

    /// The type of the payload, read from a packet's first bytes without decoding the rest; `None`
    /// when those are none of an envelope. What it says is to be believed no more than its sender.
    pub fn peek_kind(packet: &[u8]) -> Option<u8> {
        let mut rest = packet;
        let (_magic, _sender) = <([u8; 4], NodeId)>::deserialize(&mut rest).ok()?;
        let _recipient = Option::<NodeId>::deserialize(&mut rest).ok()?;
        let (_message_id, _hops_left, kind) = <(u64, u8, u8)>::deserialize(&mut rest).ok()?;
        Some(kind)
    }

    /// The message inside, or `None` if its type is unknown.
    ///
    /// # Errors
    /// [`DecodeError`] when the payload is malformed.
    pub fn message(&self) -> Result<Option<Message>, DecodeError> {
        Message::from_parts(self.kind, &self.payload)
    }

    /// The bytes that travel.
    pub fn to_packet(&self) -> Packet {
        Packet::from(encode(self))
    }
}

fn checksum(payload: &[u8]) -> [u8; 4] {
    let [a, b, c, d, ..] = sha256d(payload).0;
    [a, b, c, d]
}

/// Encoded bytes on their way, cheap to hand to many peers.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Packet(Arc<[u8]>);

impl From<Vec<u8>> for Packet {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }
}

impl Deref for Packet {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Packet({} bytes)", self.0.len())
    }
}

impl BorshSerialize for Packet {
    fn serialize<W: Write>(&self, writer: &mut W) -> borsh::io::Result<()> {
        (*self.0).serialize(writer)
    }
}

impl BorshDeserialize for Packet {
    fn deserialize_reader<R: Read>(reader: &mut R) -> borsh::io::Result<Self> {
        BoundedVec::<u8, MAX_PACKET_BYTES>::deserialize_reader(reader).map(|bytes| bytes.into_vec().into())
    }
}
