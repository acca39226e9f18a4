//! `camelid sim run --swarm`.

use super::minimal::{Minimal, minimise};
use super::pool::in_order;
use super::record::{SwarmRecord, SwarmSummaryRecord};
use super::run::{STOPPING, print_json, progress_bar, stop_on_interrupt};
use super::traces::Traces;
use crate::args::RunArgs;
use crate::exit::{Exit, Failure};
use camelid_sim::swarm::{Drawn, draw};
use camelid_sim::{JobCounts, Outcome, RunReport, Violation};
use std::collections::BTreeMap;
use std::io::{Write, stdout};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Runs that are shrunk for each invariant that fails; more of them seldom say more.
const SHRUNK_EACH: u64 = 2;
/// Most runs to shrink one.
const MAX_SHRINK_RUNS: u64 = 600;

/// A run that is over.
struct Finished {
    drawn: Drawn,
    report: RunReport,
    trace: Option<PathBuf>,
}

/// Runs the scenario that each seed draws, and shrinks what fails.
///
/// # Errors
/// [`Failure`].
pub fn swarm(args: &RunArgs) -> Result<Exit, Failure> {
    let begun = Instant::now();
    let stop = stop_on_interrupt(STOPPING)?;
    let seeds = args.seeds();
    let traces = Traces {
        all: args.trace_dir.clone(),
        failures: args.failures.clone(),
    };
    let progress = progress_bar(seeds.count, "runs");
    let mut totals = Totals::default();
    let work = |index| finish(seeds.first + index, &traces);
    in_order(seeds.count, args.jobs(), &stop, work, |finished| {
        totals.add(&finished);
        let minimal = totals.shrinks(&finished).map(|violation| {
            let scenario = &finished.drawn.scenario;
            minimise(
                scenario,
                finished.report.seed,
                violation,
                MAX_SHRINK_RUNS,
                &args.failures,
            )
        });
        let minimal = minimal.transpose()?;
        progress.suspend(|| print(&finished, minimal.as_ref(), args.json))?;
        progress.inc(1);
        Ok(())
    })?;
    progress.finish_and_clear();

    let interrupted = totals.runs < seeds.count;
    if args.json {
        print_json(&totals.summary(interrupted))?;
    } else {
        writeln!(stdout().lock(), "{}", totals.line(begun.elapsed()))?;
    }
    Ok(if interrupted {
        eprintln!(
            "camelid: interrupted after {} of {} runs",
            totals.runs, seeds.count
        );
        Exit::Interrupted
    } else if totals.passed < totals.runs {
        Exit::Negative
    } else {
        Exit::Success
    })
}

fn finish(seed: u64, traces: &Traces) -> Result<Finished, Failure> {
    let drawn = draw(seed).map_err(|error| Failure::Load(vec![error]))?;
    let (report, trace) = traces.run(&drawn.scenario, seed)?;
    Ok(Finished { drawn, report, trace })
}

fn print(finished: &Finished, minimal: Option<&Minimal>, json: bool) -> Result<(), Failure> {
    let Finished { drawn, report, trace } = finished;
    if json {
        return print_json(&SwarmRecord::new(drawn, report, minimal));
    }
    let mut out = stdout().lock();
    let outcome = match report.outcome {
        Outcome::Pass => "pass",
        Outcome::Fail => "FAIL",
    };
    writeln!(out, "{} {outcome}  {}", report.seed, drawn.line())?;
    if report.outcome == Outcome::Pass {
        return Ok(());
    }
    for Violation { id, at_ms, message } in &report.violations {
        writeln!(out, "  {id} at {at_ms} ms: {message}")?;
    }
    let text = drawn.scenario.to_short_toml().unwrap_or_default();
    for line in text.lines() {
        writeln!(out, "    {line}")?;
    }
    writeln!(out, "  reproduce: camelid sim run --swarm --seed {}", report.seed)?;
    if let Some(trace) = trace {
        writeln!(out, "  trace:     {}", trace.display())?;
    }
    if let Some(minimal) = minimal {
        write!(out, "{minimal}")?;
    }
    Ok(())
}

/// Sums over all runs.
#[derive(Default)]
struct Totals {
    runs: u64,
    passed: u64,
    events: u64,
    jobs: JobCounts,
    violations: BTreeMap<String, u64>,
    features: BTreeMap<&'static str, u64>,
}

impl Totals {
    fn add(&mut self, finished: &Finished) {
        let report = &finished.report;
        self.runs += 1;
        self.passed += u64::from(report.outcome == Outcome::Pass);
        self.events += report.events;
        self.jobs.opened += report.jobs.opened;
        self.jobs.settled += report.jobs.settled;
        self.jobs.slashed += report.jobs.slashed;
        self.jobs.refunded += report.jobs.refunded;
        for feature in &finished.drawn.features {
            *self.features.entry(feature).or_default() += 1;
        }
        if let Some(violation) = report.violations.first() {
            *self.violations.entry(violation.id.clone()).or_default() += 1;
        }
    }

    /// The violation for which this run, which was added, is to be shrunk.
    fn shrinks<'a>(&self, finished: &'a Finished) -> Option<&'a Violation> {
        let violation = finished.report.violations.first()?;
        let so_far = self.violations.get(&violation.id).copied().unwrap_or(0);
        (so_far <= SHRUNK_EACH).then_some(violation)
    }

    fn summary(&self, interrupted: bool) -> SwarmSummaryRecord {
        SwarmSummaryRecord {
            schema: "camelid.sim.swarm.summary.v1",
            runs: self.runs,
            passed: self.passed,
            failed: self.runs - self.passed,
            violations: self.violations.clone(),
            features: self.features.clone(),
            interrupted,
        }
    }

    fn line(&self, elapsed: Duration) -> String {
        let JobCounts {
            opened,
            settled,
            slashed,
            refunded,
        } = self.jobs;
        format!(
            "{} runs: {} passed, {} failed; {opened} jobs: {settled} settled, {slashed} slashed, {refunded} \
             refunded; {} events in {}.{} s",
            self.runs,
            self.passed,
            self.runs - self.passed,
            self.events,
            elapsed.as_secs(),
            elapsed.subsec_millis() / 100,
        )
    }
}
