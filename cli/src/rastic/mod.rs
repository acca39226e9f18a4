//! `camelid rastic`: what checks find, what they cost, and what they would have found.

mod args;
mod chance;
mod decimal;
mod economics;
mod power;
mod stake;

pub use args::RasticCommand;

use crate::exit::{Exit, Failure};

/// Does what `command` says.
///
/// # Errors
/// [`Failure`].
pub fn rastic(command: &RasticCommand) -> Result<Exit, Failure> {
    match command {
        RasticCommand::Power(args) => power::power(args),
        RasticCommand::Economics(args) => economics::economics(args),
    }
}
