//! What can be asked for.

use crate::color::ColorWhen;
use crate::rastic::RasticCommand;
use crate::wallet::WalletCommand;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;
use std::str::FromStr;

/// CamelidCoin: language-model inference, paid for and checked by a proof-of-work chain.
#[derive(Debug, Parser)]
#[command(name = "camelid", version)]
pub struct Cli {
    /// When to colour the output.
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value = "auto")]
    pub color: ColorWhen,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Groups of verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// A whole network in this process, in which a worker cheats and is caught.
    #[cfg(feature = "ggml")]
    Demo(crate::demo::DemoArgs),
    /// Simulated networks under attack.
    Sim {
        /// What to do with them.
        #[command(subcommand)]
        command: SimCommand,
    },
    /// What RASTiC checks find, what they cost, and what they would have found.
    Rastic {
        /// Which of these.
        #[command(subcommand)]
        command: RasticCommand,
    },
    /// The models at hand.
    #[cfg(feature = "ggml")]
    Model {
        /// What to do with them.
        #[command(subcommand)]
        command: crate::model::ModelCommand,
    },
    /// Load and run a model file in this process, whatever becomes of it.
    #[cfg(feature = "ggml")]
    #[command(name = crate::ggml::TRIAL_COMMAND, hide = true)]
    TryModel(crate::ggml::TrialArgs),
    /// A live node.
    #[cfg(feature = "ggml")]
    Node {
        /// What to do with it.
        #[command(subcommand)]
        command: crate::node::NodeCommand,
    },
    /// Call a method of a running node.
    Rpc(crate::rpc::RpcArgs),
    /// The chain as a running node sees it.
    Chain {
        /// What of it.
        #[command(subcommand)]
        command: crate::query::ChainCommand,
    },
    /// Ask a model of the network, and wait for an answer that has been checked.
    #[cfg(feature = "ggml")]
    Ask(crate::job::AskArgs),
    /// Jobs of a running node.
    #[cfg(feature = "ggml")]
    Job {
        /// What to do with them.
        #[command(subcommand)]
        command: crate::job::JobCommand,
    },
    /// Words, addresses and payments.
    Wallet {
        /// What to do.
        #[command(subcommand)]
        command: WalletCommand,
    },
}

/// `camelid sim …`
#[derive(Debug, Subcommand)]
pub enum SimCommand {
    /// Run scenarios and say who was caught.
    Run(RunArgs),
    /// List scenarios.
    List(ListArgs),
    /// Make a failing scenario as small as it goes.
    Shrink(ShrinkArgs),
    /// Measure what becomes of each hole of the paper and each attack, as a page of Markdown.
    Holes(HolesArgs),
    /// Measure what the rule for targets makes of changing hash power, as a page of Markdown.
    Difficulty,
    /// Replay traces and name the first step that differs.
    Replay(ReplayArgs),
}

/// `camelid sim run`
#[derive(Debug, Args)]
#[command(after_help = "\
With --swarm each seed draws a scenario of its own: nodes, jobs, chain parameters, network, faults and \
strategies, a random subset of features at a time. One line per run says what was drawn. A failing run \
is shrunk, and what is left of it is written to the directory of failures, as a scenario and a trace.

Exit codes: 0 all expectations held; 2 wrong usage; 4 a scenario cannot be loaded; 5 an expectation \
did not hold; 8 interrupted; 1 any other error.")]
pub struct RunArgs {
    /// Scenario files, or directories that hold them.
    #[arg(required_unless_present = "swarm", value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Draw the scenario from the seed, too.
    #[arg(long, conflicts_with = "paths")]
    pub swarm: bool,
    /// Run under this seed alone.
    #[arg(long, value_name = "N", conflicts_with = "seeds")]
    seed: Option<u64>,
    /// Run under each seed from A up to, but not including, B.
    #[arg(long, value_name = "A..B", default_value = "0..5")]
    seeds: Seeds,
    /// Runs at the same time; as many as there are processors unless given.
    #[arg(short, long = "jobs", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// Print one JSON record per run, and a summary last.
    #[arg(long)]
    pub json: bool,
    /// Write SCENARIO-SEED.trace for every run to this directory.
    #[arg(long, value_name = "DIR")]
    pub trace_dir: Option<PathBuf>,
    /// Write the traces of failed runs to this directory.
    #[arg(long, value_name = "DIR", default_value = "./camelid-failures")]
    pub failures: PathBuf,
}

