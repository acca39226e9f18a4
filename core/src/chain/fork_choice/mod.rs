//! The chain with the most work, ties to the first seen, and reorganisation by undo.

mod flush;

use super::connect::{BlockError, check_block, connect_block, connect_genesis};
use super::header_tip::HeaderError;
use super::headers::HeaderTree;
use super::ledger::{Delta, Ledger};
use super::store::{Connected, SharedStore};
use super::unflushed::Unflushed;
use crate::block::{Block, BlockHeader, Work, genesis_block};
use crate::keys::{SharedVerifier, Verifier};
use crate::params::Params;
use crate::primitives::{BlockHash, Height, JobId, Time};
use crate::tx::OutPoint;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cmp::Reverse;

/// Bodies that may wait for their parent's.
const MAX_WAITING: usize = 128;
/// Blocks above the lowest incomplete one among which missing bodies are looked for.
const DOWNLOAD_WINDOW: usize = 1_024;

/// Memory that each entry which a block writes is counted with until it is flushed: with keys, maps and allocations,
/// and once more in the undo data.
const ENTRY_BYTES: usize = 512;

/// Headers and bodies of all branches, and the ledger of the best one.
///
/// With a [store](super::Store) bodies, undo data, coins and closed jobs are in memory until a
/// [flush](super::Flush) that comes after them is durable, and are read from the store then. Without one they stay.
pub struct Chain {
    params: Arc<Params>,
    verifier: SharedVerifier,
    store: Option<SharedStore>,
    genesis: Arc<Block>,
    headers: HeaderTree,
    bodies: Unflushed<BlockHash, Arc<Block>>,
    /// The tip, and complete blocks that might take its place: by work, then by the order in which they
    /// became complete (first seen wins a tie).
    candidates: BTreeSet<(Work, Reverse<u64>, BlockHash)>,
    arrivals: u64,
    /// Blocks of the store that were not looked at since the start.
    restoring: VecDeque<BlockHash>,
    /// Bodies that wait for their parent's: parent and block.
    waiting: BTreeSet<(BlockHash, BlockHash)>,
    /// What undoes blocks that were connected.
    undo: Unflushed<BlockHash, Arc<Delta>>,
    ledger: Ledger,
    /// Memory, about, that the next flush makes free.
    unflushed_bytes: usize,
    is_flushing: bool,
}

/// What became of a block that was submitted.
#[derive(Clone, Debug)]
pub enum Submission {
    /// It was here already.
    Known,
    /// It was stored; the tip is what it was.
    Stored,
    /// The tip moved.
    Moved(TipChange),
}

/// A move of the tip.
#[derive(Clone, Debug, Default)]
pub struct TipChange {
    /// Blocks taken back, last one first.
    pub disconnected: Vec<Arc<Block>>,
    /// Blocks connected, first one first.
    pub connected: Vec<Arc<Block>>,
    /// Outputs that were created, spent, or un-spent on the way.
    pub coins: BTreeSet<OutPoint>,
    /// Jobs whose records changed on the way.
    pub jobs: BTreeSet<JobId>,
    /// What takes the blocks back that were connected on the way.
    pub undo: BTreeMap<BlockHash, Arc<Delta>>,
    /// Blocks that were checked to the last rule on the way.
    pub checked: Vec<Connected>,
    /// Blocks that turned out to be invalid when they were connected, and why.
    pub invalid: Vec<(BlockHash, BlockError)>,
}

/// Why a block is refused at the door.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// Its header is not acceptable.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// Its body is not acceptable.
    #[error(transparent)]
    Block(#[from] BlockError),
    /// Too many bodies wait for their parent's. Nothing is wrong with it: it may come again later.
    #[error("too many blocks wait for their parents")]
    TooManyWaiting,
}

