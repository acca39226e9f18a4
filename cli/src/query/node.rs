//! `camelid node status`, `peers` and `stop`.
#![cfg(feature = "ggml")]

use super::args::QueryArgs;
use super::{Facts, duration, plain, print_record};
use crate::exit::{Exit, Failure};
use crate::rpc::Client;
use crate::sim::new_table;
use serde_json::{Value, json};
use std::io::{Write as _, stdout};

/// Says what a node is and how it does.
///
/// # Errors
/// [`Failure`].
pub fn status(args: &QueryArgs) -> Result<Exit, Failure> {
    let client = Client::new(&args.node)?;
    let call = |method| client.call(method, &Value::Null);
    let (chain, network) = (call("getblockchaininfo")?, call("getnetworkinfo")?);
    let (mempool, balance, uptime) = (call("getmempoolinfo")?, call("getbalance")?, call("uptime")?);
    if args.json {
        let record = json!({
            "chain": chain, "network": network, "mempool": mempool, "balance": balance, "uptime_s": uptime,
        });
        print_record("camelid.node.status.v1", record)?;
        return Ok(Exit::Success);
    }
    let roles = network["roles"]
        .as_array()
        .map(|roles| roles.iter().map(plain).collect::<Vec<_>>().join(", "));
    let synchronised = match chain["initialblockdownload"].as_bool() {
        Some(true) => format!("of {}", plain(&chain["headers"])),
        _ => "synchronised".into(),
    };
    let listens = plain(&network["listens"]);
    let facts = Facts(vec![
        ("node", plain(&network["id"])),
        (
            "network",
            format!(
                "{}, genesis {}",
                plain(&network["magic"]),
                plain(&chain["genesis"])
            ),
        ),
        (
            "roles",
            roles
                .filter(|roles| !roles.is_empty())
                .unwrap_or_else(|| "full node".into()),
        ),
        ("listens", listens),
        ("height", format!("{} ({synchronised})", plain(&chain["blocks"]))),
        ("tip", plain(&chain["bestblockhash"])),
        (
            "peers",
            format!(
                "{} ({} in, {} out)",
                plain(&network["connections"]),
                plain(&network["connections_in"]),
                plain(&network["connections_out"])
            ),
        ),
        (
            "mempool",
            format!(
                "{} transactions, {} bytes",
                plain(&mempool["size"]),
                plain(&mempool["bytes"])
            ),
        ),
        (
            "jobs",
            format!("{} open of {}", plain(&chain["openjobs"]), plain(&chain["jobs"])),
        ),
        (
            "balance",
            format!("{} coins to spend", plain(&balance["spendable"])),
        ),
        ("up", duration(uptime.as_u64().unwrap_or_default())),
    ]);
    facts.print()?;
    Ok(Exit::Success)
}

/// Lists a node's peers.
///
/// # Errors
/// [`Failure`].
pub fn peers(args: &QueryArgs) -> Result<Exit, Failure> {
    let peers = Client::new(&args.node)?.call("getpeerinfo", &Value::Null)?;
    let peers = peers.as_array().map_or(&[][..], Vec::as_slice);
    if args.json {
        for peer in peers {
            print_record("camelid.node.peer.v1", peer.clone())?;
        }
        print_record("camelid.node.peers.v1", json!({"peers": peers.len()}))?;
        return Ok(Exit::Success);
    }
    let mut table = new_table(&["peer", "address", "who called", "for", "points"], false);
    for peer in peers {
        let called = if peer["inbound"] == json!(true) {
            "it did"
        } else {
            "this node"
        };
        table.add_row([
            plain(&peer["id"]),
            plain(&peer["addr"]),
            called.into(),
            duration(peer["connected_s"].as_u64().unwrap_or_default()),
            plain(&peer["misbehaviour"]),
        ]);
    }
    writeln!(stdout().lock(), "{}", table.trim_fmt())?;
    Ok(Exit::Success)
}

/// Makes a node stop.
///
/// # Errors
/// [`Failure`].
pub fn stop(args: &QueryArgs) -> Result<Exit, Failure> {
    Client::new(&args.node)?.call("stop", &Value::Null)?;
    if args.json {
        print_record("camelid.node.stop.v1", json!({"stopping": true}))?;
    } else {
        eprintln!("The node is stopping.");
    }
    Ok(Exit::Success)
}
