//! What can be asked of `camelid demo`.

use clap::Args;

/// `camelid demo`
#[derive(Debug, Args)]
#[command(after_help = "\
A client, two workers, eight verifiers and a miner, each a node of its own, talk over loopback and share one \
model. The network is new, with a block a second and short windows. The client has two jobs. The first goes to \
a worker that does it; the second, to one that swaps a token of the model's output. Two thirds of a minute pass, \
most of it in windows in which nobody has to object.

Exit codes: 0 the first job settled and the cheat was slashed; 5 not so; 2 wrong usage; 4 the model cannot be \
loaded; 8 interrupted; 1 any other error.")]
pub struct DemoArgs {
    /// embedded, a GGUF file, or the root of a model in the store.
    #[arg(long, default_value = "embedded")]
    pub model: String,
    /// Print one JSON record for each phase, and a summary last.
    #[arg(long)]
    pub json: bool,
}
