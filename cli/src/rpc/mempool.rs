//! Methods about transactions that wait.

use super::arguments::{Arguments, Kind, Parameter, missing};
use super::error::RpcError;
use super::method::{Action, Answer, Answering, Group, Method};
use super::service::{Service, View};
use camelid_core::mempool::{ESTIMATE_WINDOW, FeeRate};
use camelid_core::primitives::{Amount, decode};
use camelid_core::process::{Command, Event};
use camelid_core::tx::{MAX_TRANSACTION_BYTES, Transaction};
use serde_json::{Value, json};

/// The methods.
pub const METHODS: Group = Group {
    name: "Mempool",
    methods: &[
        Method {
            name: "getmempoolinfo",
            parameters: &[],
            help: "How much waits, and what it takes to be let in.",
            action: Action::Look(info),
        },
        Method {
            name: "getrawmempool",
            parameters: &[Parameter::optional(
                "verbose",
                Kind::Flag,
                "true: with sizes, fees and what they do; false unless given.",
            )],
            help: "The ids of all transactions that wait, in the order in which they came.",
            action: Action::Look(contents),
        },
        Method {
            name: "sendrawtransaction",
            parameters: &[Parameter::required(
                "hexstring",
                Kind::Hex,
                "The transaction's encoding.",
            )],
            help: "Takes a transaction in and passes it on; its id.",
            action: Action::Act(send),
        },
        Method {
            name: "estimatesmartfee",
            parameters: &[Parameter::required(
                "conf_target",
                Kind::Number(ESTIMATE_WINDOW as u64),
                "Blocks within which it is to be mined.",
            )],
            help: "The fee rate, in coins for 1,000 bytes, that would have been mined that soon lately.",
            action: Action::Look(estimate),
        },
    ],
};

/// A rate in coins for 1,000 bytes.
fn rate(rate: FeeRate) -> Value {
    Amount::from_units(rate.0)
        .unwrap_or(Amount::MAX)
        .to_string()
        .into()
}

fn info(view: &View<'_>, _: &Arguments) -> Answer {
    let mempool = view.node.mempool();
    let fees = mempool.transactions().map(|(_, fee)| fee);
    Ok(json!({
        "size": mempool.len(),
        "bytes": mempool.bytes(),
        "total_fee": Amount::checked_sum(fees).unwrap_or(Amount::MAX).to_string(),
        "mempoolminfee": rate(mempool.min_rate()),
    }))
}

fn contents(view: &View<'_>, arguments: &Arguments) -> Answer {
    let is_verbose = arguments.flag("verbose").unwrap_or(false);
    let transactions = view.node.mempool().transactions();
    Ok(transactions
        .map(|(transaction, fee)| match is_verbose {
            false => transaction.txid().to_string().into(),
            true => json!({
                "txid": transaction.txid().to_string(),
                "size": transaction.size(),
                "fee": fee.to_string(),
                "job": transaction.job_id.map(|job| job.to_string()),
                "action": transaction.action.as_ref().map(|action| action.kind.name()),
            }),
        })
        .collect())
}

fn send(service: &Service, arguments: Arguments) -> Answering<'_> {
    Box::pin(async move {
        let bytes = arguments.bytes("hexstring").ok_or_else(|| missing("hexstring"))?;
        let transaction: Transaction = decode(&bytes, MAX_TRANSACTION_BYTES)
            .map_err(|error| RpcError::new(RpcError::ENCODING, format!("no transaction: {error}")))?;
        submitted(
            &service.ask(Command::Submit(Box::new(transaction))).await?,
            RpcError::REJECTED,
        )
    })
}

/// The id of the transaction that was submitted, or why there is none.
///
/// # Errors
/// Of kind `code`.
pub fn submitted(events: &[Event], code: i32) -> Answer {
    let outcome = events.iter().find_map(|event| match event {
        Event::TransactionSubmitted { txid } => Some(Ok(txid.to_string().into())),
        Event::CommandRefused { reason } => Some(Err(RpcError::new(code, reason))),
        _ => None,
    });
    outcome.unwrap_or_else(|| Err(RpcError::new(RpcError::INTERNAL, "the node said nothing")))
}

fn estimate(view: &View<'_>, arguments: &Arguments) -> Answer {
    let blocks = arguments
        .small("conf_target")
        .ok_or_else(|| missing("conf_target"))?;
    if blocks == 0 {
        return Err(RpcError::new(RpcError::RANGE, "conf_target is at least 1"));
    }
    let estimate = view.node.mempool().estimate(blocks as usize);
    Ok(json!({"feerate": rate(estimate), "blocks": blocks}))
}
