//! `camelid wallet address`.

use super::args::AddressArgs;
use super::refused;
use super::store::Store;
use crate::exit::{Exit, Failure};
use crate::sim::print_json;
use camelid_wallet::derivation::{COIN_TYPE, GAP_LIMIT};
use serde::Serialize;
use std::io::{Write as _, stdout};

#[derive(Serialize)]
struct AddressRecord {
    schema: &'static str,
    address: String,
    path: String,
}

/// Shows the address that was given out last, or gives out the next.
///
/// # Errors
/// [`Failure`].
pub fn address(args: &AddressArgs) -> Result<Exit, Failure> {
    let mut store = Store::open(&args.file)?;
    if args.new {
        let next = store.secrets.receive.checked_add(1);
        store.secrets.receive = next.ok_or_else(|| refused("there are no more addresses"))?;
        store.address()?;
        store.save()?;
        if store.secrets.receive > GAP_LIMIT {
            eprintln!(
                "This is address {0}. Keep that number with the words: restoring the wallet takes --used {0}.",
                store.secrets.receive
            );
        }
    }
    let record = AddressRecord {
        schema: "camelid.wallet.address.v1",
        address: store.address()?.to_string(),
        path: format!(
            "m/44'/{COIN_TYPE}'/0'/0/{}",
            store.secrets.receive.saturating_sub(1)
        ),
    };
    if args.json {
        print_json(&record)?;
    } else {
        writeln!(stdout().lock(), "{}", record.address)?;
    }
    Ok(Exit::Success)
}
