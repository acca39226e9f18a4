//! `camelid sim replay`.

use super::record::ReplayRecord;
use super::run::print_json;
use super::suite::message_of;
use crate::args::ReplayArgs;
use crate::exit::{Exit, Failure};
use camelid_sim::trace::{Divergence, Replay, ReplayError, Trace};
use std::fs;
use std::io::{Write, stdout};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// Replays traces one after the other, to the end of the list even if some differ.
///
/// # Errors
/// [`Failure`], at the first trace that cannot be loaded.
pub fn replay(args: &ReplayArgs) -> Result<Exit, Failure> {
    let mut exit = Exit::Success;
    for path in &args.traces {
        let trace = read(path)?;
        let replayed = replay_one(path, &trace)?;
        if replayed.is_err() {
            exit = Exit::Nondeterminism;
        }
        if args.json {
            print_json(&match replayed {
                Ok(replay) => ReplayRecord::equal(path, &replay),
                Err(differs) => ReplayRecord::diverged(path, trace.steps, trace.digest.to_string(), differs),
            })?;
        } else {
            writeln!(stdout().lock(), "{}: {}", path.display(), in_words(&replayed))?;
        }
    }
    Ok(exit)
}

/// Reads the trace at `path`.
///
/// # Errors
/// [`Failure::Load`].
pub fn read(path: &Path) -> Result<Trace, Failure> {
    let bytes = fs::read(path).map_err(|error| {
        let hint = "name a file that `camelid sim run --trace-dir DIR` wrote";
        Failure::load(path, format!("cannot be read: {error}"), hint)
    })?;
    Trace::read(&bytes).map_err(|error| {
        let hint = "the file is damaged, or of another version: run the scenario again with --trace-dir";
        Failure::load(path, error.to_string(), hint)
    })
}

fn replay_one(path: &Path, trace: &Trace) -> Result<Result<Replay, Divergence>, Failure> {
    guarded(path, || camelid_sim::trace::replay(trace))
}

/// What `replay` makes of the trace at `path`, an assertion that fails in it included.
///
/// # Errors
/// [`Failure`], but for a step that differs: what that means is the caller's business.
pub fn guarded<T>(
    path: &Path,
    replay: impl FnOnce() -> Result<T, ReplayError>,
) -> Result<Result<T, Divergence>, Failure> {
    // Nothing survives a replay but its result, so nothing half-changed can be seen.
    match catch_unwind(AssertUnwindSafe(replay)) {
        Ok(Ok(replayed)) => Ok(Ok(replayed)),
        Ok(Err(ReplayError::Diverged(divergence))) => Ok(Err(divergence)),
        Ok(Err(ReplayError::Scenario(error))) => Err(Failure::Load(vec![error])),
        Ok(Err(ReplayError::Impossible(reason))) => {
            let hint = "no simulation writes such a trace: run the scenario again with --trace-dir";
            Err(Failure::load(path, format!("impossible trace: {reason}"), hint))
        }
        Err(panic) => Err(Failure::System(format!(
            "{}: an assertion failed in the replay: {}",
            path.display(),
            message_of(&*panic)
        ))),
    }
}

fn in_words(replayed: &Result<Replay, Divergence>) -> String {
    match replayed {
        Ok(Replay { steps, digest }) => format!("{steps} steps, all equal; digest {digest}"),
        Err(divergence) => first_difference(divergence),
    }
}

/// Which step differs, and how.
pub fn first_difference(divergence: &Divergence) -> String {
    let Divergence {
        step,
        at,
        node,
        input,
        what,
    } = divergence;
    format!(
        "step {step} differs: at {} ms, {node} handled {input}, and {what}",
        at.0
    )
}
