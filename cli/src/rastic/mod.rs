//! `camelid rastic`: what checks find, what they cost, and what they would have found.

mod args;
mod chance;

mod economics;
mod power;
mod replay;
mod replay_record;
mod replay_table;
mod samples;
mod stake;
mod verdicts;

pub use args::RasticCommand;

use crate::color::ColorWhen;
use crate::exit::{Exit, Failure};

/// Does what `command` says.
///
/// # Errors
/// [`Failure`].
pub fn rastic(command: &RasticCommand, color: ColorWhen) -> Result<Exit, Failure> {
    match command {
        RasticCommand::Power(args) => power::power(args),
        RasticCommand::Economics(args) => economics::economics(args),
        RasticCommand::Replay(args) => replay::replay(args, color),
    }
}
