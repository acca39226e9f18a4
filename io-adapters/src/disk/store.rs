//! What a node reads back of its file.

use super::tables::{self, BLOCKS, COINS, DELTAS, JOBS, OWN_COINS, UNDO};
use camelid_core::block::{Block, BlockHeader};
use camelid_core::chain::{Base, Coin, Delta, OwnCoin, Store};
use camelid_core::escrow::JobRecord;
use camelid_core::keys::NodeId;
use camelid_core::primitives::{BlockHash, JobId};
use camelid_core::tx::OutPoint;
use redb::Database;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
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

    /// What `look` finds. A panic (redb has assertions about what it reads) is an error of the disk like any other.
    fn found<T>(&self, look: impl FnOnce(&Database) -> io::Result<T>) -> Option<T> {
        let found = catch_unwind(AssertUnwindSafe(|| look(&self.database)));
        let found = found.unwrap_or_else(|_| Err(io::Error::other("a read from the file panicked")));
        found.map_err(|error| self.fail(error)).ok()
    }

    fn fail(&self, error: io::Error) {
        let mut fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        fault.get_or_insert(error);
    }
}

impl Store for RedbStore {
    fn headers(&self) -> Vec<BlockHeader> {
        self.found(tables::headers).unwrap_or_default()
    }

    fn base(&self) -> Option<Base> {
        self.found(tables::base)?
    }

    fn own_coins(&self, owner: &NodeId) -> Option<Vec<(OutPoint, OwnCoin)>> {
        let flushed = self.found(tables::owner)?;
        if flushed.as_ref() != Some(owner) {
            return None;
        }
        let mut coins = Vec::new();
        self.found(|database| {
            tables::each(database, OWN_COINS, |at, coin| {
                coins.push((at, coin));
            })
        });
        Some(coins)
    }

    fn block(&self, hash: &BlockHash) -> Option<Arc<Block>> {
        self.found(|database| tables::get(database, BLOCKS, hash))?
            .map(Arc::new)
    }

    fn delta(&self, hash: &BlockHash) -> Option<Arc<Delta>> {
        self.found(|database| tables::get(database, DELTAS, hash))?
            .map(Arc::new)
    }

    fn undo(&self, hash: &BlockHash) -> Option<Arc<Delta>> {
        self.found(|database| tables::get(database, UNDO, hash))?
            .map(Arc::new)
    }

    fn coin(&self, outpoint: &OutPoint) -> Option<Coin> {
        self.found(|database| tables::get(database, COINS, outpoint))?
    }

    fn job(&self, id: &JobId) -> Option<JobRecord> {
        self.found(|database| tables::get(database, JOBS, id))?
    }

    fn each_coin(&self, visit: &mut dyn FnMut(&OutPoint, &Coin)) {
        self.found(|database| tables::each(database, COINS, |at, coin| visit(&at, &coin)));
    }

    fn each_job(&self, visit: &mut dyn FnMut(&JobRecord)) {
        self.found(|database| {
            tables::each(database, JOBS, |_: JobId, record| {
                visit(&record);
            })
        });
    }

    fn report_missing(&self, block: &BlockHash) {
        let message = format!("the file is damaged: something of block {block} is missing");
        self.fail(io::Error::new(io::ErrorKind::InvalidData, message));
    }
}
