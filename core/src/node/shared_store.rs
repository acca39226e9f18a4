//! A store in memory that a node and whoever fills it share.

use super::memory_store::MemoryStore;
use super::record::Record;
use crate::block::{Block, BlockHeader};
use crate::chain::{Base, Coin, Delta, OwnCoin, Store};
use crate::escrow::JobRecord;
use crate::keys::NodeId;
use crate::primitives::{BlockHash, JobId};
use crate::tx::OutPoint;
use alloc::sync::Arc;
use alloc::vec::Vec;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A [`MemoryStore`] behind a lock.
#[derive(Debug, Default)]
pub struct SharedMemoryStore(Mutex<MemoryStore>);

impl SharedMemoryStore {
    /// Shares `store`.
    pub fn new(store: MemoryStore) -> Self {
        Self(Mutex::new(store))
    }

    /// See [`MemoryStore::take`].
    pub fn take(&self, record: Record) -> Option<Record> {
        self.lock().take(record)
    }

    fn lock(&self) -> MutexGuard<'_, MemoryStore> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for SharedMemoryStore {
    fn headers(&self) -> Vec<BlockHeader> {
        self.lock().headers()
    }

    fn base(&self) -> Option<Base> {
        self.lock().base()
    }

    fn own_coins(&self, owner: &NodeId) -> Option<Vec<(OutPoint, OwnCoin)>> {
        self.lock().own_coins(owner)
    }

    fn block(&self, hash: &BlockHash) -> Option<Arc<Block>> {
        self.lock().block(hash)
    }

    fn delta(&self, hash: &BlockHash) -> Option<Arc<Delta>> {
        self.lock().delta(hash)
    }

    fn undo(&self, hash: &BlockHash) -> Option<Arc<Delta>> {
        self.lock().undo(hash)
    }

    fn coin(&self, outpoint: &OutPoint) -> Option<Coin> {
        self.lock().coin(outpoint)
    }

    fn job(&self, id: &JobId) -> Option<JobRecord> {
        self.lock().job(id)
    }

    fn each_coin(&self, visit: &mut dyn FnMut(&OutPoint, &Coin)) {
        self.lock().each_coin(visit);
    }

    fn each_job(&self, visit: &mut dyn FnMut(&JobRecord)) {
        self.lock().each_job(visit);
    }

    fn report_missing(&self, block: &BlockHash) {
        self.lock().report_missing(block);
    }
}
