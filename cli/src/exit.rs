//! How the program ends.

use camelid_sim::scenario::LoadError;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Exit codes; scripts depend on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All went well.
    Success = 0,
    /// Something failed that is not listed below.
    Error = 1,
    /// Wrong usage, found by the argument parser or by the command.
    Usage = 2,
    /// A configuration that makes no sense.
    Configuration = 3,
    /// A scenario or a trace cannot be loaded.
    Load = 4,
    /// It ran, and an expectation did not hold.
    Negative = 5,
    /// The network cannot be reached.
    Network = 6,
    /// A wallet cannot be opened, or refuses.
    Wallet = 7,
    /// The user interrupted it.
    Interrupted = 8,
    /// The same inputs gave something else.
    Nondeterminism = 9,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Arguments that contradict each other.
    #[error("{0}")]
    Usage(String),
    /// Scenarios or traces that cannot be loaded.
    #[error("{}", lines(.0))]
    Load(Vec<LoadError>),
    /// A trace that this program cannot follow.
    #[error("{}: {difference}; what follows from it is not what was recorded", path.display())]
    Diverged {
        /// The trace.
        path: PathBuf,
        /// The first difference.
        difference: String,
    },
    /// A configuration that makes no sense, or a directory that does not fit it.
    #[error("{0}")]
    #[cfg_attr(
        not(feature = "ggml"),
        expect(dead_code, reason = "nodes are configured, and run models")
    )]
    Configuration(String),
    /// A network that cannot be reached.
    #[error("{0}")]
    Network(String),
    /// A wallet that cannot be opened, or refuses what is asked of it.
    #[error("{0}")]
    Wallet(Box<dyn std::error::Error + Send + Sync>),
    /// A file cannot be written.
    #[error("{}: cannot be written: {error}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Standard output cannot be written.
    #[error("standard output cannot be written: {0}")]
    Output(#[from] io::Error),
    /// The machine refused something that the program needs.
    #[error("{0}")]
    System(String),
}

impl Failure {
    /// A fault of the whole file `path`.
    pub fn load(path: &Path, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Load(vec![LoadError::of_file(
            &path.display().to_string(),
            message,
            hint,
        )])
    }

    /// In words, and what to do about it.
    #[cfg(feature = "ggml")]
    pub fn into_words(self) -> (String, String) {
        match self {
            Self::Load(errors) => match errors.into_iter().next() {
                Some(error) => (format!("{}: {}", error.file, error.message), error.hint),
                None => (String::new(), String::new()),
            },
            other => (
                other.to_string(),
                "check that the model runs: `camelid rastic selftest`".into(),
            ),
        }
    }

    /// How the program ends because of it.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) => Exit::Usage,
            Self::Configuration(_) => Exit::Configuration,
            Self::Load(_) => Exit::Load,
            Self::Network(_) => Exit::Network,
            Self::Diverged { .. } => Exit::Nondeterminism,
            Self::Wallet(_) => Exit::Wallet,
            Self::Write { .. } | Self::Output(_) | Self::System(_) => Exit::Error,
        }
    }
}

fn lines(errors: &[LoadError]) -> String {
    let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
    lines.join("\n")
}
