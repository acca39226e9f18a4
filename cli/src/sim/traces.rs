//! Where traces are written.

use super::suite::guard;
use crate::exit::Failure;
use camelid_sim::scenario::Scenario;
use camelid_sim::{Outcome, RunReport, judge, run};
use std::fs;
use std::path::{Path, PathBuf};
use std::process;

/// Writes traces of runs.
pub struct Traces {
    /// For every run.
    pub all: Option<PathBuf>,
    /// For failed runs.
    pub failures: PathBuf,
}

impl Traces {
    /// Runs `scenario` under `seed` and writes its trace wherever it belongs: what it came to, and where the
    /// trace is; that of a failed run, in the directory of failures.
    ///
    /// # Errors
    /// [`Failure::Write`].
    pub fn run(&self, scenario: &Scenario, seed: u64) -> Result<(RunReport, Option<PathBuf>), Failure> {
        let report = guard(scenario, seed, judge);
        let failed = report.outcome == Outcome::Fail;
        let directories: Vec<_> = self.all.iter().chain(failed.then_some(&self.failures)).collect();
        let written = match directories.is_empty() {
            true => None,
            false => record(scenario, seed, &directories)?,
        };
        Ok((report, written))
    }
}

/// Runs once more, now with a trace, and writes it to each directory. A run that panics leaves none.
fn record(scenario: &Scenario, seed: u64, directories: &[&PathBuf]) -> Result<Option<PathBuf>, Failure> {
    let Some(trace) = trace(scenario, seed) else {
        return Ok(None);
    };
    let name = format!("{}-{seed}.trace", scenario.name);
    let mut written = None;
    for directory in directories {
        written = Some(write(directory, &name, &trace)?);
    }
    Ok(written)
}

/// The trace of a run, unless it panics.
pub fn trace(scenario: &Scenario, seed: u64) -> Option<Vec<u8>> {
    let mut trace = None;
    guard(scenario, seed, |scenario, seed| {
        let run = run(scenario, seed);
        trace = Some(run.trace);
        run.report
    });
    trace
}

/// Writes under another name first: a file is there as a whole or not at all.
///
/// # Errors
/// [`Failure::Write`].
pub fn write(directory: &Path, name: &str, bytes: &[u8]) -> Result<PathBuf, Failure> {
    let path = directory.join(name);
    let partial = directory.join(format!(".{name}.{}.partial", process::id()));
    let attempt = fs::create_dir_all(directory)
        .and_then(|()| fs::write(&partial, bytes))
        .and_then(|()| fs::rename(&partial, &path));
    match attempt {
        Ok(()) => Ok(path),
        Err(error) => {
            // Whatever is left of it; the first error is the one to report.
            let _ = fs::remove_file(&partial);
            Err(Failure::Write { path, error })
        }
    }
}
