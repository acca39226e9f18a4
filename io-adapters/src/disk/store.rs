//! What a node reads back of its file.

use super::tables::{self, BLOCKS, COINS, DELTAS, JOBS, OWN_COINS, UNDO};
use camelid_core::block::{Block, BlockHeader};
use camelid_core::chain::{Base, Coin, Delta, OwnCoin, Store};
use camelid_core::escrow::JobRecord;
use camelid_core::primitives::{BlockHash, JobId};
use camelid_core::tx::OutPoint;
use redb::Database;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

/// A [`Store`] on the file. The first fault is kept for the driver, which halts the node.
#[derive(Debug)]
pub(super) struct RedbStore {
    database: Arc<Database>,
    fault: Mutex<Option<io::Error>>,
}

impl RedbStore {
    pub(super) fn new(database: Arc<Database>) -> Self {
        Self {
            database,
            fault: Mutex::new(None),
        }
    }

    /// Why the node was not told what is in the file.
    pub(super) fn take_fault(&self) -> Option<io::Error> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn found<T>(&self, found: io::Result<T>) -> Option<T> {
        found.map_err(|error| self.fail(error)).ok()
    }

    fn fail(&self, error: io::Error) {
        let mut fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        fault.get_or_insert(error);
    }
}

impl Store for RedbStore {
    fn headers(&self) -> Vec<BlockHeader> {
        self.found(tables::headers(&self.database)).unwrap_or_default()
    }

    fn base(&self) -> Option<Base> {
        self.found(tables::base(&self.database))?
    }

    fn own_coins(&self) -> Vec<(OutPoint, OwnCoin)> {
        let mut coins = Vec::new();
        self.found(tables::each(&self.database, OWN_COINS, |at, coin| {
            coins.push((at, coin));
        }));
        coins
    }

    fn block(&self, hash: &BlockHash) -> Option<Arc<Block>> {
        self.found(tables::get(&self.database, BLOCKS, hash))?
            .map(Arc::new)
    }

    fn delta(&self, hash: &BlockHash) -> Option<Arc<Delta>> {
        self.found(tables::get(&self.database, DELTAS, hash))?
            .map(Arc::new)
    }

    fn undo(&self, hash: &BlockHash) -> Option<Arc<Delta>> {
        self.found(tables::get(&self.database, UNDO, hash))?.map(Arc::new)
    }

    fn coin(&self, outpoint: &OutPoint) -> Option<Coin> {
        self.found(tables::get(&self.database, COINS, outpoint))?
    }

    fn job(&self, id: &JobId) -> Option<JobRecord> {
        self.found(tables::get(&self.database, JOBS, id))?
    }

    fn each_coin(&self, visit: &mut dyn FnMut(&OutPoint, &Coin)) {
        self.found(tables::each(&self.database, COINS, |at, coin| visit(&at, &coin)));
    }

    fn each_job(&self, visit: &mut dyn FnMut(&JobRecord)) {
        self.found(tables::each(&self.database, JOBS, |_: JobId, record| {
            visit(&record);
        }));
    }

    fn report_missing(&self, block: &BlockHash) {
        let message = format!("the file is damaged: something of block {block} is missing");
        self.fail(io::Error::new(io::ErrorKind::InvalidData, message));
    }
}
