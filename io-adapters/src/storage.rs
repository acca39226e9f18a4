//! Records that outlive the process.

use async_trait::async_trait;
use camelid_core::node::Record;
use std::io;

/// An append-only log of records.
#[async_trait]
pub trait Storage: Send {
    /// Appends a record. When it returns `Ok`, the record survives a crash of the machine.
    ///
    /// # Errors
    /// Whatever kept it from becoming durable. It is then unknown whether the record is in the log.
    async fn append(&mut self, record: Record) -> io::Result<()>;

    /// All records, in the order in which they were appended.
    ///
    /// # Errors
    /// When the log cannot be read; [`io::ErrorKind::InvalidData`] when it is damaged.
    async fn load(&mut self) -> io::Result<Vec<Record>>;
}