impl Chain {
    /// The chain with only its genesis block.
    ///
    /// # Panics
    /// When the network cannot work ([`Params::check`]).
    pub fn new(params: Arc<Params>, verifier: SharedVerifier, map_seed: u64) -> Self {
        params.check().expect("the parameters of a network that works");
        let block = Arc::new(genesis_block(&params));
        let genesis = block.header.hash();
        let mut ledger = Ledger::before_genesis(params.clone(), genesis, map_seed);
        let delta = connect_genesis(&ledger, &block).expect("allocations within all coins");
        ledger.push_block(genesis, block.header.time, &delta);
        let mut chain = Self {
            headers: HeaderTree::new(&block.header, map_seed),
            store: None,
            genesis: block,
            bodies: Unflushed::new(map_seed),
            candidates: BTreeSet::new(),
            arrivals: 0,
            restoring: VecDeque::new(),
            waiting: BTreeSet::new(),
            undo: Unflushed::new(map_seed),
            params,
            verifier,
            ledger,
            unflushed_bytes: 0,
            is_flushing: false,
        };
        chain.mark_complete(genesis);
        chain
    }

    /// The ledger at the tip.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The network's parameters.
    pub fn params(&self) -> &Arc<Params> {
        &self.params
    }

    /// Who verifies signatures.
    pub fn verifier(&self) -> &dyn Verifier {
        &*self.verifier
    }

    /// All known headers.
    pub fn headers(&self) -> &HeaderTree {
        &self.headers
    }

    /// The best chain's block hashes, by height.
    pub fn active(&self) -> &[BlockHash] {
        self.ledger.blocks()
    }

    /// The last block of the best chain.
    pub fn tip(&self) -> BlockHash {
        self.ledger.tip()
    }

    /// Height of the last block.
    pub fn height(&self) -> Height {
        self.ledger.height()
    }

    /// The body of a block that was not found invalid.
    pub fn block(&self, hash: &BlockHash) -> Option<Arc<Block>> {
        let entry = self.headers.entry(hash)?;
        if entry.height == Height(0) {
            return Some(self.genesis.clone());
        }
        if !entry.has_body || entry.invalid {
            return None;
        }
        let unflushed = self.bodies.get(hash).cloned();
        unflushed.or_else(|| self.store.as_ref()?.block(hash))
    }

    /// What undoes a block that was connected once.
    pub(crate) fn undo(&self, hash: &BlockHash) -> Option<Arc<Delta>> {
        let unflushed = self.undo.get(hash).cloned();
        unflushed.or_else(|| self.store.as_ref()?.undo(hash))
    }

    /// Takes a header in; its body may come later. True when it was new.
    ///
    /// # Errors
    /// The first rule that the header breaks.
    pub fn submit_header(&mut self, header: &BlockHeader, now: Time) -> Result<bool, HeaderError> {
        self.headers.insert(header, &self.params, now)
    }

    /// Takes a block in and moves to the best chain.
    ///
    /// # Errors
    /// [`SubmitError`] when header or body are refused; the chain is as it was. A block that fails
    /// only when it is connected is reported in [`TipChange::invalid`].
    pub fn submit_block(&mut self, block: Arc<Block>, now: Time) -> Result<Submission, SubmitError> {
        let hash = block.header.hash();
        if self.headers.entry(&hash).is_some_and(|entry| entry.has_body) {
            return Ok(Submission::Known);
        }
        self.submit_header(&block.header, now)?;
        if let Err(error) = check_block(&block, &self.params) {
            // Another body may fit the header; every other fault is bound to it by the Merkle root.
            if error != BlockError::MerkleRoot {
                self.mark_invalid(&hash);
            }
            return Err(error.into());
        }
        if self.waiting.len() >= MAX_WAITING && !self.is_complete(&block.header.previous) {
            return Err(SubmitError::TooManyWaiting);
        }
        self.unflushed_bytes += block.size();
        self.bodies.insert(hash, block);
        self.headers.set_body(&hash, true);
        self.complete_from(hash);
        let change = self.activate_best();
        let moved = !(change.connected.is_empty() && change.invalid.is_empty());
        Ok(if moved {
            Submission::Moved(change)
        } else {
            Submission::Stored
        })
    }

