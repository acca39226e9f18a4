//! `camelid`: the command line. Data goes to standard output, everything else to standard error;
//! [`exit::Exit`] lists the exit codes.
#![forbid(unsafe_code)]

mod args;
#[cfg(feature = "ggml")]
mod claims;
mod color;
mod decimal;
#[cfg(feature = "ggml")]
mod demo;
mod exit;
#[cfg(feature = "ggml")]
mod ggml;
#[cfg(feature = "ggml")]
mod job;
#[cfg(feature = "ggml")]
mod live;
#[cfg(feature = "ggml")]
mod model;
#[cfg(feature = "ggml")]
mod node;
mod query;
mod rastic;
mod rpc;
mod sim;
mod wallet;

use args::{Cli, Command, SimCommand};
use clap::Parser;
use exit::{Exit, Failure};
use std::process::ExitCode;

/// A simulated network allocates all the time: the suite takes an eighth less time than with glibc's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let exit = run(&cli).unwrap_or_else(|failure| {
        eprintln!("camelid: {failure}");
        failure.exit()
    });
    exit.into()
}

fn run(cli: &Cli) -> Result<Exit, Failure> {
    match &cli.command {
        #[cfg(feature = "ggml")]
        Command::Demo(args) => demo::demo(args, cli.color),
        Command::Sim { command } => match command {
            SimCommand::Run(args) => sim::run(args, cli.color),
            SimCommand::List(args) => sim::list(args),
            SimCommand::Shrink(args) => sim::shrink(args),
            SimCommand::Holes(args) => sim::holes(args),
            SimCommand::Difficulty => sim::difficulty(),
            SimCommand::Replay(args) => sim::replay(args),
        },
        Command::Rastic { command } => rastic::rastic(command, cli.color),
        #[cfg(feature = "ggml")]
        Command::Model { command } => model::model(command, cli.color),
        #[cfg(feature = "ggml")]
        Command::TryModel(args) => Ok(ggml::try_model(args)),
        #[cfg(feature = "ggml")]
        Command::Node { command } => node::node(command),
        Command::Chain { command } => query::chain(command),
        #[cfg(feature = "ggml")]
        Command::Ask(args) => job::ask(args),
        #[cfg(feature = "ggml")]
        Command::Job { command } => job::job(command, cli.color),
        Command::Rpc(args) => rpc::rpc(args),
        Command::Wallet { command } => wallet::wallet(command),
    }
}
