//! `camelid sim run`.

use super::load::{Loaded, load};
use super::record::{NeverRecord, RunRecord, SummaryRecord};
use super::suite::{Finished, Suite};
use super::swarm::swarm;
use super::table::{FailedRun, render};
use super::tally::Tally;
use super::traces::Traces;
use crate::args::RunArgs;
use crate::color::ColorWhen;
use crate::exit::{Exit, Failure};
use camelid_sim::Outcome;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{Write, stdout};
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// Runs every scenario under every seed and says who was caught.
///
/// # Errors
/// [`Failure`], before anything runs if a scenario cannot be loaded.
pub fn run(args: &RunArgs, color: ColorWhen) -> Result<Exit, Failure> {
    if args.swarm {
        return swarm(args);
    }
    let begun = Instant::now();
    let scenarios = load(&args.paths)?;
    let stop = stop_on_interrupt(STOPPING)?;
    let suite = Suite {
        scenarios: &scenarios,
        seeds: args.seeds(),
        jobs: args.jobs(),
        traces: Traces {
            all: args.trace_dir.clone(),
            failures: args.failures.clone(),
        },
        stop: &stop,
    };
    let progress = progress_bar(suite.len(), "runs");
    let mut results = Results::new(&scenarios);
    suite.run(|finished| {
        if args.json {
            progress.suspend(|| print_json(&RunRecord::from(&finished.report)))?;
        }
        progress.inc(1);
        results.add(finished);
        Ok(())
    })?;
    progress.finish_and_clear();

    let interrupted = results.runs() < suite.len();
    if args.json {
        print_json(&results.summary(interrupted))?;
    } else {
        let text = render(
            &scenarios,
            &results.tallies,
            &results.failed,
            begun.elapsed(),
            color.on_stdout(),
        );
        stdout().lock().write_all(text.as_bytes())?;
    }
    Ok(if interrupted {
        eprintln!(
            "camelid: interrupted after {} of {} runs",
            results.runs(),
            suite.len()
        );
        Exit::Interrupted
    } else {
        results.exit()
    })
}

/// Prints a record on a line of its own.
///
/// # Errors
/// [`Failure::Output`].
pub fn print_json(record: &impl serde::Serialize) -> Result<(), Failure> {
    let mut out = stdout().lock();
    serde_json::to_writer(&mut out, record).map_err(std::io::Error::from)?;
    out.write_all(b"\n")?;
    Ok(out.flush()?)
}

/// What Ctrl-C says to whoever waits for runs.
pub const STOPPING: &str = "stopping after the runs in progress; once more to stop at once";

/// A flag that Ctrl-C raises, with a notice. The second Ctrl-C waits for nothing.
///
/// # Errors
/// [`Failure::System`] if signals cannot be handled.
pub fn stop_on_interrupt(notice: &'static str) -> Result<Arc<AtomicBool>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    let raised = stop.clone();
    ctrlc::set_handler(move || {
        if raised.swap(true, Ordering::Relaxed) {
            process::exit(Exit::Interrupted as i32);
        }
        eprintln!("camelid: {notice}");
    })
    .map_err(|error| Failure::System(format!("signals cannot be handled: {error}")))?;
    Ok(stop)
}

/// A bar on standard error; it hides itself when that is no terminal.
pub fn progress_bar(count: u64, things: &str) -> ProgressBar {
    // A wrong template would only cost the looks.
    let style = ProgressStyle::with_template(&format!("{{bar:40}} {{pos}}/{{len}} {things}, {{eta}} left"))
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(count).with_style(style)
}

/// What has come in so far.
struct Results<'a> {
    scenarios: &'a [Loaded],
    /// One for each scenario.
    tallies: Vec<Tally>,
    failed: Vec<FailedRun>,
}

impl<'a> Results<'a> {
    fn new(scenarios: &'a [Loaded]) -> Self {
        Self {
            scenarios,
            tallies: scenarios.iter().map(|_| Tally::default()).collect(),
            failed: Vec::new(),
        }
    }

    fn add(&mut self, finished: Finished) {
        if let Some(tally) = self.tallies.get_mut(finished.scenario) {
            tally.add(&finished.report);
        }
        if finished.report.outcome == Outcome::Fail {
            self.failed.push(finished.into());
        }
    }

    fn runs(&self) -> u64 {
        self.tallies.iter().map(|tally| tally.runs).sum()
    }

    fn never_happened(&self) -> Vec<NeverRecord<'a>> {
        let pairs = self.scenarios.iter().zip(&self.tallies);
        let records = pairs.flat_map(|(loaded, tally)| {
            let scenario = loaded.scenario.name.as_str();
            let events = tally.never_happened(loaded).into_iter();
            events.map(move |event| NeverRecord { scenario, event })
        });
        records.collect()
    }

    fn summary(&self, interrupted: bool) -> SummaryRecord<'a> {
        let passed = self.tallies.iter().map(|tally| tally.passed).sum();
        SummaryRecord {
            schema: "camelid.sim.summary.v1",
            scenarios: self.scenarios.len(),
            runs: self.runs(),
            passed,
            failed: self.runs() - passed,
            never_happened: self.never_happened(),
            interrupted,
        }
    }

    fn exit(&self) -> Exit {
        if self.failed.is_empty() && self.never_happened().is_empty() {
            Exit::Success
        } else {
            Exit::Negative
        }
    }
}
