//! `camelid node`: a directory for a node, and the node in it.

mod args;
mod directory;
mod genesis;
mod init;
mod key;
mod logs;
mod run;
mod settings;

pub use args::NodeCommand;

use crate::exit::{Exit, Failure};
use crate::query;

/// Does what `command` says.
///
/// # Errors
/// [`Failure`].
pub fn node(command: &NodeCommand) -> Result<Exit, Failure> {
    match command {
        NodeCommand::Init(args) => init::init(args),
        NodeCommand::Genesis(args) => init::found(args),
        NodeCommand::Run(args) => run::run(args),
        NodeCommand::Status(args) => query::status(args),
        NodeCommand::Peers(args) => query::peers(args),
        NodeCommand::Stop(args) => query::stop(args),
    }
}

/// A configuration that makes no sense, at `path`.
fn misconfigured(path: &std::path::Path, reason: impl std::fmt::Display) -> Failure {
    Failure::Configuration(format!("{}: {reason}", path.display()))
}
