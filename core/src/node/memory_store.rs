//! A store in memory.

use super::record::Record;
use crate::block::{Block, BlockHeader};
use crate::chain::{Base, Coin, Connected, Delta, Flush, OwnCoin, Store};
use crate::escrow::JobRecord;
use crate::keys::NodeId;
use crate::primitives::{BlockHash, JobId};
use crate::tx::OutPoint;
use alloc::collections::BTreeMap;
use alloc::collections::btree_map::Entry;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// A [`Store`] in memory: what a node without one recovers from, and what others are compared with.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    headers: Vec<BlockHeader>,
    blocks: BTreeMap<BlockHash, Arc<Block>>,
    deltas: BTreeMap<BlockHash, Arc<Delta>>,
    undo: BTreeMap<BlockHash, Arc<Delta>>,
    base: Option<Base>,
    coins: BTreeMap<OutPoint, Coin>,
    jobs: BTreeMap<JobId, JobRecord>,
    own_coins: BTreeMap<OutPoint, OwnCoin>,
    owner: Option<NodeId>,
}

impl MemoryStore {
    /// Takes a record in that belongs into a store; gives any other back.
    pub fn take(&mut self, record: Record) -> Option<Record> {
        match record {
            Record::Block(block) => self.take_block(block),
            Record::Connected(connected) => self.take_connected(*connected),
            Record::Flush(flush) => self.take_flush(*flush),
            other => return Some(other),
        }
        None
    }

    fn take_block(&mut self, block: Arc<Block>) {
        if let Entry::Vacant(place) = self.blocks.entry(block.header.hash()) {
            self.headers.push(block.header);
            place.insert(block);
        }
    }

    fn take_connected(&mut self, connected: Connected) {
        self.deltas.insert(connected.block, connected.delta);
        self.undo.insert(connected.block, connected.undo);
    }

    fn take_flush(&mut self, flush: Flush) {
        if flush.anew {
            self.coins.clear();
            self.jobs.clear();
        }
        overwrite(&mut self.coins, flush.coins);
        overwrite(&mut self.jobs, flush.jobs);
        if self.owner.replace(flush.owner) != Some(flush.owner) {
            self.own_coins.clear();
        }
        self.own_coins.extend(flush.own_coins);
        self.deltas.clear();
        self.base = Some(flush.base);
    }
}

fn overwrite<K: Ord, V>(table: &mut BTreeMap<K, V>, changes: Vec<(K, Option<V>)>) {
    for (key, value) in changes {
        match value {
            Some(value) => drop(table.insert(key, value)),
            None => drop(table.remove(&key)),
        }
    }
}

impl Store for MemoryStore {
    fn headers(&self) -> Vec<BlockHeader> {
        self.headers.clone()
    }

    fn base(&self) -> Option<Base> {
        self.base.clone()
    }

    fn own_coins(&self, owner: &NodeId) -> Option<Vec<(OutPoint, OwnCoin)>> {
        let coins = self.own_coins.iter().map(|(at, coin)| (*at, *coin));
        (self.owner.as_ref()? == owner).then(|| coins.collect())
    }

    fn block(&self, hash: &BlockHash) -> Option<Arc<Block>> {
        self.blocks.get(hash).cloned()
    }

    fn delta(&self, hash: &BlockHash) -> Option<Arc<Delta>> {
        self.deltas.get(hash).cloned()
    }

    fn undo(&self, hash: &BlockHash) -> Option<Arc<Delta>> {
        self.undo.get(hash).cloned()
    }

    fn coin(&self, outpoint: &OutPoint) -> Option<Coin> {
        self.coins.get(outpoint).cloned()
    }

    fn job(&self, id: &JobId) -> Option<JobRecord> {
        self.jobs.get(id).cloned()
    }

    fn each_coin(&self, visit: &mut dyn FnMut(&OutPoint, &Coin)) {
        self.coins.iter().for_each(|(at, coin)| visit(at, coin));
    }

    fn each_job(&self, visit: &mut dyn FnMut(&JobRecord)) {
        self.jobs.values().for_each(visit);
    }

    fn report_missing(&self, block: &BlockHash) {
        panic!("block {block} was recorded, and is not there");
    }
}