impl RunArgs {
    /// The seeds to run under.
    pub fn seeds(&self) -> Seeds {
        self.seed.map_or(self.seeds, Seeds::one)
    }

    /// Runs at the same time.
    pub fn jobs(&self) -> usize {
        or_processors(self.jobs)
    }
}

/// `jobs`, or as many as there are processors.
fn or_processors(jobs: Option<u16>) -> usize {
    let processors = || std::thread::available_parallelism().map_or(1, usize::from);
    jobs.map_or_else(processors, usize::from)
}

/// `camelid sim holes`
#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes: 0 all expectations held; 2 wrong usage; 4 a scenario cannot be loaded; 5 an expectation did \
not hold; 8 interrupted, nothing was printed; 1 any other error.")]
pub struct HolesArgs {
    /// Scenario files, or directories that hold them.
    #[arg(value_name = "PATH", default_value = "scenarios")]
    pub paths: Vec<PathBuf>,
    /// Run under each seed from A up to, but not including, B.
    #[arg(long, value_name = "A..B", default_value = "0..20")]
    pub seeds: Seeds,
    /// Runs at the same time; as many as there are processors unless given.
    #[arg(short, long = "jobs", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// Write the traces of failed runs to this directory.
    #[arg(long, value_name = "DIR", default_value = "./camelid-failures")]
    pub failures: PathBuf,
}

impl HolesArgs {
    /// Runs at the same time.
    pub fn jobs(&self) -> usize {
        or_processors(self.jobs)
    }
}

/// `camelid sim shrink`
#[derive(Debug, Args)]
#[command(after_help = "\
Adversaries are left out first, then faults, nodes, jobs, values and time, as long as the same invariant \
or expectation fails.

Exit codes: 0 it was shrunk, or could not be smaller; 2 wrong usage; 4 the file cannot be loaded; 1 it \
does not fail, or any other error.")]
pub struct ShrinkArgs {
    /// A scenario file, or a trace of a failed run.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The seed under which it fails; a trace has its own. Otherwise the first below 20.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Most runs to spend.
    #[arg(long, value_name = "N", default_value = "1000")]
    pub max_runs: u64,
    /// Write the smaller scenario and its trace to this directory.
    #[arg(long, value_name = "DIR", default_value = "./camelid-failures")]
    pub failures: PathBuf,
    /// Print a JSON record.
    #[arg(long)]
    pub json: bool,
}

/// `camelid sim list`
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Scenario files, or directories that hold them.
    #[arg(value_name = "PATH", default_value = "scenarios")]
    pub paths: Vec<PathBuf>,
}

/// `camelid sim replay`
#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes: 0 every step was the same; 2 wrong usage; 4 a trace cannot be loaded; 9 a step differed; \
1 any other error.")]
pub struct ReplayArgs {
    /// Trace files.
    #[arg(required = true, value_name = "TRACE")]
    pub traces: Vec<PathBuf>,
    /// Print one JSON record per trace.
    #[arg(long)]
    pub json: bool,
}

/// Consecutive seeds, at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seeds {
    /// The first.
    pub first: u64,
    /// How many, at most [`Seeds::MOST`].
    pub count: u64,
}

impl Seeds {
    /// Most seeds of one invocation, so that runs can be numbered.
    pub const MOST: u64 = 1 << 32;

    /// One seed.
    pub const fn one(seed: u64) -> Self {
        Self {
            first: seed,
            count: 1,
        }
    }
}

impl FromStr for Seeds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (first, end) = text
            .split_once("..")
            .ok_or("write a range as A..B, for example 0..20")?;
        let number = |text: &str| {
            text.parse::<u64>()
                .map_err(|_| format!("{text:?} is no seed: use whole numbers from 0 to 2^64 - 1"))
        };
        let (first, end) = (number(first)?, number(end)?);
        match end.checked_sub(first) {
            None | Some(0) => Err(format!(
                "the range is empty: it ends before {end}, use a greater end than {first}"
            )),
            Some(Self::MOST..) => Err(format!("more than {} seeds", Self::MOST - 1)),
            Some(count) => Ok(Self { first, count }),
        }
    }
}
