//! `camelid wallet`: words, addresses and signed payments, all without a network; and the coins of a running node.

mod address;
mod args;
mod coins;
mod network;
mod password;
mod restore;
mod send;
mod store;

pub use args::WalletCommand;
#[cfg(feature = "ggml")]
pub use password::{PASSWORD_VARIABLE, Purpose, password};

use crate::exit::{Exit, Failure};
use crate::query;

/// Does what `command` says.
///
/// # Errors
/// [`Failure`].
pub fn wallet(command: &WalletCommand) -> Result<Exit, Failure> {
    match command {
        WalletCommand::New(args) => restore::new(args),
        WalletCommand::Restore(args) => restore::restore(args),
        WalletCommand::Address(args) => address::address(args),
        WalletCommand::Send(args) => send::send(args),
        WalletCommand::Balance(args) => query::balance(args),
        WalletCommand::History(args) => query::history(args),
    }
}

/// A failure that has to do with the wallet or with who may use it.
fn refused(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Failure {
    Failure::Wallet(error.into())
}
