//! Why a connection is ended, as its peer is told.

use quinn::{ApplicationClose, ConnectionError, VarInt};

/// Why a connection is not accepted, or not kept: the application error code of a QUIC
/// CONNECTION_CLOSE frame (RFC 9000, 19.19), with the text beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum Refusal {
    /// The node stops.
    #[error("the node is stopping")]
    Stopping,
    /// Another version of the hello.
    #[error("wrong version")]
    WrongVersion,
    /// Another genesis block.
    #[error("wrong network")]
    WrongNetwork,
    /// The node has called itself.
    #[error("connected to itself")]
    SelfConnection,
    /// The two nodes are connected already, or the other of two simultaneous connections is kept.
    #[error("duplicate connection")]
    Duplicate,
    /// The signature of the hello is not its key's for this TLS session.
    #[error("bad proof of identity")]
    BadProof,
    /// Enough connections, from this address or at all.
    #[error("too many connections")]
    TooManyConnections,
    /// The hello did not come in time.
    #[error("handshake timeout")]
    HandshakeTimeout,
    /// What came instead of a hello is none.
    #[error("malformed hello")]
    BadHello,
    /// What came instead of a frame is none.
    #[error("malformed frame")]
    BadFrame,
    /// The peer has been banned.
    #[error("banned")]
    Banned,
    /// The node no longer wants the connection.
    #[error("disconnected")]
    Disconnected,
}

impl Refusal {
    const ALL: [Self; 12] = [
        Self::Stopping,
        Self::WrongVersion,
        Self::WrongNetwork,
        Self::SelfConnection,
        Self::Duplicate,
        Self::BadProof,
        Self::TooManyConnections,
        Self::HandshakeTimeout,
        Self::BadHello,
        Self::BadFrame,
        Self::Banned,
        Self::Disconnected,
    ];

    /// The number that travels.
    pub fn code(self) -> u32 {
        self as u32
    }

    /// The refusal with this number.
    pub fn from_code(code: u64) -> Option<Self> {
        let index = usize::try_from(code).ok()?;
        Self::ALL.get(index).copied()
    }

    /// What the peer said when it ended a connection, if it said one of these.
    pub fn of(error: &ConnectionError) -> Option<Self> {
        match error {
            ConnectionError::ApplicationClosed(ApplicationClose { error_code, .. }) => {
                Self::from_code(error_code.into_inner())
            }
            _ => None,
        }
    }

    /// Ends `connection` for this reason. Nothing happens to one that has ended.
    pub(crate) fn close(self, connection: &quinn::Connection) {
        connection.close(VarInt::from_u32(self.code()), self.to_string().as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_positions() {
        for refusal in Refusal::ALL {
            assert_eq!(Refusal::from_code(refusal.code().into()), Some(refusal));
        }
        assert_eq!(Refusal::from_code(Refusal::ALL.len() as u64), None);
    }
}
