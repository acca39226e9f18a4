//! What can be asked of `camelid node`.

use super::settings::Overrides;
use crate::query::QueryArgs;
use clap::{Args, Subcommand};
use std::path::PathBuf;

const EXIT_CODES: &str = "\
A key is encrypted if there is a password: in --password-file, or in the variable CAMELID_WALLET_PASSWORD.

Exit codes: 0 done; 2 wrong usage; 3 the configuration makes no sense, or the directory does not fit it; 4 a model \
cannot be loaded; 6 the network cannot be reached; 7 the key cannot be read; 8 stopped by a second signal; 1 any \
other error.";

/// `camelid node …`
#[derive(Debug, Subcommand)]
pub enum NodeCommand {
    /// Make a directory for a node: configuration, key and genesis.
    Init(InitArgs),
    /// Found a new devnet in which several nodes have coins.
    Genesis(GenesisArgs),
    /// Run the node in a directory until SIGTERM or Ctrl-C.
    Run(RunArgs),
    /// What a running node is and how it does.
    Status(QueryArgs),
    /// Whom a running node is connected with.
    Peers(QueryArgs),
    /// Make a running node stop.
    Stop(QueryArgs),
}

/// `camelid node init`
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct InitArgs {
    /// The directory; what is there already is left as it is.
    #[arg(long, value_name = "DIR")]
    pub dir: PathBuf,
    /// Join the devnet of this genesis.toml; without it a new devnet is founded, in which this node has coins.
    #[arg(long, value_name = "FILE")]
    pub genesis: Option<PathBuf>,
    /// Read a password from the first line of this file, and encrypt the key with it.
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    #[command(flatten)]
    pub overrides: Overrides,
}

/// `camelid node genesis`
#[derive(Debug, Args)]
#[command(after_help = "\
The nodes must not have run yet: what they have stored belongs to another network.

Exit codes: as of `camelid node init`.")]
pub struct GenesisArgs {
    /// Directories that `camelid node init` has made.
    #[arg(required = true, value_name = "DIR")]
    pub dirs: Vec<PathBuf>,
    /// Coins for each node, in 20 equal parts.
    #[arg(long, value_name = "N", default_value = "2000", value_parser = clap::value_parser!(u32).range(20..=100_000))]
    pub coins: u32,
    /// Read the password of encrypted keys from the first line of this file.
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
}

/// `camelid node run`
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct RunArgs {
    /// The node's directory.
    #[arg(long, value_name = "DIR")]
    pub dir: PathBuf,
    /// Read the password of an encrypted key from the first line of this file.
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    #[command(flatten)]
    pub overrides: Overrides,
}
