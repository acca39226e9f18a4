//! What a node has made durable, or is about to.

use camelid_core::node::{Node, NodeConfig, Record, SharedMemoryStore, StorageConfig};
use std::sync::Arc;

/// A node's records, and the store that shows it those of its chain.
pub struct Disk {
    records: Vec<Record>,
    /// What the node may hold in memory, about; all of it if there is no store.
    cache_bytes: Option<usize>,
    store: Arc<SharedMemoryStore>,
    /// Records up to here have been shown to the store.
    shown: usize,
}

impl Disk {
    /// An empty disk.
    pub fn new(cache_bytes: Option<usize>) -> Self {
        Self {
            records: Vec::new(),
            cache_bytes,
            store: Arc::default(),
            shown: 0,
        }
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Writes a record.
    pub fn push(&mut self, record: Record) {
        self.records.push(record);
    }

    /// Loses all records but the first `count`.
    pub fn truncate(&mut self, count: usize) {
        self.records.truncate(count);
    }

    /// The node that goes on from the records.
    pub fn recover(&mut self, config: &NodeConfig) -> Node {
        let mut config = config.clone();
        let records = self.records.iter().cloned();
        let Some(cache_bytes) = self.cache_bytes else {
            return Node::recover(config, records);
        };
        self.store = Arc::default();
        self.shown = self.records.len();
        let others: Vec<Record> = records.filter_map(|record| self.store.take(record)).collect();
        config.storage = Some(StorageConfig {
            store: self.store.clone(),
            cache_bytes,
        });
        Node::recover(config, others)
    }

    /// A flush is durable: the store shows it and all records before it.
    pub fn show_flush(&mut self) {
        let is_flush = |record: &Record| matches!(record, Record::Flush(_));
        let end = self
            .records
            .iter()
            .rposition(is_flush)
            .map_or(0, |place| place + 1);
        for record in self.records.iter().take(end).skip(self.shown) {
            // What is no record of the chain is read at the next start.
            let _ = self.store.take(record.clone());
        }
        self.shown = self.shown.max(end);
    }
}
