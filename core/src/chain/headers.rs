//! All headers a node knows, with their heights and work.

use crate::block::{BlockHeader, TargetError, Work, required_bits};
use crate::params::Params;
use crate::primitives::{BlockHash, Height, Map, Time, Timestamp};
use alloc::vec::Vec;

/// Why a header is not taken in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// Its parent is not known (yet).
    #[error("unknown parent {0}")]
    UnknownParent(BlockHash),
    /// It extends an invalid block.
    #[error("extends an invalid block")]
    InvalidParent,
    /// Its target is not the required one.
    #[error("target is not the required one")]
    WrongBits,
    /// Its proof of work fails.
    #[error(transparent)]
    Work(#[from] TargetError),
    /// Its time is not after the median of the last 11.
    #[error("time {0} is not after the median time past")]
    TooOld(u32),
    /// Its time is too far ahead. Not remembered: it may be fine later.
    #[error("time {0} is too far ahead")]
    TooFarAhead(u32),
    /// It was found invalid before.
    #[error("the block is known to be invalid")]
    KnownInvalid,
}

/// A header in its place.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) header: BlockHeader,
    pub(super) height: Height,
    /// Work of the whole chain up to here.
    pub(super) work: Work,
    /// Breaks a rule, or extends a block that does.
    pub(super) invalid: bool,
}

/// The tree of headers above a genesis block.
#[derive(Clone, Debug)]
pub struct HeaderTree {
    entries: Map<BlockHash, Entry>,
    children: Map<BlockHash, Vec<BlockHash>>,
    genesis: BlockHash,
    best: BlockHash,
}

impl HeaderTree {
    /// The tree with only `genesis` in it.
    pub(super) fn new(genesis: &BlockHeader, map_seed: u64) -> Self {
        let mut entries = Map::with_seed(map_seed);
        let hash = genesis.hash();
        let entry = Entry {
            header: *genesis,
            height: Height(0),
            work: Work::default(),
            invalid: false,
        };
        entries.insert(hash, entry);
        Self {
            entries,
            children: Map::with_seed(map_seed),
            genesis: hash,
            best: hash,
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
        if let Some(entry) = self.entries.get(&hash) {
            return if entry.invalid {
                Err(HeaderError::KnownInvalid)
            } else {
                self.raise_best(hash);
                Ok(false)
            };
        }
        let parent = self
            .entries
            .get(&header.previous)
            .ok_or(HeaderError::UnknownParent(header.previous))?;
        if parent.invalid {
            return Err(HeaderError::InvalidParent);
        }
        if header.bits != required_bits(params, &parent.header, parent.height) {
            return Err(HeaderError::WrongBits);
        }
        header.check_work()?;
        if header.time <= self.median_time_past(&header.previous) {
            return Err(HeaderError::TooOld(header.time.0));
        }
        if u64::from(header.time.0) > now.timestamp().plus_seconds(u64::from(params.max_future_s)) {
            return Err(HeaderError::TooFarAhead(header.time.0));
        }
        let work = parent.work.plus(&header.bits.target()?.work());
        let entry = Entry {
            header: *header,
            height: parent.height.plus(1),
            work,
            invalid: false,
        };
        self.entries.insert(hash, entry);
        match self.children.get_mut(&header.previous) {
            Some(children) => children.push(hash),
            None => {
                self.children.insert(header.previous, Vec::from([hash]));
            }
        }
        self.raise_best(hash);
        Ok(true)
    }

    /// Lets `best` be `hash` if that is valid and has more work, or if `best` is invalid.
    pub(super) fn raise_best(&mut self, hash: BlockHash) {
        let work = |hash| {
            self.entries
                .get(hash)
                .filter(|entry| !entry.invalid)
                .map(|entry| entry.work)
        };
        if work(&hash) > work(&self.best) {
            self.best = hash;
        }
    }

    pub(super) fn entry(&self, hash: &BlockHash) -> Option<&Entry> {
        self.entries.get(hash)
    }

    /// Marks a block and all that extend it as invalid. `best` may be among them: it has to be
    /// [raised](Self::raise_best) again.
    pub(super) fn mark_invalid(&mut self, hash: &BlockHash) {
        let mut extending = Vec::from([*hash]);
        while let Some(hash) = extending.pop() {
            if let Some(entry) = self.entries.get_mut(&hash) {
                entry.invalid = true;
            }
            extending.extend(self.children.get(&hash).into_iter().flatten());
        }
    }

    /// The known header with the most work above it; its body may be missing.
    pub fn best(&self) -> BlockHash {
        self.best
    }

    /// The genesis block's hash.
    pub fn genesis(&self) -> BlockHash {
        self.genesis
    }

    /// The header with this hash.
    pub fn header(&self, hash: &BlockHash) -> Option<&BlockHeader> {
        self.entries.get(hash).map(|entry| &entry.header)
    }

    /// Height of a known header.
    pub fn height(&self, hash: &BlockHash) -> Option<Height> {
        self.entries.get(hash).map(|entry| entry.height)
    }

    /// `from` and its ancestors down to the genesis block.
    pub(super) fn ancestors(&self, from: BlockHash) -> impl Iterator<Item = (BlockHash, &Entry)> {
        let mut next = Some(from);
        core::iter::from_fn(move || {
            let hash = next?;
            let entry = self.entries.get(&hash)?;
            next = (entry.height > Height(0)).then_some(entry.header.previous);
            Some((hash, entry))
        })
    }

    fn median_time_past(&self, hash: &BlockHash) -> Timestamp {
        let mut times: Vec<Timestamp> = self
            .ancestors(*hash)
            .take(11)
            .map(|(_, entry)| entry.header.time)
            .collect();
        times.sort_unstable();
        times.get(times.len() / 2).copied().unwrap_or_default()
    }
}
