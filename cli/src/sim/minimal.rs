//! Shrinking a failing run and writing down what is left of it.

use super::suite::guard;
use super::table::quoted;
use super::traces::{trace, write};
use crate::exit::Failure;
use camelid_sim::scenario::{NodeGroup, Scenario};
use camelid_sim::shrink::{Failing, Shrunk, shrink};
use camelid_sim::{Violation, judge};
use indicatif::ProgressBar;
use std::fmt;
use std::path::{Path, PathBuf};

/// A failing scenario that was made small and written to files.
pub struct Minimal {
    /// Its file.
    pub scenario: PathBuf,
    /// Its trace; a panic leaves none.
    pub trace: Option<PathBuf>,
    /// The seed under which it fails.
    pub seed: u64,
    /// How.
    pub violation: Violation,
    /// Runs that it took.
    pub runs: u64,
    /// False when the runs were used up.
    pub finished: bool,
    /// What there was.
    pub before: Size,
    /// What is left.
    pub after: Size,
}

/// How large a scenario is.
#[derive(Clone, Copy)]
pub struct Size {
    /// Dishonest nodes.
    pub adversaries: u64,
    /// Tables of faults.
    pub faults: u64,
    /// Nodes.
    pub nodes: u64,
    /// Jobs.
    pub jobs: u64,
    /// Virtual time.
    pub until_ms: u64,
}

impl From<&Scenario> for Size {
    fn from(scenario: &Scenario) -> Self {
        let groups = || scenario.nodes.iter().map(AsRef::<NodeGroup>::as_ref);
        let nodes = |group: &NodeGroup| group.count.high;
        let jobs = scenario.jobs.iter().map(|jobs| jobs.get_ref().count.high);
        Self {
            adversaries: groups().filter(|group| group.strategy.is_some()).map(nodes).sum(),
            faults: scenario.faults.len() as u64,
            nodes: groups().map(nodes).sum(),
            jobs: jobs.sum(),
            until_ms: scenario.run.until_ms,
        }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            adversaries,
            faults,
            nodes,
            jobs,
            until_ms,
        } = self;
        write!(
            f,
            "{adversaries} adversaries, {faults} faults, {nodes} nodes, {jobs} jobs, {until_ms} ms"
        )
    }
}

/// Shrinks a failing run of `scenario`, as far as `max_runs` runs go, and writes NAME-min.toml and its trace
/// to `directory`.
///
/// # Errors
/// [`Failure`]: files that cannot be written.
pub fn minimise(
    scenario: &Scenario,
    seed: u64,
    violation: &Violation,
    max_runs: u64,
    directory: &Path,
) -> Result<Minimal, Failure> {
    let progress = ProgressBar::new_spinner();
    let failing = Failing {
        scenario: scenario.clone(),
        seed,
        violation: violation.clone(),
    };
    let shrunk = shrink(failing, max_runs, |scenario, seed| {
        progress.inc(1);
        progress.set_message(format!(
            "shrinking: {} runs, {}",
            progress.position(),
            Size::from(scenario)
        ));
        guard(scenario, seed, judge).violations
    });
    progress.finish_and_clear();
    write_down(shrunk, Size::from(scenario), directory)
}

fn write_down(shrunk: Shrunk, before: Size, directory: &Path) -> Result<Minimal, Failure> {
    let Failing {
        mut scenario,
        seed,
        violation,
    } = shrunk.failing;
    let base = scenario.name.strip_suffix("-min").unwrap_or(&scenario.name);
    scenario.name = format!("{}-min", base.get(..60).unwrap_or(base));
    let heading = format!("Under seed {seed}: {}: {}", violation.id, violation.message);
    let scenario = scenario
        .shortened(&heading)
        .map_err(|error| Failure::Load(vec![error]))?;
    let file = write(
        directory,
        &format!("{}.toml", scenario.name),
        scenario.text.as_bytes(),
    )?;
    // Its name is part of the trace, so this is a run of its own.
    let name = format!("{}-{seed}.trace", scenario.name);
    let trace = match trace(&scenario, seed) {
        Some(trace) => Some(write(directory, &name, &trace)?),
        None => None,
    };
    Ok(Minimal {
        after: Size::from(&scenario),
        scenario: file,
        trace,
        seed,
        violation,
        runs: shrunk.runs,
        finished: shrunk.finished,
        before,
    })
}

impl fmt::Display for Minimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Violation { id, at_ms, message } = &self.violation;
        let unfinished = if self.finished { "" } else { ", not finished" };
        writeln!(
            f,
            "  shrunk:    {} to {} in {} runs{unfinished}",
            self.before, self.after, self.runs
        )?;
        writeln!(f, "  violates:  {id} at {at_ms} ms: {message}")?;
        writeln!(f, "  scenario:  {}", self.scenario.display())?;
        if let Some(trace) = &self.trace {
            writeln!(f, "  trace:     {}", trace.display())?;
        }
        writeln!(
            f,
            "  reproduce: camelid sim run {} --seed {}",
            quoted(&self.scenario),
            self.seed
        )
    }
}
