//! Messages, each with a bound on everything in it.

use super::check::{CheckRefusal, CheckRequest, Matches};
use super::compact::{CompactBlock, Places};
use super::peer_address::{MAX_ADDRESSES, PeerAddress};
use crate::block::{Block, BlockHeader, MAX_BLOCK_TRANSACTIONS};
use crate::dispute::Evidence;
use crate::job::{Offer, SignedDelivery};
use crate::keys::{PublicKey, Signature};
use crate::primitives::{BlockHash, BoundedVec, DecodeError, Hash256, JobId, Wtxid, encode};
use crate::tx::{OutPoint, Transaction};
use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::vec::Vec;
use borsh::de::EnumExt;
use borsh::{BorshDeserialize, BorshSerialize};

/// Most hashes in a block locator.
pub const MAX_LOCATOR: usize = 64;
/// Most headers in a message.
pub const MAX_HEADERS: usize = 2_000;
/// Most blocks asked for in a message.
pub const MAX_REQUESTED_BLOCKS: usize = 16;
/// Most transaction ids in a message.
pub const MAX_INVENTORY: usize = 1_000;

/// A message's payload. Its discriminant is the envelope's message type.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Message {
    /// Asks for the headers after the first of these hashes that the other knows.
    GetHeaders(BoundedVec<BlockHash, MAX_LOCATOR>),
    /// Headers in order, each the child of the one before. One alone announces a block.
    Headers(BoundedVec<BlockHeader, MAX_HEADERS>),
    /// Asks for blocks.
    GetBlocks(BoundedVec<BlockHash, MAX_REQUESTED_BLOCKS>),
    /// A block.
    Block(Box<Block>),
    /// Transactions that the sender has.
    Inventory(BoundedVec<Wtxid, MAX_INVENTORY>),
    /// Asks for transactions.
    GetTransactions(BoundedVec<Wtxid, MAX_INVENTORY>),
    /// A transaction.
    Transaction(Box<Transaction>),
    /// A client looks for a node (paper, 2.4: job creation). Broadcast.
    JobOffer(Box<Offer>),
    /// A node says that it works on a job. Advisory. Broadcast.
    JobAccepted {
        /// The job.
        job: JobId,
        /// The node.
        node_key: PublicKey,
    },
    /// The node's half-signed Engage, to the client (paper, 2.4: the testament).
    Engage(Box<Transaction>),
    /// The signed ciphertext, to the client.
    Delivery {
        /// The job.
        job: JobId,
        /// The delivery.
        delivery: Box<SignedDelivery>,
    },
    /// The client has the delivery and asks for no more copies. To the node.
    DeliveryReceived {
        /// The job.
        job: JobId,
        /// The client's signature over [`receipt_hash`](crate::job::receipt_hash).
        signature: Signature,
    },
    /// A seat asks a party, or another seat, for the evidence in a dispute.
    GetEvidence {
        /// The job.
        job: JobId,
        /// The ticket of the seat that asks.
        ticket: OutPoint,
    },
    /// The evidence, to a seat. It shows the prompt to the committee, and to whoever passes it on.
    Evidence(Box<Evidence>),
    /// A client asks whether an output is the model's (paper, 2.5.3). Between neighbours, as are the
    /// answers: whose request it is, and who is owed for the answer, then needs no signature.
    CheckRequest(Box<CheckRequest>),
    /// The answer.
    CheckReply {
        /// The request's [`id`](CheckRequest::id).
        request: Hash256,
        /// Yes or no for each of its positions.
        matches: Matches,
    },
    /// There is no answer.
    CheckRefused {
        /// The request's [`id`](CheckRequest::id).
        request: Hash256,
        /// Why not.
        reason: CheckRefusal,
    },
    /// Asks for addresses of nodes. Answered once on each connection, to whoever has opened it.
    GetAddresses,
    /// Addresses of nodes. The answer, or a few that are news.
    Addresses(BoundedVec<PeerAddress, MAX_ADDRESSES>),
    /// Asks for a block whose transactions are mostly known.
    GetCompactBlock {
        /// The block.
        block: BlockHash,
        /// What the ids are to be made with.
        salt: u64,
    },
    /// The answer.
    CompactBlock(Box<CompactBlock>),
    /// Asks for those of a block's transactions that are not known.
    GetBlockTransactions {
        /// The block.
        block: BlockHash,
        /// Their places, ascending.
        places: Places,
    },
    /// The answer, in the same order.
    BlockTransactions {
        /// The block.
        block: BlockHash,
        /// The transactions.
        transactions: BoundedVec<Transaction, MAX_BLOCK_TRANSACTIONS>,
    },
}

