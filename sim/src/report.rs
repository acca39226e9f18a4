//! What a run came to.

use camelid_core::primitives::Digest;
use std::collections::BTreeMap;

/// Whether all expectations held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// They did.
    Pass,
    /// At least one did not.
    Fail,
}

/// An expectation that did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Stable id: an invariant's, or `eventually:EVENT` / `never:EVENT`.
    pub id: String,
    /// Virtual time at which it was seen, in milliseconds from the start.
    pub at_ms: u64,
    /// For people to read.
    pub message: String,
}

/// Jobs on the best honest chain at the end of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JobCounts {
    /// All of them.
    pub opened: u64,
    /// Settled for the node, after a dispute or without one.
    pub settled: u64,
    /// Slashed.
    pub slashed: u64,
    /// Refunded to the client.
    pub refunded: u64,
}

/// A run in figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunReport {
    /// The scenario's name.
    pub scenario: String,
    /// The seed.
    pub seed: u64,
    /// Whether all expectations held.
    pub outcome: Outcome,
    /// Hash over every step of every node; equal digests mean equal runs.
    pub digest: Digest,
    /// Inputs handled by nodes.
    pub events: u64,
    /// Virtual time that passed, in milliseconds.
    pub virtual_ms: u64,
    /// What became of the jobs.
    pub jobs: JobCounts,
    /// Slashed jobs whose node was honest.
    pub honest_slashed: u64,
    /// Expectations that did not hold.
    pub violations: Vec<Violation>,
    /// How often each named event happened (jobs count once for each event).
    pub counts: BTreeMap<String, u64>,
    /// Values drawn from the seed for the scenario's ranges.
    pub drawn: Vec<(String, u64)>,
}

impl RunReport {
    /// How often `event` happened.
    pub fn count(&self, event: &str) -> u64 {
        self.counts.get(event).copied().unwrap_or(0)
    }
}
