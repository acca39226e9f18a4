//! Records that outlive the process.

use async_trait::async_trait;
use camelid_core::chain::SharedStore;
use camelid_core::node::Record;
use std::io;

/// Keeps a node's records: those of its chain in a store, if it has one, and of all others, in a log, the newest of
/// each thing.
#[async_trait]
pub trait Storage: Send {
    /// Appends records, all or none. When it returns `Ok`, they survive a crash of the machine, and the
    /// [store](Self::store) shows them.
    ///
    /// # Errors
    /// Whatever kept them from becoming durable. It is then unknown whether they are there.
    async fn append(&mut self, records: Vec<Record>) -> io::Result<()>;

    /// All records that are not in the store, in the order in which they were appended, but for those that a later
    /// one replaced.
    ///
    /// # Errors
    /// When the log cannot be read; [`io::ErrorKind::InvalidData`] when it is damaged.
    async fn load(&mut self) -> io::Result<Vec<Record>>;

    /// Where the node finds the records of its chain; `None` if they are in the log like all others.
    fn store(&self) -> Option<SharedStore> {
        None
    }

    /// What has kept the store from showing what is in it since the last call: what the node made of that
    /// is worth nothing.
    fn take_fault(&mut self) -> Option<io::Error> {
        None
    }
}
