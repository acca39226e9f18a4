//! What can be wrong with a file, and redb's errors in the words of the standard library.

use camelid_core::primitives::BlockHash;
use redb::DatabaseError;
use std::io;

/// Why a node cannot work with a file.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it open.
    #[error("another node runs on this directory")]
    InUse,
    /// It holds the records of a node on another network.
    #[error("the file belongs to the network with genesis block {found}, not to {expected}")]
    OtherNetwork {
        /// Genesis block of the file's network.
        found: BlockHash,
        /// Genesis block of this node's network.
        expected: BlockHash,
    },
    /// A newer version of this software wrote it.
    #[error("the file has schema {found}, and this version knows schemas up to {supported}")]
    NewerSchema {
        /// The file's schema.
        found: u32,
        /// The newest schema that can be read.
        supported: u32,
    },
    /// It cannot be read or written, or it is damaged ([`io::ErrorKind::InvalidData`]).
    #[error("the file cannot be opened")]
    Io(#[from] io::Error),
}

impl From<DatabaseError> for OpenError {
    fn from(error: DatabaseError) -> Self {
        match error {
            DatabaseError::DatabaseAlreadyOpen => Self::InUse,
            other => Self::Io(to_io(other)),
        }
    }
}

/// Keeps what the operating system said, such as [`io::ErrorKind::StorageFull`].
pub(super) fn to_io(error: impl Into<redb::Error>) -> io::Error {
    match error.into() {
        redb::Error::Io(error) => error,
        redb::Error::PreviousIo => {
            io::Error::other("an earlier error of the disk; the file must be reopened")
        }
        damaged @ (redb::Error::Corrupted(_)
        | redb::Error::TableTypeMismatch { .. }
        | redb::Error::TypeDefinitionChanged { .. }
        | redb::Error::TableIsMultimap(_)) => io::Error::new(io::ErrorKind::InvalidData, damaged),
        other => io::Error::other(other),
    }
}
