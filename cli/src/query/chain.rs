//! `camelid chain …`.

use super::args::{BlockArgs, ChainCommand, QueryArgs, TxArgs};
use super::{Facts, plain, print_record};
use crate::exit::{Exit, Failure};
use crate::rpc::Client;
use crate::sim::new_table;
use serde_json::{Value, json};
use std::io::{Write as _, stdout};

/// Does what `command` says.
///
/// # Errors
/// [`Failure`].
pub fn chain(command: &ChainCommand) -> Result<Exit, Failure> {
    match command {
        ChainCommand::Info(args) => info(args),
        ChainCommand::Block(args) => block(args),
        ChainCommand::Tx(args) => transaction(args),
        ChainCommand::Mempool(args) => mempool(args),
    }?;
    Ok(Exit::Success)
}

fn info(args: &QueryArgs) -> Result<(), Failure> {
    let info = Client::new(&args.node)?.call("getblockchaininfo", &Value::Null)?;
    if args.json {
        return print_record("camelid.chain.info.v1", info);
    }
    let coins = |name: &str| format!("{} coins", plain(&info[name]));
    Facts(vec![
        ("genesis", plain(&info["genesis"])),
        ("height", plain(&info["blocks"])),
        ("headers", plain(&info["headers"])),
        ("tip", plain(&info["bestblockhash"])),
        (
            "work",
            plain(&info["chainwork"]).trim_start_matches('0').to_owned(),
        ),
        (
            "jobs",
            format!("{} open of {}", plain(&info["openjobs"]), plain(&info["jobs"])),
        ),
        ("issued", coins("issued")),
        ("burned", coins("burned")),
        ("audit fund", coins("auditfund")),
    ])
    .print()
}

fn block(args: &BlockArgs) -> Result<(), Failure> {
    let client = Client::new(&args.node)?;
    let hash = match &args.block {
        None => client.call("getbestblockhash", &Value::Null)?,
        Some(block) => match block.parse::<u32>() {
            Ok(height) => client.call("getblockhash", &json!({"height": height}))?,
            Err(_) => json!(block),
        },
    };
    let block = client.call("getblock", &json!({"blockhash": hash, "verbosity": 2}))?;
    if args.json {
        return print_record("camelid.chain.block.v1", block);
    }
    Facts(vec![
        ("block", plain(&block["hash"])),
        ("height", plain(&block["height"])),
        ("confirmed", format!("{} times", plain(&block["confirmations"]))),
        ("time", plain(&block["time"])),
        ("previous", plain(&block["previousblockhash"])),
        ("bits", plain(&block["bits"])),
        ("size", format!("{} bytes", plain(&block["size"]))),
    ])
    .print()?;
    let mut table = new_table(&["transaction", "bytes", "outputs", "does"], false);
    for transaction in block["tx"].as_array().into_iter().flatten() {
        let does = match transaction["vin"][0].get("coinbase") {
            Some(_) => "coinbase".into(),
            None => plain(&transaction["action"]["kind"]),
        };
        let outputs = transaction["vout"].as_array().map_or(0, Vec::len);
        table.add_row([
            plain(&transaction["txid"]),
            plain(&transaction["size"]),
            outputs.to_string(),
            does,
        ]);
    }
    Ok(writeln!(stdout().lock(), "\n{}", table.trim_fmt())?)
}

fn transaction(args: &TxArgs) -> Result<(), Failure> {
    let params = json!({"txid": args.txid, "verbose": true, "blockhash": args.block});
    let transaction = Client::new(&args.node)?.call("getrawtransaction", &params)?;
    if args.json {
        return print_record("camelid.chain.tx.v1", transaction);
    }
    let block = match transaction.get("blockhash") {
        Some(hash) => format!("{} (height {})", plain(hash), plain(&transaction["height"])),
        None => "not mined".into(),
    };
    Facts(vec![
        ("transaction", plain(&transaction["txid"])),
        ("block", block),
        ("size", format!("{} bytes", plain(&transaction["size"]))),
        ("job", plain(&transaction["job"])),
        ("does", plain(&transaction["action"]["kind"])),
    ])
    .print()?;
    let mut out = stdout().lock();
    for input in transaction["vin"].as_array().into_iter().flatten() {
        match input.get("coinbase") {
            Some(_) => writeln!(out, "{:<12}new coins", "spends")?,
            None => writeln!(
                out,
                "{:<12}{}:{}",
                "spends",
                plain(&input["txid"]),
                plain(&input["vout"])
            )?,
        }
    }
    for output in transaction["vout"].as_array().into_iter().flatten() {
        let to = match &output["scriptPubKey"]["address"] {
            Value::String(address) => address.clone(),
            _ => plain(&output["lock"]),
        };
        writeln!(out, "{:<12}{} coins to {to}", "pays", plain(&output["value"]))?;
    }
    Ok(out.flush()?)
}

fn mempool(args: &QueryArgs) -> Result<(), Failure> {
    let client = Client::new(&args.node)?;
    let info = client.call("getmempoolinfo", &Value::Null)?;
    let contents = client.call("getrawmempool", &json!({"verbose": true}))?;
    let contents = contents.as_array().map_or(&[][..], Vec::as_slice);
    if args.json {
        for transaction in contents {
            print_record("camelid.chain.mempool.tx.v1", transaction.clone())?;
        }
        return print_record("camelid.chain.mempool.v1", info);
    }
    let mut table = new_table(&["transaction", "bytes", "fee", "does"], false);
    for transaction in contents {
        let columns = ["txid", "size", "fee", "action"];
        table.add_row(columns.map(|column| plain(&transaction[column])));
    }
    let mut out = stdout().lock();
    if !contents.is_empty() {
        writeln!(out, "{}\n", table.trim_fmt())?;
    }
    writeln!(
        out,
        "{} transactions, {} bytes, {} coins of fees; {} coins for 1,000 bytes let one in",
        plain(&info["size"]),
        plain(&info["bytes"]),
        plain(&info["total_fee"]),
        plain(&info["mempoolminfee"])
    )?;
    Ok(out.flush()?)
}
