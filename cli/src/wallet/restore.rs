//! `camelid wallet new` and `camelid wallet restore`.

use super::args::{NewArgs, RestoreArgs};
use super::password::words;
use super::refused;
use super::store::Store;
use crate::exit::{Exit, Failure};
use crate::sim::print_json;
use camelid_wallet::keystore::Secrets;
use camelid_wallet::mnemonic::Mnemonic;
use serde::Serialize;
use std::io::{Write as _, stdout};
use std::path::Path;

#[derive(Serialize)]
struct WalletRecord<'a> {
    schema: &'static str,
    file: String,
    /// Only of a new wallet.
    #[serde(skip_serializing_if = "Option::is_none")]
    words: Option<&'a str>,
    address: String,
}

/// Makes a wallet of fresh words, and shows them.
///
/// # Errors
/// [`Failure`].
pub fn new(args: &NewArgs) -> Result<Exit, Failure> {
    refuse_existing(&args.file.wallet)?;
    let count = args.words.parse().unwrap_or(24);
    let mnemonic = Mnemonic::generate(count).map_err(refused)?;
    let words = mnemonic.words();
    let store = Store::create(&args.file, first_secrets(mnemonic, 1))?;
    let address = store.address()?.to_string();
    if args.json {
        print_json(&WalletRecord {
            schema: "camelid.wallet.new.v1",
            file: args.file.wallet.display().to_string(),
            words: Some(&words),
            address,
        })?;
    } else {
        eprintln!(
            "Wrote {}. Write these words down, on paper: whoever has them has the coins, and without them \
             a lost file or password is the end.",
            args.file.wallet.display()
        );
        let mut out = stdout().lock();
        writeln!(out, "{}\n{address}", *words)?;
    }
    Ok(Exit::Success)
}

/// Makes a wallet of words that are given.
///
/// # Errors
/// [`Failure`].
pub fn restore(args: &RestoreArgs) -> Result<Exit, Failure> {
    refuse_existing(&args.file.wallet)?;
    let words = words(args.words_file.as_deref())?;
    let mnemonic = Mnemonic::parse(&words).map_err(refused)?;
    let store = Store::create(&args.file, first_secrets(mnemonic, args.used))?;
    let address = store.address()?.to_string();
    if args.json {
        print_json(&WalletRecord {
            schema: "camelid.wallet.restore.v1",
            file: args.file.wallet.display().to_string(),
            words: None,
            address,
        })?;
    } else {
        eprintln!("Wrote {}.", args.file.wallet.display());
        writeln!(stdout().lock(), "{address}")?;
    }
    Ok(Exit::Success)
}

fn first_secrets(mnemonic: Mnemonic, receive: u32) -> Secrets {
    Secrets {
        mnemonic,
        receive,
        change: receive - 1,
    }
}

/// Says so before anybody has typed a password or 24 words.
fn refuse_existing(path: &Path) -> Result<(), Failure> {
    match path.exists() {
        true => Err(refused(format!(
            "{}: exists already; a wallet is never overwritten",
            path.display()
        ))),
        false => Ok(()),
    }
}