    /// Marks `hash` complete if its parent is, and then whatever waited for it.
    fn complete_from(&mut self, hash: BlockHash) {
        let mut ready = Vec::from([hash]);
        while let Some(hash) = ready.pop() {
            let Some(parent) = self.headers.header(&hash).map(|header| header.previous) else {
                continue;
            };
            if !self.is_complete(&parent) {
                self.waiting.insert((parent, hash));
                continue;
            }
            self.mark_complete(hash);
            let of_parent = (hash, BlockHash([0; 32]))..=(hash, BlockHash([0xff; 32]));
            let children: Vec<_> = self.waiting.range(of_parent).copied().collect();
            for child in children {
                self.waiting.remove(&child);
                ready.push(child.1);
            }
        }
    }

    fn is_complete(&self, hash: &BlockHash) -> bool {
        self.headers.entry(hash).is_some_and(|entry| entry.complete)
    }

    fn mark_complete(&mut self, hash: BlockHash) {
        let Some(work) = self.headers.mark_complete(&hash) else {
            return;
        };
        self.candidates.insert((work, Reverse(self.arrivals), hash));
        self.arrivals += 1;
    }

    /// Marks a block and all that extend it as invalid; nothing waits for them any more.
    fn mark_invalid(&mut self, hash: &BlockHash) {
        self.headers.mark_invalid(hash);
        let (headers, bodies) = (&mut self.headers, &mut self.bodies);
        self.waiting.retain(|(_, child)| {
            let invalid = headers.entry(child).is_none_or(|entry| entry.invalid);
            if invalid {
                bodies.remove(child);
                headers.set_body(child, false);
            }
            !invalid
        });
    }

    /// Moves to the valid complete block with the most work.
    fn activate_best(&mut self) -> TipChange {
        let mut change = TipChange::default();
        while let Some(best @ (_, _, hash)) = self.candidates.last().copied() {
            if hash == self.tip() {
                // What is connected is valid for good, so nothing below it can be the best any more.
                self.candidates = BTreeSet::from([best]);
                break;
            }
            if let Err((culprit, error)) = self.switch_to(hash, &mut change) {
                self.candidates.remove(&best);
                self.mark_invalid(&culprit);
                if let Some(error) = error {
                    change.invalid.push((culprit, error));
                }
            }
        }
        change
    }

    /// Disconnects down to the fork with `target` and connects up to it. On a failure the ledger
    /// stands at the last block that could be connected, and the culprit is returned (without an
    /// error if it was known to be invalid).
    fn switch_to(
        &mut self,
        target: BlockHash,
        change: &mut TipChange,
    ) -> Result<(), (BlockHash, Option<BlockError>)> {
        let branch: Vec<BlockHash> = self
            .headers
            .ancestors(target)
            .take_while(|entry| self.active().get(entry.height.0 as usize) != Some(&entry.hash))
            .map(|entry| entry.hash)
            .collect();
        // A branch through a block that failed before is not tried again.
        if branch
            .iter()
            .any(|hash| self.headers.entry(hash).is_some_and(|entry| entry.invalid))
        {
            return Err((target, None));
        }
        let fork_length = branch
            .last()
            .and_then(|hash| self.headers.height(hash))
            .map_or(0, |height| height.0 as usize);
        while self.active().len() > fork_length {
            // Stays where it is if it cannot go back.
            self.disconnect(change).ok_or((target, None))?;
        }
        for hash in branch.into_iter().rev() {
            self.connect(hash, change).map_err(|error| (hash, error))?;
        }
        Ok(())
    }

    fn disconnect(&mut self, change: &mut TipChange) -> Option<()> {
        let hash = self.tip();
        let (inverse, block) = (self.undo(&hash), self.block(&hash));
        let (inverse, block) = self.stored(&hash, inverse.zip(block))?;
        note_touched(change, &inverse);
        self.ledger.pop_block(&inverse);
        // A block that was connected and disconnected in one move has not moved at all.
        if change
            .connected
            .last()
            .is_some_and(|last| last.header == block.header)
        {
            change.connected.pop();
        } else {
            change.disconnected.push(block);
        }
        Some(())
    }

