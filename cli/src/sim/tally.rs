//! What the runs of one scenario came to, together.

use super::load::Loaded;
use camelid_sim::{JobCounts, Outcome, RunReport};
use std::collections::BTreeMap;

/// Sums over the runs of a scenario.
#[derive(Default)]
pub struct Tally {
    /// Runs so far.
    pub runs: u64,
    /// Runs whose expectations all held.
    pub passed: u64,
    /// Inputs handled by nodes.
    pub events: u64,
    /// What became of the jobs.
    pub jobs: JobCounts,
    /// Slashed jobs whose node was honest.
    pub honest_slashed: u64,
    counts: BTreeMap<String, u64>,
}

impl Tally {
    /// Adds a run.
    pub fn add(&mut self, report: &RunReport) {
        self.runs += 1;
        self.passed += u64::from(report.outcome == Outcome::Pass);
        self.events += report.events;
        self.jobs.opened += report.jobs.opened;
        self.jobs.settled += report.jobs.settled;
        self.jobs.slashed += report.jobs.slashed;
        self.jobs.refunded += report.jobs.refunded;
        self.honest_slashed += report.honest_slashed;
        for (event, count) in &report.counts {
            *self.counts.entry(event.clone()).or_default() += count;
        }
    }

    /// How often `event` happened.
    pub fn count(&self, event: &str) -> u64 {
        self.counts.get(event).copied().unwrap_or(0)
    }

    /// Attacks that were carried out.
    pub fn attacks(&self) -> u64 {
        let attacks = self
            .counts
            .iter()
            .filter(|(event, _)| event.starts_with("attack:"));
        attacks.map(|(_, count)| count).sum()
    }

    /// Events that the scenario promises to show in so many runs, and did not show in any.
    pub fn never_happened<'a>(&self, loaded: &'a Loaded) -> Vec<&'a str> {
        let promised = loaded.scenario.expect.get_ref().sometimes.iter();
        let broken = promised.filter(|promise| {
            let enough = self.runs > 0 && self.runs >= promise.in_runs;
            enough && self.count(&promise.event) == 0
        });
        broken.map(|promise| promise.event.as_str()).collect()
    }

    /// In a few words, who was caught; for runs whose expectations held.
    pub fn verdict(&self, loaded: &Loaded) -> String {
        let invalid = self.count("judged-invalid");
        let judged = invalid + self.count("judged-valid") + self.count("judged-inconclusive");
        match () {
            () if self.honest_slashed > 0 => format!("{} honest slashed", self.honest_slashed),
            () if self.jobs.slashed > 0 => format!("{} stakes slashed", self.jobs.slashed),
            () if invalid > 0 && !loaded.has_dishonest_worker() => {
                format!("{invalid} of {judged} honest condemned")
            }
            () if invalid > 0 => format!("{invalid} of {judged} caught"),
            () if self.attacks() == 0 => "nobody to catch".into(),
            // Clients judge the work of workers; a dishonest client is held by the ledger's rules.
            () if judged > 0 && loaded.has_dishonest_worker() => format!("0 of {judged} caught"),
            () => "no coins lost".into(),
        }
    }
}
