//! All headers a node keeps, with their heights and work.

use super::header_tip::{HeaderError, HeaderTip};
use crate::block::{BlockHeader, Work};
use crate::params::Params;
use crate::primitives::{BlockHash, Height, Map, Time};
use alloc::vec::Vec;

/// A header in its place.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) hash: BlockHash,
    pub(super) header: BlockHeader,
    pub(super) height: Height,
    /// Work of the whole chain up to here.
    pub(super) work: Work,
    /// Where its parent stands; the genesis block is its own.
    parent: usize,
    /// Breaks a rule, or extends a block that does.
    pub(super) invalid: bool,
    /// Its body is here.
    pub(super) has_body: bool,
    /// Its body and those of all its ancestors are here.
    pub(super) complete: bool,
}

/// The tree of headers above a genesis block.
#[derive(Clone, Debug)]
pub struct HeaderTree {
    /// Parents come before their children.
    entries: Vec<Entry>,
    places: Map<BlockHash, usize>,
    /// Places of the best header and its ancestors, by height.
    best_chain: Vec<usize>,
}

impl HeaderTree {
    /// The tree with only `genesis` in it.
    pub(super) fn new(genesis: &BlockHeader, map_seed: u64) -> Self {
        let hash = genesis.hash();
        let mut places = Map::with_seed(map_seed);
        places.insert(hash, 0);
        Self {
            entries: Vec::from([Entry {
                hash,
                header: *genesis,
                height: Height(0),
                work: Work::default(),
                parent: 0,
                invalid: false,
                has_body: true,
                complete: true,
            }]),
            places,
            best_chain: Vec::from([0]),
        }
    }

