//! Records in memory.

use super::lock;
use crate::storage::Storage;
use async_trait::async_trait;
use camelid_core::chain::SharedStore;
use camelid_core::node::{Record, SharedMemoryStore};
use std::io;
use std::sync::{Arc, Mutex};

/// Records in memory. Clones share them, so a clone that is kept aside outlives a driver as a disk
/// outlives a process.
#[derive(Clone, Debug, Default)]
pub struct MemoryStorage(Arc<Mutex<Log>>);

#[derive(Debug, Default)]
struct Log {
    store: Arc<SharedMemoryStore>,
    /// What is not in the store.
    records: Vec<Record>,
    appended: usize,
    appends_before_fault: Option<u64>,
}

impl MemoryStorage {
    /// An empty log.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets `successes` more appends succeed and makes the one after them fail, once, without
    /// appending.
    pub fn fail_after(&self, successes: u64) {
        lock(&self.0).appends_before_fault = Some(successes);
    }

    /// How many records were appended.
    pub fn len(&self) -> usize {
        lock(&self.0).appended
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Log {
    fn append(&mut self, records: Vec<Record>) -> io::Result<()> {
        match self.appends_before_fault {
            Some(0) => {
                self.appends_before_fault = None;
                return Err(io::Error::other("injected fault"));
            }
            Some(left) => self.appends_before_fault = Some(left - 1),
            None => {}
        }
        self.appended += records.len();
        let store = &self.store;
        self.records
            .extend(records.into_iter().filter_map(|record| store.take(record)));
        Ok(())
    }
}

#[async_trait]
impl Storage for MemoryStorage {
    async fn append(&mut self, records: Vec<Record>) -> io::Result<()> {
        lock(&self.0).append(records)
    }

    async fn load(&mut self) -> io::Result<Vec<Record>> {
        Ok(lock(&self.0).records.clone())
    }

    fn store(&self) -> Option<SharedStore> {
        Some(lock(&self.0).store.clone())
    }
}
