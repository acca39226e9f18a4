//! What can be asked of a running node.

use crate::rpc::NodeArgs;
use clap::{Args, Subcommand};

const EXIT_CODES: &str = "\
Exit codes: 0 done; 2 wrong usage; 6 no node answers; 7 it does not let this program in; 1 any other error.";

/// A question without parameters.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct QueryArgs {
    #[command(flatten)]
    pub node: NodeArgs,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// `camelid chain …`
#[derive(Debug, Subcommand)]
pub enum ChainCommand {
    /// Where the chain stands.
    Info(QueryArgs),
    /// A block.
    Block(BlockArgs),
    /// A transaction.
    Tx(TxArgs),
    /// The transactions that wait.
    Mempool(QueryArgs),
}

/// `camelid chain block`
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct BlockArgs {
    #[command(flatten)]
    pub node: NodeArgs,
    /// A height, or a hash; the tip unless given.
    #[arg(value_name = "BLOCK")]
    pub block: Option<String>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// `camelid chain tx`
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct TxArgs {
    #[command(flatten)]
    pub node: NodeArgs,
    /// Its id.
    #[arg(value_name = "TXID")]
    pub txid: String,
    /// The hash of its block; the mempool and the last 100 blocks are searched unless given.
    #[arg(long, value_name = "HASH")]
    pub block: Option<String>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}
