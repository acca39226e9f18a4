//! What peers do wrong, and how much of it is borne.

use crate::chain::{HeaderError, SubmitError};
use crate::mempool::MempoolError;
use crate::wire::EnvelopeError;
use alloc::string::{String, ToString};

/// A peer with so many points is sent away and banned.
pub const BAN_POINTS: u32 = 100;

/// What a peer has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Offence {
    /// What happens to honest nodes: a transaction against policy, an unknown parent, something stale.
    Harmless,
    /// Bytes that are no message, under a connection that does not damage any.
    Malformed,
    /// A message of another network.
    WrongNetwork,
    /// A message between neighbours that somebody else wrote.
    PassedOn,
    /// A header that breaks a rule, or extends a block that does.
    InvalidHeader,
    /// Headers that do not follow each other.
    BrokenHeaders,
    /// Several headers that do not go on from anything known, though all share the genesis block.
    Unconnected,
    /// A chain that changed after it had shown its work.
    ChangedChain,
    /// A block that breaks a rule.
    InvalidBlock,
    /// A block of a chain with too little work.
    LowWork,
    /// Blocks that it said it had, and did not send.
    Stalled,
    /// More messages of one type than anybody needs.
    Flood,
}

impl Offence {
    /// Points for it. One point is forgiven each minute ([`Conduct`](super::Conduct)).
    pub const fn points(self) -> u32 {
        match self {
            Self::Harmless => 0,
            Self::Malformed => 100,
            Self::WrongNetwork => 100,
            Self::PassedOn => 20,
            Self::InvalidHeader => 100,
            Self::BrokenHeaders => 100,
            Self::Unconnected => 10,
            Self::ChangedChain => 100,
            Self::InvalidBlock => 100,
            Self::LowWork => 10,
            Self::Stalled => 20,
            Self::Flood => 1,
        }
    }
}

/// Something that a peer sent and that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What the peer has done.
    pub offence: Offence,
    /// In words.
    pub reason: String,
}

impl Refusal {
    /// An offence in words.
    pub fn new(offence: Offence, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self { offence, reason }
    }

    /// What is only worth mentioning.
    pub fn harmless(reason: impl Into<String>) -> Self {
        Self::new(Offence::Harmless, reason)
    }
}

impl From<HeaderError> for Refusal {
    fn from(error: HeaderError) -> Self {
        let offence = match error {
            // The peer's clock may be ahead, or ours behind.
            HeaderError::TooFarAhead(_) | HeaderError::UnknownParent(_) => Offence::Harmless,
            HeaderError::InvalidParent
            | HeaderError::WrongBits
            | HeaderError::Work(_)
            | HeaderError::TooOld(_)
            | HeaderError::KnownInvalid => Offence::InvalidHeader,
        };
        Self::new(offence, error.to_string())
    }
}

impl From<SubmitError> for Refusal {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::Header(error) => error.into(),
            SubmitError::Block(error) => Self::new(Offence::InvalidBlock, error.to_string()),
            SubmitError::TooManyWaiting => Self::harmless(error.to_string()),
        }
    }
}

impl From<MempoolError> for Refusal {
    /// Tips differ, policies differ, and who passes a transaction on need not have checked all of it.
    fn from(error: MempoolError) -> Self {
        Self::harmless(error.to_string())
    }
}

impl From<EnvelopeError> for Refusal {
    fn from(error: EnvelopeError) -> Self {
        let offence = match error {
            EnvelopeError::WrongNetwork => Offence::WrongNetwork,
            EnvelopeError::Decode(_) | EnvelopeError::Checksum | EnvelopeError::TooManyHops(_) => {
                Offence::Malformed
            }
        };
        Self::new(offence, error.to_string())
    }
}
