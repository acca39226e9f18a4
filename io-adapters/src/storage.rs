//! Records that outlive the process.

use async_trait::async_trait;
use camelid_core::node::Record;
use std::io;

/// A log of records, of which only the newest of each thing need be kept.
#[async_trait]
pub trait Storage: Send {
    /// Appends records, all or none. When it returns `Ok`, they survive a crash of the machine.
    ///
    /// # Errors
    /// Whatever kept them from becoming durable. It is then unknown whether they are in the log.
    async fn append(&mut self, records: Vec<Record>) -> io::Result<()>;

    /// All records, in the order in which they were appended, but for those that a later one
    /// replaced and for blocks that were there already.
    ///
    /// # Errors
    /// When the log cannot be read; [`io::ErrorKind::InvalidData`] when it is damaged.
    async fn load(&mut self) -> io::Result<Vec<Record>>;
}
