//! A node as its storage remembers it.

use crate::storage::Storage;
use camelid_core::node::{Node, NodeConfig, StorageConfig};
use std::io;

/// The node that goes on from what `storage` holds. If that has a store, the node flushes to it whenever about
/// `cache_bytes` of memory wait for it.
///
/// # Errors
/// When the storage cannot be read; [`io::ErrorKind::InvalidData`] when it is damaged.
pub async fn recover(
    mut config: NodeConfig,
    storage: &mut dyn Storage,
    cache_bytes: usize,
) -> io::Result<Node> {
    config.storage = storage.store().map(|store| StorageConfig { store, cache_bytes });
    let records = storage.load().await?;
    let node = aside(move || Node::recover(config, records)).await?;
    storage.take_fault().map_or(Ok(node), Err)
}

/// Reading the headers of thousands of blocks takes a while, which is none of the runtime's business.
#[cfg(not(madsim))]
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)
}

/// Time stands still on a simulated runtime.
#[cfg(madsim)]
async fn aside<T>(work: impl FnOnce() -> T) -> io::Result<T> {
    Ok(work())
}
