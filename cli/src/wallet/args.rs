//! What can be asked of `camelid wallet`.

use super::network::Network;
use crate::decimal::coins;
use crate::query::{HistoryArgs, QueryArgs};
use camelid_core::keys::KeyHash;
use camelid_core::primitives::Amount;
use clap::{Args, Subcommand};
use std::path::PathBuf;

const EXIT_CODES: &str = "\
The password is asked for on a terminal, or read from --password-file, or from the variable \
CAMELID_WALLET_PASSWORD.

Exit codes: 0 done; 2 wrong usage; 7 the wallet cannot be opened, or refuses; 1 any other error.";

/// `camelid wallet …`
#[derive(Debug, Subcommand)]
pub enum WalletCommand {
    /// Make a wallet and show the words to write down.
    New(NewArgs),
    /// Make a wallet again from its words.
    Restore(RestoreArgs),
    /// Show the address to be paid at.
    Address(AddressArgs),
    /// Let a running node pay, or sign a payment from a list of coins.
    Send(SendArgs),
    /// What a running node's key owns.
    Balance(QueryArgs),
    /// What changed a running node's balance.
    History(HistoryArgs),
}

/// Which wallet, and how it is opened.
#[derive(Debug, Args)]
pub struct WalletFile {
    /// The encrypted file.
    #[arg(long, value_name = "FILE", default_value = "camelid.wallet")]
    pub wallet: PathBuf,
    /// Read the password from the first line of this file.
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
}

/// `camelid wallet new`
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct NewArgs {
    #[command(flatten)]
    pub file: WalletFile,
    /// How many words.
    #[arg(long, value_name = "N", default_value = "24", value_parser = ["12", "15", "18", "21", "24"])]
    pub words: String,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// `camelid wallet restore`
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct RestoreArgs {
    #[command(flatten)]
    pub file: WalletFile,
    /// Read the words from this file; otherwise they are asked for on a terminal, or read from
    /// standard input.
    #[arg(long, value_name = "FILE")]
    pub words_file: Option<PathBuf>,
    /// Addresses that the wallet had given out.
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub used: u32,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// `camelid wallet address`
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct AddressArgs {
    #[command(flatten)]
    pub file: WalletFile,
    /// Give out a new address.
    #[arg(long)]
    pub new: bool,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// `camelid wallet send`
#[derive(Debug, Args)]
#[command(after_help = "\
With --dir the running node of that directory pays with its own coins, and prints the transaction's id.

With --coins a wallet signs, and needs no network. FILE is a JSON list of the coins that may be spent, each of \
this form:

  {\"txid\": \"64 hexadecimal digits\", \"index\": 0, \"amount\": \"1.50000000\", \"address\": \"1…\"}

Nothing is sent: the signed transaction is written in hexadecimal digits, for a node to pass on: see \
`camelid rpc help command=sendrawtransaction`.

The password is asked for on a terminal, or read from --password-file, or from the variable \
CAMELID_WALLET_PASSWORD.

Exit codes: 0 done; 2 wrong usage; 4 the list of coins cannot be loaded; 6 no node answers; 7 the wallet cannot \
be opened, or the coins do not suffice; 1 any other error.")]
pub struct SendArgs {
    #[command(flatten)]
    pub file: WalletFile,
    /// The directory of the node that pays.
    #[arg(long, value_name = "DIR", env = "CAMELID_DIR")]
    pub dir: Option<PathBuf>,
    /// The coins that may be spent.
    #[arg(long, value_name = "FILE", required_unless_present = "dir")]
    pub coins: Option<PathBuf>,
    /// Whom to pay how many coins; once for each.
    #[arg(long = "to", value_name = "ADDRESS=COINS", required = true, value_parser = recipient)]
    pub recipients: Vec<Recipient>,
    /// Where the transaction goes; - is standard output.
    #[arg(long, value_name = "TX", required_unless_present = "dir")]
    pub out: Option<PathBuf>,
    /// Units of fee for each byte; 2 unless given, or what a node has seen to be enough lately.
    #[arg(long, value_name = "UNITS", value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub fee_rate: Option<u64>,
    /// The network: mainnet, simnet, or the genesis hash of another one.
    #[arg(long, value_name = "NETWORK", default_value = "mainnet")]
    pub network: Network,
    /// Choose coins and the place of the change by this number, not at random.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// Somebody to be paid.
#[derive(Clone, Copy, Debug)]
pub struct Recipient {
    /// Whose address.
    pub to: KeyHash,
    /// How much.
    pub amount: Amount,
}

fn recipient(text: &str) -> Result<Recipient, String> {
    let (address, amount) = text
        .split_once('=')
        .ok_or("write ADDRESS=COINS, for example 1LqBGSKuX5yYUonjxT5qGfpUsXKYYWeabA=0.5")?;
    Ok(Recipient {
        to: KeyHash::parse_address(address).map_err(|error| format!("{address:?}: {error}"))?,
        amount: coins(amount)?,
    })
}