impl Message {
    /// Type number and payload for an envelope.
    pub fn to_parts(&self) -> (u8, Vec<u8>) {
        let mut bytes = encode(self);
        let kind = bytes.remove(0);
        (kind, bytes)
    }

    /// The message of type `kind` with this payload, or `None` for a type from the future.
    ///
    /// # Errors
    /// [`DecodeError`] when the type is known and the payload malformed.
    pub fn from_parts(kind: u8, payload: &[u8]) -> Result<Option<Self>, DecodeError> {
        if kind >= Self::KINDS {
            return Ok(None);
        }
        let mut rest = payload;
        let message = Self::deserialize_variant(&mut rest, kind)
            .map_err(|error| DecodeError::Malformed(error.to_string()))?;
        match rest {
            [] => Ok(Some(message)),
            _ => Err(DecodeError::Malformed("bytes after the message".into())),
        }
    }

    /// Number of types: theirs are `0..KINDS`.
    pub const KINDS: u8 = 23;
    /// The type number of [`Message::Headers`].
    pub const HEADERS: u8 = 1;
    /// The type number of [`Message::Block`].
    pub const BLOCK: u8 = 3;
    /// The type number of [`Message::Transaction`].
    pub const TRANSACTION: u8 = 6;
    /// The type number of [`Message::Addresses`].
    pub const ADDRESSES: u8 = 18;
    /// The type number of [`Message::CompactBlock`].
    pub const COMPACT_BLOCK: u8 = 20;
    /// The type number of [`Message::BlockTransactions`].
    pub const BLOCK_TRANSACTIONS: u8 = 22;

    /// True for messages that nodes pass on; all others concern two neighbours.
    pub fn travels(&self) -> bool {
        matches!(
            self,
            Self::JobOffer(_)
                | Self::JobAccepted { .. }
                | Self::Engage(_)
                | Self::Delivery { .. }
                | Self::DeliveryReceived { .. }
                | Self::GetEvidence { .. }
                | Self::Evidence(_)
        )
    }

    /// [`travels`](Self::travels), told from the type's number.
    pub fn kind_travels(kind: u8) -> bool {
        (7..=13).contains(&kind)
    }

    /// The message's name in traces and reports.
    pub fn name(&self) -> &'static str {
        match self {
            Self::GetHeaders(_) => "GetHeaders",
            Self::Headers(_) => "Headers",
            Self::GetBlocks(_) => "GetBlocks",
            Self::Block(_) => "Block",
            Self::Inventory(_) => "Inventory",
            Self::GetTransactions(_) => "GetTransactions",
            Self::Transaction(_) => "Transaction",
            Self::JobOffer(_) => "JobOffer",
            Self::JobAccepted { .. } => "JobAccepted",
            Self::Engage(_) => "Engage",
            Self::Delivery { .. } => "Delivery",
            Self::DeliveryReceived { .. } => "DeliveryReceived",
            Self::GetEvidence { .. } => "GetEvidence",
            Self::Evidence(_) => "Evidence",
            Self::CheckRequest(_) => "CheckRequest",
            Self::CheckReply { .. } => "CheckReply",
            Self::CheckRefused { .. } => "CheckRefused",
            Self::GetAddresses => "GetAddresses",
            Self::Addresses(_) => "Addresses",
            Self::GetCompactBlock { .. } => "GetCompactBlock",
            Self::CompactBlock(_) => "CompactBlock",
            Self::GetBlockTransactions { .. } => "GetBlockTransactions",
            Self::BlockTransactions { .. } => "BlockTransactions",
        }
    }
}
