//! `camelid rastic`: what checks find, what they cost, and what they would have found.

mod args;
mod chance;

mod economics;
mod power;
mod replay;
mod replay_record;
mod replay_table;
mod samples;
#[cfg(feature = "ggml")]
mod selftest;
mod stake;
mod verdicts;

pub use args::RasticCommand;

#[cfg(feature = "ggml")]
use crate::claims;
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
        #[cfg(feature = "ggml")]
        RasticCommand::Generate(args) => claims::generate(args),
        #[cfg(feature = "ggml")]
        RasticCommand::Attack(args) => claims::attack(args),
        #[cfg(feature = "ggml")]
        RasticCommand::Verify(args) => claims::verify(args, color),
        #[cfg(feature = "ggml")]
        RasticCommand::Explain(args) => claims::explain(args, color),
        #[cfg(feature = "ggml")]
        RasticCommand::Selftest(args) => selftest::selftest(args),
    }
}
