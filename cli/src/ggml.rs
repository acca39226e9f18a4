//! Model files on their way into this process.

use crate::exit::{Exit, Failure};
use camelid_inference_ggml::EngineError;
use camelid_inference_ggml::trial::{TrialError, run_in_child, trial};
use clap::Args;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Name of the hidden command by which this program tries a file in a process of its own.
pub const TRIAL_COMMAND: &str = "try-model";

/// `camelid try-model`
#[derive(Debug, Args)]
pub struct TrialArgs {
    /// The file.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// Loads and runs the file at `path` in a child process.
///
/// # Errors
/// [`Failure::Load`] when the file is no model that this program can run.
pub fn try_file(path: &Path) -> Result<(), Failure> {
    let program = std::env::current_exe().map_err(|error| Failure::System(error.to_string()))?;
    let mut child = Command::new(program);
    trial(path, child.arg(TRIAL_COMMAND).arg(path)).map_err(|error| match error {
        TrialError::Header(error) => engine_failure(path, error),
        TrialError::Child { error, .. } => Failure::System(error.to_string()),
        error => refused(path, error.to_string()),
    })
}

/// What an error of the engine about the model at `path` means for the program.
pub fn engine_failure(path: &Path, error: EngineError) -> Failure {
    match error {
        EngineError::Header { error, .. } => refused(path, error.to_string()),
        EngineError::File { error, .. } => refused(path, error.to_string()),
        EngineError::Load { .. } | EngineError::Unsupported { .. } => refused(path, error.to_string()),
        error => Failure::System(error.to_string()),
    }
}

fn refused(path: &Path, message: String) -> Failure {
    let message = match message.strip_prefix(&format!("{}: ", path.display())) {
        Some(rest) => rest.to_owned(),
        None => message,
    };
    Failure::load(
        path,
        message,
        "a model is a complete GGUF file of a decoder-only transformer",
    )
}

/// Is the child of [`try_file`]; what is wrong with the file goes to standard error.
pub fn try_model(args: &TrialArgs) -> Exit {
    match run_in_child(&args.file) {
        Ok(()) => Exit::Success,
        Err(error) => {
            eprintln!("{error}");
            Exit::Error
        }
    }
}
