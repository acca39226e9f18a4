//! The job pool (paper, 2.4.1): offers a node has heard of. Its states are hints, never consensus.

use super::terms::{Terms, prompt_hash};
use crate::keys::NodeId;
use crate::model::PromptTokens;
use crate::primitives::JobId;
use alloc::collections::BTreeMap;
use borsh::{BorshDeserialize, BorshSerialize};

/// A broadcast job: the terms with the prompt that the ledger does not hold.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Offer {
    /// The job's name (checked against the ledger before anyone works on it).
    pub job: JobId,
    /// Its terms.
    pub terms: Terms,
    /// The rendered prompt's token ids.
    pub prompt: PromptTokens,
    /// Salt of the prompt hash.
    pub prompt_salt: [u8; 32],
}

impl Offer {
    /// True when the prompt is the one the terms commit to.
    pub fn prompt_matches(&self) -> bool {
        !self.prompt.is_empty() && prompt_hash(&self.prompt_salt, &self.prompt) == self.terms.prompt_hash
    }
}

/// How far a job has come, as far as this node has heard (paper, 2.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub enum PoolState {
    /// Offered.
    Created,
    /// A node says that it works on it.
    Accepted {
        /// The node that said so first.
        by: NodeId,
    },
    /// Engage has been mined.
    Completed,
}

/// Offers by job, at most `capacity`. Anybody can broadcast an offer for nothing, so one that the
/// ledger confirms is never pushed out by one that it does not.
#[derive(Clone, Debug)]
pub struct JobPool {
    capacity: usize,
    entries: BTreeMap<JobId, Entry>,
    arrivals: u64,
}

#[derive(Clone, Debug)]
struct Entry {
    offer: Offer,
    state: PoolState,
    /// The ledger holds the job with just these terms.
    confirmed: bool,
    arrival: u64,
}

impl JobPool {
    /// An empty pool for at most `capacity` offers.
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity,
            entries: BTreeMap::new(),
            arrivals: 0,
        }
    }

    /// Takes an offer in; `confirmed` says that the ledger holds the job with just these terms. False
    /// when it is known, its prompt does not match, or the pool is full of better ones.
    pub fn insert(&mut self, offer: Offer, confirmed: bool) -> bool {
        let known = self.entries.get(&offer.job);
        if known.is_some_and(|entry| entry.confirmed || !confirmed) || !offer.prompt_matches() {
            return false;
        }
        let replaces = known.is_some();
        if !replaces && self.entries.len() >= self.capacity && !self.evict() {
            return false;
        }
        self.arrivals += 1;
        let entry = Entry {
            state: PoolState::Created,
            confirmed,
            arrival: self.arrivals,
            offer,
        };
        self.entries.insert(entry.offer.job, entry);
        true
    }

    /// Drops the oldest unconfirmed offer, or a completed one.
    fn evict(&mut self) -> bool {
        let dispensable = self
            .entries
            .values()
            .filter(|entry| !entry.confirmed || entry.state == PoolState::Completed);
        let oldest = dispensable.min_by_key(|entry| (entry.confirmed, entry.arrival));
        let Some(job) = oldest.map(|entry| entry.offer.job) else {
            return false;
        };
        self.entries.remove(&job).is_some()
    }

    /// Notes that `node` accepted `job`, if nobody has.
    pub fn accept(&mut self, job: &JobId, node: NodeId) {
        if let Some(entry) = self.entries.get_mut(job)
            && entry.state == PoolState::Created
        {
            entry.state = PoolState::Accepted { by: node };
        }
    }

    /// Notes that the job's Engage was mined.
    pub fn complete(&mut self, job: &JobId) {
        if let Some(entry) = self.entries.get_mut(job) {
            entry.state = PoolState::Completed;
        }
    }

    /// Forgets a job.
    pub fn remove(&mut self, job: &JobId) {
        self.entries.remove(job);
    }

    /// The offer for `job`.
    pub fn get(&self, job: &JobId) -> Option<&Offer> {
        self.entries.get(job).map(|entry| &entry.offer)
    }

    /// The state of `job`.
    pub fn state(&self, job: &JobId) -> Option<PoolState> {
        self.entries.get(job).map(|entry| entry.state)
    }

    /// All offers with their states, by job id.
    pub fn iter(&self) -> impl Iterator<Item = (&Offer, PoolState)> {
        self.entries.values().map(|entry| (&entry.offer, entry.state))
    }
}
