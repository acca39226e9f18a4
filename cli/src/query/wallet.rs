//! `camelid wallet balance`, `history`, and `send` by a node.

use super::args::QueryArgs;
use super::{Facts, plain, print_record};
use crate::exit::{Exit, Failure};
use crate::rpc::{Client, NodeArgs};
use crate::sim::new_table;
use camelid_core::keys::KeyHash;
use camelid_core::primitives::Amount;
use clap::Args;
use serde_json::{Value, json};
use std::io::{Write as _, stdout};

/// `camelid wallet history`
#[derive(Debug, Args)]
#[command(after_help = "Exit codes: 0 done; 2 wrong usage; 6 no node answers; 1 any other error.")]
pub struct HistoryArgs {
    #[command(flatten)]
    pub node: NodeArgs,
    /// How many.
    #[arg(long, value_name = "N", default_value = "20", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub count: u32,
    /// How many newer ones to leave out.
    #[arg(long, value_name = "N", default_value = "0")]
    pub skip: u32,
    /// Print one JSON record for each, and a summary last.
    #[arg(long)]
    pub json: bool,
}

/// Says what a node's key owns.
///
/// # Errors
/// [`Failure`].
pub fn balance(args: &QueryArgs) -> Result<Exit, Failure> {
    let client = Client::new(&args.node)?;
    let mut balance = client.call("getbalance", &Value::Null)?;
    balance["address"] = client.call("getaddress", &Value::Null)?;
    if args.json {
        print_record("camelid.wallet.balance.v1", balance)?;
        return Ok(Exit::Success);
    }
    let names = ["address", "spendable", "immature", "reserved", "unconfirmed"];
    let width = |name: &&str| if *name == "address" { 0 } else { 18 };
    let fact = |name| {
        (
            name,
            format!("{:>width$}", plain(&balance[name]), width = width(&name)),
        )
    };
    Facts(names.map(fact).to_vec()).print()?;
    Ok(Exit::Success)
}

/// Lists what changed a node's balance.
///
/// # Errors
/// [`Failure`].
pub fn history(args: &HistoryArgs) -> Result<Exit, Failure> {
    let params = json!({"count": args.count, "skip": args.skip});
    let entries = Client::new(&args.node)?.call("listtransactions", &params)?;
    let entries = entries.as_array().map_or(&[][..], Vec::as_slice);
    if args.json {
        for entry in entries {
            print_record("camelid.wallet.entry.v1", entry.clone())?;
        }
        print_record("camelid.wallet.history.v1", json!({"entries": entries.len()}))?;
        return Ok(Exit::Success);
    }
    let mut table = new_table(&["height", "amount", "what", "transaction"], false);
    for entry in entries {
        let height = match &entry["height"] {
            Value::Null => "waits".into(),
            height => plain(height),
        };
        let what = match &entry["action"] {
            Value::Null => plain(&entry["category"]),
            action => plain(action),
        };
        table.add_row([
            height,
            format!("{:>18}", plain(&entry["amount"])),
            what,
            plain(&entry["txid"]),
        ]);
    }
    writeln!(stdout().lock(), "{}", table.trim_fmt())?;
    Ok(Exit::Success)
}

/// Pays with a node's own coins.
///
/// # Errors
/// [`Failure`].
pub fn pay(
    node: &NodeArgs,
    (to, amount): (KeyHash, Amount),
    fee_rate: Option<u64>,
    as_json: bool,
) -> Result<Exit, Failure> {
    let params = json!({"address": to.to_string(), "amount": amount.to_string(), "fee_rate": fee_rate});
    let txid = Client::new(node)?.call("sendtoaddress", &params)?;
    if as_json {
        let record = json!({"txid": txid, "address": to.to_string(), "amount": amount.to_string()});
        print_record("camelid.wallet.payment.v1", record)?;
    } else {
        writeln!(stdout().lock(), "{}", plain(&txid))?;
    }
    Ok(Exit::Success)
}
