//! A chain that flushes to a store and is restarted from it.

use super::{LATE, new_chain};
use camelid_core::block::Block;
use camelid_core::chain::{Chain, Submission};
use camelid_core::node::{MemoryStore, Record, SharedMemoryStore};
use camelid_core::params::Params;
use proptest::prelude::*;
use std::sync::Arc;

/// What happens after a block.
#[derive(Clone, Copy, Debug)]
pub enum Disk {
    /// Records stay on their way to the disk.
    Waits,
    /// They arrive.
    Syncs,
    /// A flush is on its way, if none is.
    Flushes,
    /// The machine loses what is on its way, and starts again.
    Crashes,
}

pub fn any_disk() -> impl Strategy<Value = Disk> {
    prop::sample::select(vec![
        Disk::Waits,
        Disk::Syncs,
        Disk::Flushes,
        Disk::Flushes,
        Disk::Crashes,
    ])
}

/// A chain, and the disk below it.
pub struct Stored {
    pub chain: Chain,
    params: Arc<Params>,
    store: Arc<SharedMemoryStore>,
    /// On its way to the disk.
    waiting: Vec<Record>,
    /// All that was ever submitted.
    blocks: Vec<Arc<Block>>,
}

impl Stored {
    pub fn new(params: &Arc<Params>) -> Self {
        let store = Arc::new(SharedMemoryStore::new(MemoryStore::default()));
        let mut stored = Self {
            chain: new_chain(params, 5),
            params: params.clone(),
            store,
            waiting: Vec::new(),
            blocks: Vec::new(),
        };
        stored.start();
        stored
    }

    pub fn submit(&mut self, block: &Arc<Block>, disk: Disk) {
        self.blocks.push(block.clone());
        self.take_in(block);
        match disk {
            Disk::Waits => {}
            Disk::Syncs => self.sync(),
            Disk::Flushes => {
                let flush = self.chain.begin_flush();
                self.waiting
                    .extend(flush.map(|flush| Record::Flush(Box::new(flush))));
            }
            Disk::Crashes => {
                self.waiting.clear();
                self.start();
                // Peers have what was lost.
                for block in self.blocks.clone() {
                    self.take_in(&block);
                }
            }
        }
    }

    fn take_in(&mut self, block: &Arc<Block>) {
        let submission = self.chain.submit_block(block.clone(), LATE).unwrap();
        if !matches!(submission, Submission::Known) {
            self.waiting.push(Record::Block(block.clone()));
        }
        if let Submission::Moved(change) = submission {
            assert_eq!(change.invalid, []);
            self.record(change.checked);
        }
    }

    fn record(&mut self, checked: Vec<camelid_core::chain::Connected>) {
        let records = checked
            .into_iter()
            .map(|connected| Record::Connected(Box::new(connected)));
        self.waiting.extend(records);
    }

    fn sync(&mut self) {
        let has_flush = self
            .waiting
            .iter()
            .any(|record| matches!(record, Record::Flush(_)));
        for record in self.waiting.drain(..) {
            assert_eq!(self.store.take(record), None);
        }
        if has_flush {
            self.chain.finish_flush();
        }
    }

    fn start(&mut self) {
        self.chain = new_chain(&self.params, 5);
        let mut rechecked = Vec::new();
        self.chain.restore(self.store.clone());
        while let Some(change) = self.chain.restore_next() {
            rechecked.extend(change.checked);
        }
        self.record(rechecked);
    }
}
