//! Running many scenarios under many seeds, some at the same time, with results in order.

use super::load::Loaded;
use super::traces::Traces;
use crate::args::Seeds;
use crate::exit::Failure;
use camelid_core::primitives::Digest;
use camelid_sim::scenario::Scenario;
use camelid_sim::{JobCounts, Outcome, Run, RunReport, Violation};
use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;

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
    pub fn run(&self, mut take: impl FnMut(Finished) -> Result<(), Failure>) -> Result<(), Failure> {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(self.jobs)
            .build()
            .map_err(|error| Failure::System(format!("no threads to run on: {error}")))?;
        let next = AtomicU64::new(0);
        let halt = AtomicBool::new(false);
        let (sender, results) = mpsc::channel();
        pool.in_place_scope(|scope| {
            for _ in 0..self.jobs {
                let (sender, next, halt) = (sender.clone(), &next, &halt);
                scope.spawn(move |_| self.work(next, halt, &sender));
            }
            drop(sender);
            let mut order = InOrder::default();
            for (index, finished) in results {
                let taken = finished.and_then(|finished| order.push(index, finished, &mut take));
                if taken.is_err() {
                    halt.store(true, Ordering::Relaxed);
                    return taken;
                }
            }
            Ok(())
        })
    }

    /// One thread's work: the next run, until there is none.
    fn work(
        &self,
        next: &AtomicU64,
        halt: &AtomicBool,
        results: &mpsc::Sender<(u64, Result<Finished, Failure>)>,
    ) {
        while !self.stop.load(Ordering::Relaxed) && !halt.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let scenario = usize::try_from(index / self.seeds.count).unwrap_or(usize::MAX);
            let Some(loaded) = self.scenarios.get(scenario) else {
                return;
            };
            let seed = self.seeds.first + index % self.seeds.count;
            let run = guard(&loaded.scenario, seed, camelid_sim::run);
            let finished = self.write_trace(&run).map(|trace| Finished {
                scenario,
                report: run.report,
                trace,
            });
            // Nobody listens after an error.
            if results.send((index, finished)).is_err() {
                return;
            }
        }
    }

    fn write_trace(&self, run: &Run) -> Result<Option<PathBuf>, Failure> {
        if run.trace.is_empty() {
            return Ok(None);
        }
        self.traces.write(run)
    }
}

/// Holds results back until all before them are there.
#[derive(Default)]
struct InOrder {
    next: u64,
    waiting: BTreeMap<u64, Finished>,
}

impl InOrder {
    fn push(
        &mut self,
        index: u64,
        finished: Finished,
        take: &mut impl FnMut(Finished) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        self.waiting.insert(index, finished);
        while let Some(finished) = self.waiting.remove(&self.next) {
            self.next += 1;
            take(finished)?;
        }
        Ok(())
    }
}

/// Runs `run`. A broken internal assertion becomes a failed run with the violation `panic`, without
/// a trace, and does not take the other runs with it.
fn guard(scenario: &Scenario, seed: u64, run: impl FnOnce(&Scenario, u64) -> Run) -> Run {
    // Nothing survives a run but its result, so nothing half-changed can be seen.
    let outcome = catch_unwind(AssertUnwindSafe(|| run(scenario, seed)));
    outcome.unwrap_or_else(|payload| Run {
        report: panicked(scenario, seed, message_of(&*payload)),
        trace: Vec::new(),
    })
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
        let run = guard(&scenario, 7, |_, seed| panic!("broken under {seed}"));
        let violation = run.report.violations.first().expect("one violation");
        assert_eq!(run.report.outcome, Outcome::Fail);
        assert_eq!((run.report.scenario.as_str(), run.report.seed), ("smallest", 7));
        assert_eq!(
            (violation.id.as_str(), violation.message.as_str()),
            ("panic", "broken under 7")
        );
    }
}
