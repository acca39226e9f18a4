//! Loading files of unknown origin where they can do no harm.
//!
//! ggml asserts what it should check: a broken file can end the process that loads it. So a file is
//! first loaded and run by a child process with bounded memory and time. What the child survives, the
//! parent may load.

use crate::{EngineError, Model, Numerics, Shape, exactness};
use camelid_core::model::{Draw, Sampling};
use camelid_core::primitives::JobId;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// Most bytes kept of what the child writes.
const MAX_MESSAGE_BYTES: u64 = 4096;
/// How long the child may take before anything of the file's size is counted.
const LEAST_TIME: Duration = Duration::from_secs(60);
/// Bytes per second that any machine loads and runs at.
const SLOWEST_BYTES_PER_SECOND: u64 = 4 << 20;
/// How often the parent looks whether the child is done.
const POLL: Duration = Duration::from_millis(5);

/// Why a file failed its trial.
#[derive(Debug, thiserror::Error)]
pub enum TrialError {
    /// The header is refused, before any child is started.
    #[error(transparent)]
    Header(#[from] EngineError),
    /// The child cannot be started or watched.
    #[error("the trial of {} cannot be run: {error}", path.display())]
    Child {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        error: std::io::Error,
    },
    /// The child refused the file.
    #[error("{0}")]
    Refused(String),
    /// The child was ended by what the file made the library do.
    #[error("{}: the file is broken: the library crashed on it ({status}; {message})", path.display())]
    Crashed {
        /// The file.
        path: PathBuf,
        /// How the child ended.
        status: ExitStatus,
        /// The first of the last words.
        message: String,
    },
    /// The child took too long.
    #[error("{}: loading and running it took more than {} s", path.display(), limit.as_secs())]
    Timeout {
        /// The file.
        path: PathBuf,
        /// The limit.
        limit: Duration,
    },
}

/// Tries the file at `path`: `child` is a command that calls [`run_in_child`] with that path, writes
/// the error to standard error, and exits with 0 or 1.
///
/// # Errors
/// [`TrialError`] unless the child could load and run the model.
pub fn trial(path: &Path, child: &mut Command) -> Result<(), TrialError> {
    let header = crate::gguf::Header::read(path).map_err(|error| EngineError::Header {
        path: path.to_owned(),
        error,
    })?;
    let limit = LEAST_TIME + Duration::from_secs(header.file_bytes / SLOWEST_BYTES_PER_SECOND);
    let failed = |error| TrialError::Child {
        path: path.to_owned(),
        error,
    };
    child
        // Otherwise a crash would start a debugger to print its stack.
        .env("GGML_NO_BACKTRACE", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let mut child = child.spawn().map_err(failed)?;
    let message = child
        .stderr
        .take()
        .map(|stderr| thread::spawn(move || read_message(stderr)));
    let status = wait(&mut child, limit).map_err(failed)?;
    let message = message.and_then(|reader| reader.join().ok()).unwrap_or_default();
    match status {
        None => Err(TrialError::Timeout {
            path: path.to_owned(),
            limit,
        }),
        Some(status) if status.success() => Ok(()),
        Some(status) if status.code() == Some(1) => Err(TrialError::Refused(message)),
        Some(status) => Err(TrialError::Crashed {
            path: path.to_owned(),
            status,
            message: message.lines().next().unwrap_or("without a word").to_owned(),
        }),
    }
}

/// How the child ended; `None` when it was stopped at the limit.
fn wait(child: &mut Child, limit: Duration) -> std::io::Result<Option<ExitStatus>> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if start.elapsed() > limit {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(POLL);
    }
}

/// The beginning of what `source` yields; the rest is read and dropped, so that nobody waits.
fn read_message(mut source: impl Read) -> String {
    let mut message = Vec::new();
    let _ = Read::by_ref(&mut source)
        .take(MAX_MESSAGE_BYTES)
        .read_to_end(&mut message);
    let _ = std::io::copy(&mut source, &mut std::io::sink());
    String::from_utf8_lossy(&message).trim().to_owned()
}

/// What the child does: loads the model, reads all of its vocabulary, makes text into tokens, and
/// runs it both ways.
///
/// # Errors
/// [`EngineError`] when any of it fails.
pub fn run_in_child(path: &Path) -> Result<(), EngineError> {
    limit_memory(path);
    let model = Arc::new(Model::load(path, Numerics::Exact)?);
    for token in 0..model.vocabulary() {
        model.piece(token, true);
    }
    // Every byte that UTF-8 has, in characters that no vocabulary has all of.
    let text: String = (0..0x11_0000_u32)
        .step_by(61)
        .filter_map(char::from_u32)
        .chain((0..0x800).filter_map(char::from_u32))
        .collect();
    model.tokenize(&text, false)?;
    model.tokenize(&text, true)?;
    if model.chat_template().is_some() {
        // A template that the library does not know is no fault of the file.
        let _ = model.render_chat("text");
    }
    let draw = Draw {
        seed: 0,
        job: JobId([0; 32]),
        sampling: Sampling::GREEDY,
    };
    let prompt = [0, model.vocabulary() - 1];
    let count = 8.min(model.context() as usize - 1);
    let prompt = &prompt[..prompt.len().min(model.context() as usize - count)];
    let shape = Shape::default();
    exactness::compare(&model, &draw, prompt, count, shape, shape)?;
    Ok(())
}

/// Bounds the address space of this process by what a model of the file's size can need.
#[cfg(unix)]
fn limit_memory(path: &Path) {
    /// Code, caches of a long context, scores.
    const BASE_BYTES: u64 = 8 << 30;
    let file_bytes = std::fs::metadata(path).map_or(0, |metadata| metadata.len());
    let limit = libc::rlimit {
        rlim_cur: BASE_BYTES + 2 * file_bytes,
        rlim_max: BASE_BYTES + 2 * file_bytes,
    };
    // SAFETY: A valid resource and a pointer to a structure that outlives the call. Should it fail,
    // the process goes on with the limit that it had.
    unsafe { libc::setrlimit(libc::RLIMIT_AS, &raw const limit) };
}

#[cfg(not(unix))]
fn limit_memory(_: &Path) {}