    fn connect(&mut self, hash: BlockHash, change: &mut TipChange) -> Result<(), Option<BlockError>> {
        let block = self.stored(&hash, self.block(&hash)).ok_or(None)?;
        let recorded = self.store.as_ref().and_then(|store| store.delta(&hash));
        let delta = match &recorded {
            Some(delta) => delta.clone(),
            // A body from before a restart may be of other rules.
            None => {
                check_block(&block, &self.params)?;
                Arc::new(connect_block(&self.ledger, &block, &*self.verifier)?)
            }
        };
        let undo = Arc::new(self.ledger.push_block(hash, block.header.time, &delta));
        note_touched(change, &undo);
        let entries = delta.coins.len() + delta.jobs.len() + delta.tickets.len();
        self.unflushed_bytes += entries * ENTRY_BYTES;
        self.undo.insert(hash, undo.clone());
        change.undo.insert(hash, undo.clone());
        if recorded.is_none() {
            let block = hash;
            change.checked.push(Connected { block, delta, undo });
        }
        if change
            .disconnected
            .last()
            .is_some_and(|last| last.header == block.header)
        {
            change.disconnected.pop();
        } else {
            change.connected.push(block);
        }
        Ok(())
    }

    /// `found`, which is about a block that is stored.
    fn stored<T>(&self, block: &BlockHash, found: Option<T>) -> Option<T> {
        if let (None, Some(store)) = (&found, &self.store) {
            store.report_missing(block);
        }
        found
    }

    /// Hashes of the best chain, dense near the tip and ever sparser below, the genesis block last
    /// (Bitcoin's block locator).
    pub fn locator(&self) -> Vec<BlockHash> {
        let mut locator = Vec::new();
        let mut height = self.active().len().saturating_sub(1);
        let mut step = 1;
        while height > 0 && locator.len() < 63 {
            locator.extend(self.active().get(height).copied());
            if locator.len() >= 10 {
                step *= 2;
            }
            height = height.saturating_sub(step);
        }
        locator.extend(self.active().first().copied());
        locator
    }

    /// Up to `limit` headers of the best chain after the first hash of `locator` that is on it.
    pub fn headers_after(&self, locator: &[BlockHash], limit: usize) -> Vec<BlockHeader> {
        let on_chain = |hash: &BlockHash| {
            let height = self.headers.height(hash)?.0 as usize;
            (self.active().get(height) == Some(hash)).then_some(height)
        };
        let start = locator.iter().find_map(on_chain).map_or(0, |height| height + 1);
        let hashes = self.active().iter().skip(start).take(limit);
        hashes
            .filter_map(|hash| self.headers.header(hash).copied())
            .collect()
    }

    /// Is the block with the most work that is known the tip?
    pub fn is_caught_up(&self) -> bool {
        self.headers.best() == self.tip()
    }

    /// How many more bodies may wait for their parents'.
    pub fn waiting_room(&self) -> usize {
        MAX_WAITING.saturating_sub(self.waiting.len())
    }

    /// Up to `limit` blocks on the way to `towards` whose bodies are missing, lowest first; none if it
    /// has no more work than the tip, or is invalid.
    pub fn missing_bodies(&self, towards: BlockHash, limit: usize) -> Vec<BlockHash> {
        let work = |hash| {
            self.headers
                .entry(hash)
                .filter(|entry| !entry.invalid)
                .map(|entry| entry.work)
        };
        if work(&towards) <= work(&self.tip()) {
            return Vec::new();
        }
        let incomplete = self.headers.incomplete(towards).take(DOWNLOAD_WINDOW);
        incomplete
            .map(|entry| entry.hash)
            .filter(|hash| !self.headers.entry(hash).is_some_and(|entry| entry.has_body))
            .take(limit)
            .collect()
    }
}

fn note_touched(change: &mut TipChange, delta: &Delta) {
    change.coins.extend(delta.coins.keys());
    change.jobs.extend(delta.jobs.keys());
}
