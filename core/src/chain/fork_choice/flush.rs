//! What a chain hands to its store, and how it goes on from there.

use super::{Chain, TipChange};
use crate::block::BlockHeader;
use crate::chain::header_tip::HeaderError;
use crate::chain::store::{Base, Flush, SharedStore};
use crate::primitives::{BlockHash, Time, Timestamp};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

impl Chain {
    /// Memory, about, that a flush makes free: 0 while one is under way.
    pub fn unflushed_bytes(&self) -> usize {
        if self.is_flushing { 0 } else { self.unflushed_bytes }
    }

    /// All changes since the last flush, for the store; `None` without one, or while a flush is under way.
    pub fn begin_flush(&mut self) -> Option<Flush> {
        if self.is_flushing || self.store.is_none() {
            return None;
        }
        self.is_flushing = true;
        self.unflushed_bytes = 0;
        self.bodies.begin_flush();
        self.undo.begin_flush();
        Some(self.ledger.begin_flush())
    }

    /// The store shows the flush that is under way, and all that was recorded before it.
    pub fn finish_flush(&mut self) {
        let Some(store) = self.store.as_ref().filter(|_| self.is_flushing) else {
            return;
        };
        self.is_flushing = false;
        self.bodies.finish_flush();
        self.undo.finish_flush();
        self.ledger.finish_flush(store);
    }

    /// Goes on from what `store` has, on a chain that is new: from its last flush at once, and from the blocks after
    /// it by [`restore_next`](Self::restore_next).
    pub fn restore(&mut self, store: SharedStore) {
        let blocks = self.restore_headers(store.headers());
        if let Some(base) = store.base() {
            self.restore_base(base, &store);
        }
        self.store = Some(store);
        self.restoring = blocks
            .into_iter()
            .filter(|hash| !self.is_complete(hash))
            .collect();
    }

    /// Takes the next block of the store in, as long as there is one; blocks that come meanwhile wait for it. Who calls
    /// it may flush in between, so that changes do not have to fit into memory.
    pub fn restore_next(&mut self) -> Option<TipChange> {
        let hash = self.restoring.pop_front()?;
        self.complete_from(hash);
        Some(self.activate_best())
    }

    /// Takes the headers of blocks in whose bodies are stored, and returns their hashes, parents first.
    fn restore_headers(&mut self, headers: Vec<BlockHeader>) -> Vec<BlockHash> {
        let mut restored = Vec::new();
        // Bodies that came before their parents' were stored before them: they wait, by parent.
        let mut early: BTreeMap<BlockHash, Vec<BlockHeader>> = BTreeMap::new();
        for header in headers {
            let mut ready = Vec::from([header]);
            while let Some(header) = ready.pop() {
                // Its time was checked when it was first taken in.
                match self.submit_header(&header, Time(u64::MAX)) {
                    Ok(_) => {
                        let hash = header.hash();
                        self.headers.set_body(&hash, true);
                        ready.extend(early.remove(&hash).unwrap_or_default());
                        restored.push(hash);
                    }
                    Err(HeaderError::UnknownParent(parent)) => {
                        early.entry(parent).or_default().push(header);
                    }
                    Err(_) => {}
                }
            }
        }
        restored
    }

    /// Moves to where the ledger was flushed. If there is no way there the ledger stays at the genesis block, and
    /// the next flush begins anew.
    fn restore_base(&mut self, base: Base, store: &SharedStore) {
        let mut path: Vec<(BlockHash, Timestamp)> = Vec::new();
        for entry in self.headers.ancestors(base.tip) {
            if !entry.has_body {
                return;
            }
            path.push((entry.hash, entry.header.time));
        }
        if path.is_empty() {
            return;
        }
        path.reverse();
        for (hash, _) in &path {
            self.headers.mark_complete(hash);
        }
        self.mark_complete(base.tip);
        self.ledger.resume(store.clone(), base, path.into_iter());
    }
}
