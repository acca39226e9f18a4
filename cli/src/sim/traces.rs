//! Where traces are written.

use crate::exit::Failure;
use camelid_sim::{Outcome, Run};
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
    /// Writes a run's trace wherever it belongs, and says where; the place of a failed run's trace
    /// is in the directory of failures.
    ///
    /// # Errors
    /// [`Failure::Write`].
    pub fn write(&self, run: &Run) -> Result<Option<PathBuf>, Failure> {
        let name = format!("{}-{}.trace", run.report.scenario, run.report.seed);
        let failed = run.report.outcome == Outcome::Fail;
        let mut written = None;
        for directory in self.all.iter().chain(failed.then_some(&self.failures)) {
            written = Some(write(directory, &name, &run.trace)?);
        }
        Ok(written)
    }
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
