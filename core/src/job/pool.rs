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

/// Offers by job, at most `capacity`; a newcomer to a full pool replaces a completed job or is refused.
#[derive(Clone, Debug)]
pub struct JobPool {
    capacity: usize,
    offers: BTreeMap<JobId, (Offer, PoolState)>,
}

impl JobPool {
    /// An empty pool for at most `capacity` offers.
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity,
            offers: BTreeMap::new(),
        }
    }

    /// Takes an offer in. False when it is known, its prompt does not match, or the pool is full.
    pub fn insert(&mut self, offer: Offer) -> bool {
        if self.offers.contains_key(&offer.job) || !offer.prompt_matches() {
            return false;
        }
        if self.offers.len() >= self.capacity && !self.evict_completed() {
            return false;
        }
        self.offers.insert(offer.job, (offer, PoolState::Created));
        true
    }

    fn evict_completed(&mut self) -> bool {
        let completed = self
            .offers
            .iter()
            .find(|(_, (_, state))| *state == PoolState::Completed);
        let Some(job) = completed.map(|(job, _)| *job) else {
            return false;
        };
        self.offers.remove(&job).is_some()
    }

    /// Notes that `node` accepted `job`, if nobody has.
    pub fn accept(&mut self, job: &JobId, node: NodeId) {
        if let Some((_, state @ PoolState::Created)) = self.offers.get_mut(job) {
            *state = PoolState::Accepted { by: node };
        }
    }

    /// Notes that the job's Engage was mined.
    pub fn complete(&mut self, job: &JobId) {
        if let Some((_, state)) = self.offers.get_mut(job) {
            *state = PoolState::Completed;
        }
    }

    /// Forgets a job.
    pub fn remove(&mut self, job: &JobId) {
        self.offers.remove(job);
    }

    /// The offer for `job`.
    pub fn get(&self, job: &JobId) -> Option<&Offer> {
        self.offers.get(job).map(|(offer, _)| offer)
    }

    /// The state of `job`.
    pub fn state(&self, job: &JobId) -> Option<PoolState> {
        self.offers.get(job).map(|(_, state)| *state)
    }

    /// All offers with their states, by job id.
    pub fn iter(&self) -> impl Iterator<Item = (&Offer, PoolState)> {
        self.offers.values().map(|(offer, state)| (offer, *state))
    }
}
