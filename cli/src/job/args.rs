//! What can be asked about jobs.

use crate::decimal::coins;
use crate::model::Template;
use crate::rpc::NodeArgs;
use camelid_core::model::MAX_TOKENS;
use camelid_core::primitives::Amount;
use clap::{Args, Subcommand, ValueEnum};

const MOST_TOKENS: i64 = MAX_TOKENS as i64;

const EXIT_CODES: &str = "\
Exit codes: 0 done; 2 wrong usage; 4 the model cannot be loaded; 6 no node answers; 7 it does not let this program \
in; 1 any other error.";

/// `camelid job …`
#[derive(Debug, Subcommand)]
pub enum JobCommand {
    /// Open a job, and wait for nothing.
    Submit(SubmitArgs),
    /// What is known of a job.
    Show(ShowArgs),
    /// List jobs.
    List(ListArgs),
    /// Why a job was or was not paid, slashed or refunded.
    Why(OneArgs),
    /// Claim that the output of an own job is not the model's, and let a committee decide.
    Dispute(OneArgs),
}

/// What is wanted, and what it may cost.
#[derive(Debug, Args)]
pub struct OrderArgs {
    #[command(flatten)]
    pub node: NodeArgs,
    /// What the model is to go on from, or to answer.
    #[arg(value_name = "PROMPT")]
    pub prompt: String,
    /// embedded, a GGUF file, or the root of a model in the store; the node must know it, too.
    #[arg(long, default_value = "embedded")]
    pub model: String,
    /// How the prompt becomes tokens: as it stands, or as a user's turn in the model's chat template; the latter
    /// unless the model has none.
    #[arg(long, value_enum)]
    pub template: Option<Template>,
    /// Most tokens of the output.
    #[arg(long, value_name = "N", default_value = "128", value_parser = clap::value_parser!(u32).range(1..=MOST_TOKENS))]
    pub max_tokens: u32,
    /// Seed of the sampling noise; a random one unless given.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Temperature in thousandths; 0 always takes the best token.
    #[arg(long, value_name = "N", default_value = "700")]
    pub temperature_milli: u32,
    /// Draw from the best N tokens only; 0 for all.
    #[arg(long, value_name = "N", default_value = "40")]
    pub top_k: u32,
    /// Draw from the smallest set of best tokens that has this probability in thousandths; 1000 for all.
    #[arg(long, value_name = "N", default_value = "1000")]
    pub top_p_milli: u32,
    /// What the worker is paid.
    #[arg(long, value_name = "COINS", default_value = "0.5", value_parser = coins)]
    pub reward: Amount,
    /// What the worker stakes; the least that the network allows unless given.
    #[arg(long, value_name = "COINS", value_parser = coins)]
    pub stake: Option<Amount>,
    /// Blocks until a worker must be engaged.
    #[arg(long, value_name = "N", default_value = "60")]
    pub deadline_blocks: u32,
    /// Never to be audited: an audit shows the prompt to strangers.
    #[arg(long)]
    pub private: bool,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// `camelid ask`
#[derive(Debug, Args)]
#[command(after_help = "\
One line on standard error for each phase of the job, then the text on standard output. If the check finds the \
output to be wrong, there is no text, and the node files a claim.

Exit codes: 0 the output is the model's; 5 it is not, it did not come, or nobody can tell; 2 wrong usage; 4 the \
model cannot be loaded; 6 no node answers; 7 it does not let this program in; 8 interrupted, the job goes on; 1 any \
other error.")]
pub struct AskArgs {
    #[command(flatten)]
    pub order: OrderArgs,
    /// Print the text even if the check fails.
    #[arg(long)]
    pub show_unverified: bool,
}

/// `camelid job submit`
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct SubmitArgs {
    #[command(flatten)]
    pub order: OrderArgs,
}

/// `camelid job why`, `camelid job dispute`
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct OneArgs {
    #[command(flatten)]
    pub node: NodeArgs,
    /// The job.
    #[arg(value_name = "JOB")]
    pub job: String,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// `camelid job show`
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct ShowArgs {
    #[command(flatten)]
    pub one: OneArgs,
    /// The model whose text the output is.
    #[arg(long, default_value = "embedded")]
    pub model: String,
    /// Print the text even if it has not been checked, or the check failed.
    #[arg(long)]
    pub show_unverified: bool,
}

/// Which jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Scope {
    /// The node's own.
    Own,
    /// Those that are not closed on the ledger.
    Open,
    /// All that the node knows.
    All,
}

/// `camelid job list`
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct ListArgs {
    #[command(flatten)]
    pub node: NodeArgs,
    /// Which jobs.
    #[arg(long, value_enum, default_value = "own")]
    pub scope: Scope,
    /// How many.
    #[arg(long, value_name = "N", default_value = "100", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub count: u32,
    /// Print one JSON record for each, and a summary last.
    #[arg(long)]
    pub json: bool,
}
