//! `camelid ask` and `camelid job`: jobs for people, through a running node with the client role.

mod args;
mod ask;
mod commands;
mod order;
mod phase;

pub use args::{AskArgs, JobCommand};
pub use ask::ask;

use crate::color::ColorWhen;
use crate::exit::{Exit, Failure};

/// Does what `command` says.
///
/// # Errors
/// [`Failure`].
pub fn job(command: &JobCommand, color: ColorWhen) -> Result<Exit, Failure> {
    match command {
        JobCommand::Submit(args) => commands::submit(args),
        JobCommand::Show(args) => commands::show(args),
        JobCommand::List(args) => commands::list(args, color.on_stdout()),
        JobCommand::Why(args) => commands::why(args),
        JobCommand::Dispute(args) => commands::dispute(args),
    }
}
