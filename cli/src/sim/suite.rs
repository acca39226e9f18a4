//! Running many scenarios under many seeds, some at the same time, with results in order.

use super::load::Loaded;
use super::pool::in_order;
use super::traces::Traces;
use crate::args::Seeds;
use crate::exit::Failure;
use camelid_core::primitives::Digest;
use camelid_sim::scenario::Scenario;
use camelid_sim::{JobCounts, Outcome, RunReport, Violation};
use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

/// All pairs of a scenario and a seed.
pub struct Suite<'a> {
    /// The scenarios.
    pub scenarios: &'a [Loaded],
    /// The seeds that each is run under.
    pub seeds: Seeds,
    /// Runs at the same time.
    pub jobs: usize,
    /// Where traces go.
    pub traces: Traces,
    /// Once true, no new run begins.
    pub stop: &'a AtomicBool,
}

/// A run that is over; its trace is on disk or gone.
pub struct Finished {
    /// Index of the scenario.
    pub scenario: usize,
    /// What it came to.
    pub report: RunReport,
    /// Where its trace was written.
    pub trace: Option<PathBuf>,
}

impl Suite<'_> {
    /// Number of runs.
    pub fn len(&self) -> u64 {
        self.seeds.count.saturating_mul(self.scenarios.len() as u64)
    }

    /// Runs everything and hands each result to `take`, by scenario and then by seed, as soon as it
    /// is the next one. Runs are begun in that order too: what is done when it stops has no gaps.
    ///
    /// # Errors
    /// The first error of `take`, or of writing a trace. Nothing new is begun after it.
    pub fn run(&self, take: impl FnMut(Finished) -> Result<(), Failure>) -> Result<(), Failure> {
        in_order(self.len(), self.jobs, self.stop, |index| self.finish(index), take)
    }

    /// Run number `index`, by scenario and then by seed.
    fn finish(&self, index: u64) -> Result<Finished, Failure> {
        let scenario = usize::try_from(index / self.seeds.count).unwrap_or(usize::MAX);
        let loaded = self
            .scenarios
            .get(scenario)
            .ok_or_else(|| Failure::System(format!("there is no run {index}")))?;
        let seed = self.seeds.first + index % self.seeds.count;
        let (report, trace) = self.traces.run(&loaded.scenario, seed)?;
        Ok(Finished {
            scenario,
            report,
            trace,
        })
    }
}

/// Runs `judge`. A broken internal assertion becomes a failed run with the violation `panic` and does not
/// take the other runs with it.
pub fn guard(scenario: &Scenario, seed: u64, judge: impl FnOnce(&Scenario, u64) -> RunReport) -> RunReport {
    // Nothing survives a run but its result, so nothing half-changed can be seen.
    let outcome = catch_unwind(AssertUnwindSafe(|| judge(scenario, seed)));
    outcome.unwrap_or_else(|payload| panicked(scenario, seed, message_of(&*payload)))
}

/// The message of a panic.
pub fn message_of(payload: &(dyn Any + Send)) -> String {
    let literal = payload.downcast_ref::<&str>().map(ToString::to_string);
    literal
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".into())
}

fn panicked(scenario: &Scenario, seed: u64, message: String) -> RunReport {
    RunReport {
        scenario: scenario.name.clone(),
        seed,
        outcome: Outcome::Fail,
        digest: Digest::default(),
        events: 0,
        virtual_ms: 0,
        jobs: JobCounts::default(),
        honest_slashed: 0,
        violations: vec![Violation {
            id: "panic".into(),
            at_ms: 0,
            message,
        }],
        counts: BTreeMap::new(),
        drawn: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_failed_run() {
        let text = r#"
            name = "smallest"
            about = "Two miners."
            run = { until_ms = 1000, heal_at_ms = 0 }
            network = { peers = 1 }
            nodes = [{ name = "miner", count = 2, roles = ["miner"] }]
            expect = { sometimes = [{ event = "tip-extended" }] }
        "#;
        let scenario = Scenario::parse(text, "smallest.toml").expect("a valid scenario");
        let report = guard(&scenario, 7, |_, seed| panic!("broken under {seed}"));
        let violation = report.violations.first().expect("one violation");
        assert_eq!(report.outcome, Outcome::Fail);
        assert_eq!((report.scenario.as_str(), report.seed), ("smallest", 7));
        assert_eq!(
            (violation.id.as_str(), violation.message.as_str()),
            ("panic", "broken under 7")
        );
    }
}