    /// Takes a header in. True when it was new.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub(super) fn insert(
        &mut self,
        header: &BlockHeader,
        params: &Params,
        now: Time,
    ) -> Result<bool, HeaderError> {
        let hash = header.hash();
        if let Some(entry) = self.entry(&hash) {
            return if entry.invalid {
                Err(HeaderError::KnownInvalid)
            } else {
                self.raise_best(hash);
                Ok(false)
            };
        }
        let unknown = HeaderError::UnknownParent(header.previous);
        let parent = *self.places.get(&header.previous).ok_or(unknown.clone())?;
        let mut tip = self.tip(&header.previous).ok_or(unknown)?;
        if self.entries[parent].invalid {
            return Err(HeaderError::InvalidParent);
        }
        tip.extend(header, hash, params, now)?;
        self.places.insert(hash, self.entries.len());
        self.entries.push(Entry {
            hash,
            header: *header,
            height: tip.height(),
            work: tip.work(),
            parent,
            invalid: false,
            has_body: false,
            complete: false,
        });
        self.raise_best(hash);
        Ok(true)
    }

    /// Lets the best header be `hash` if that is valid and has more work, or if the best is invalid.
    pub(super) fn raise_best(&mut self, hash: BlockHash) {
        let work = |hash: &BlockHash| {
            self.entry(hash)
                .filter(|entry| !entry.invalid)
                .map(|entry| entry.work)
        };
        if work(&hash) <= work(&self.best()) {
            return;
        }
        let mut branch = self.branch(hash);
        branch.reverse();
        self.best_chain.truncate(self.fork(hash, &branch));
        self.best_chain.append(&mut branch);
    }

    /// Places of `hash` and its ancestors that are not on the best chain, last one first.
    fn branch(&self, hash: BlockHash) -> Vec<usize> {
        let mut branch = Vec::new();
        let mut next = self.places.get(&hash).copied();
        while let Some(place) = next {
            let entry = &self.entries[place];
            if self.best_chain.get(entry.height.0 as usize) == Some(&place) {
                break;
            }
            branch.push(place);
            next = Some(entry.parent);
        }
        branch
    }

    /// Number of headers that the best chain has in common with that of `hash`, whose `branch`, lowest
    /// first, is not on it.
    fn fork(&self, hash: BlockHash, branch: &[usize]) -> usize {
        let height = |place: usize| self.entries[place].height.0 as usize;
        match (branch.first(), self.places.get(&hash)) {
            (Some(lowest), _) => height(*lowest),
            (None, Some(place)) => height(*place) + 1,
            (None, None) => 0,
        }
    }

    /// `hash` and its ancestors up from the lowest one that is not complete, lowest first.
    pub(super) fn incomplete(&self, hash: BlockHash) -> impl Iterator<Item = &Entry> {
        let mut branch = self.branch(hash);
        branch.reverse();
        let shared = self.best_chain.get(..self.fork(hash, &branch));
        let shared = shared.unwrap_or_default();
        // If a block is complete, so are all below it.
        let lowest = shared.partition_point(|place| self.entries[*place].complete);
        let places = shared.iter().skip(lowest).copied().chain(branch);
        places
            .map(|place| &self.entries[place])
            .filter(|entry| !entry.complete)
    }

    pub(super) fn entry(&self, hash: &BlockHash) -> Option<&Entry> {
        self.places.get(hash).and_then(|place| self.entries.get(*place))
    }

    /// Notes whether the body of a block is here.
    pub(super) fn set_body(&mut self, hash: &BlockHash, is_here: bool) {
        let entry = self
            .places
            .get(hash)
            .and_then(|place| self.entries.get_mut(*place));
        if let Some(entry) = entry {
            entry.has_body = is_here;
        }
    }

    /// Notes that the bodies of a block and of all its ancestors are here.
    pub(super) fn mark_complete(&mut self, hash: &BlockHash) -> Option<Work> {
        let entry = self.entries.get_mut(*self.places.get(hash)?)?;
        entry.complete = true;
        Some(entry.work)
    }

    /// Marks a block and all that extend it as invalid. If the best header is among them, another one is the best
    /// then.
    pub(super) fn mark_invalid(&mut self, hash: &BlockHash) {
        let Some(place) = self.places.get(hash).copied() else {
            return;
        };
        self.entries[place].invalid = true;
        for place in place + 1..self.entries.len() {
            let parent = self.entries[place].parent;
            self.entries[place].invalid |= self.entries[parent].invalid;
        }
        let valid = self.entries.iter().filter(|entry| !entry.invalid);
        // The first of equals.
        let best = valid.rev().max_by_key(|entry| entry.work).map(|entry| entry.hash);
        if let Some(best) = best {
            self.raise_best(best);
        }
    }

    /// The header with the most work above it that is known; its body may be missing.
    pub fn best(&self) -> BlockHash {
        let place = self.best_chain.last().copied().unwrap_or(0);
        self.entries[place].hash
    }

    /// The genesis block's hash.
    pub fn genesis(&self) -> BlockHash {
        self.entries[0].hash
    }

    /// The header with this hash.
    pub fn header(&self, hash: &BlockHash) -> Option<&BlockHeader> {
        self.entry(hash).map(|entry| &entry.header)
    }

    /// Height of a known header.
    pub fn height(&self, hash: &BlockHash) -> Option<Height> {
        self.entry(hash).map(|entry| entry.height)
    }

    /// Work of the whole chain up to a known header.
    pub fn work(&self, hash: &BlockHash) -> Option<Work> {
        self.entry(hash).map(|entry| entry.work)
    }

    /// A known header as the end of a chain that goes on.
    pub fn tip(&self, hash: &BlockHash) -> Option<HeaderTip> {
        let work = self.entry(hash)?.work;
        let chain = self.ancestors(*hash);
        HeaderTip::new(*hash, work, chain.map(|entry| (entry.height, &entry.header)))
    }

    /// Number of headers.
    #[allow(clippy::len_without_is_empty)] // the genesis block's is always there
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// `from` and its ancestors down to the genesis block.
    pub(super) fn ancestors(&self, from: BlockHash) -> impl Iterator<Item = &Entry> {
        let mut next = self.places.get(&from).copied();
        core::iter::from_fn(move || {
            let entry = self.entries.get(next?)?;
            next = (entry.height > Height(0)).then_some(entry.parent);
            Some(entry)
        })
    }
}
