//! Adapters that need no operating system: for tests, and for whole networks in one process.

mod storage;
mod transport;

pub use storage::MemoryStorage;
pub use transport::{MemoryNetwork, MemoryTransport};

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks what is never left half-changed, so that another holder's panic spoils nothing.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
