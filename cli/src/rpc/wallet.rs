//! Methods about the node's own coins.

use super::arguments::{Arguments, Kind, Parameter, missing};
use super::error::RpcError;
use super::mempool::submitted;
use super::method::{Action, Answer, Answering, Group, Method};
use super::service::{Service, View};
use super::transaction::address_of;
use camelid_core::escrow::Closing;
use camelid_core::mempool::FeeRate;
use camelid_core::primitives::{Amount, Height, JobId};
use camelid_core::process::{Command, Payment};
use camelid_core::tx::{ActionKind, Lock, OutPoint, Transaction};
use serde_json::{Value, json};

/// Most entries of a list.
const MAX_LISTED: u64 = 1_000;
/// Payouts of a job: two parties, and the seats of two rounds.
const MAX_PAYOUTS: u32 = 64;
/// Most units of fee for a byte: more is a mistake.
const MAX_FEE_RATE: u64 = 10_000;

/// The methods.
pub const METHODS: Group = Group {
    name: "Wallet",
    methods: &[
        Method {
            name: "getbalance",
            parameters: &[],
            help: "What the node's key owns: spendable, immature, reserved for jobs, and unconfirmed.",
            action: Action::Look(balance),
        },
        Method {
            name: "getaddress",
            parameters: &[],
            help: "The node's address; it has one.",
            action: Action::Look(|view, _| Ok(address_of(view.node.script()).into())),
        },
        Method {
            name: "listtransactions",
            parameters: &[
                Parameter::optional("count", Kind::Number(MAX_LISTED), "How many; 10 unless given."),
                Parameter::optional(
                    "skip",
                    Kind::Number(u32::MAX as u64),
                    "How many newer ones to leave out.",
                ),
            ],
            help: "What changed the node's balance, newest first.",
            action: Action::Look(list),
        },
        Method {
            name: "sendtoaddress",
            parameters: &[
                Parameter::required("address", Kind::Address, "Whom to pay."),
                Parameter::required("amount", Kind::Amount, "How much."),
                Parameter::optional(
                    "fee_rate",
                    Kind::Number(MAX_FEE_RATE),
                    "Units for each byte; what would have been mined lately unless given.",
                ),
            ],
            help: "Pays with the node's own coins; the transaction's id.",
            action: Action::Act(send),
        },
    ],
};

fn balance(view: &View<'_>, _: &Arguments) -> Answer {
    let balance = view.node.balance();
    Ok(json!({
        "spendable": balance.spendable.to_string(),
        "immature": balance.immature.to_string(),
        "reserved": balance.reserved.to_string(),
        "unconfirmed": balance.unconfirmed.to_string(),
    }))
}

fn send(service: &Service, arguments: Arguments) -> Answering<'_> {
    Box::pin(async move {
        let payment = Payment {
            to: arguments.address("address").ok_or_else(|| missing("address"))?,
            amount: arguments.amount("amount").ok_or_else(|| missing("amount"))?,
            fee_rate: arguments.number("fee_rate").map(FeeRate::per_byte),
        };
        submitted(&service.ask(Command::Pay(payment)).await?, RpcError::WALLET)
    })
}

fn list(view: &View<'_>, arguments: &Arguments) -> Answer {
    let count = arguments.small("count").unwrap_or(10) as usize;
    let skip = arguments.small("skip").unwrap_or(0) as usize;
    let chain = view.node.chain();
    let mut waiting: Vec<_> = view.node.mempool().transactions().collect();
    waiting.reverse();
    let waiting = waiting
        .into_iter()
        .filter_map(|(transaction, _)| entry(view, transaction, None));
    let heights = view.node.own_heights().into_iter().rev();
    let mined = heights.filter_map(|height| {
        let block = chain.block(chain.active().get(height.0 as usize)?)?;
        let mined = Some((height, block.header.time.0));
        let transactions = block.transactions.iter().rev();
        Some(
            transactions
                .filter_map(|transaction| entry(view, transaction, mined))
                .collect::<Vec<_>>(),
        )
    });
    Ok(waiting.chain(mined.flatten()).skip(skip).take(count).collect())
}

/// What a transaction does to the balance, if anything.
fn entry(view: &View<'_>, transaction: &Transaction, mined: Option<(Height, u32)>) -> Option<Value> {
    let debit = sum(transaction
        .inputs
        .iter()
        .filter_map(|input| view.node.own_coin(&input.previous)));
    let credit = match mined {
        Some((height, _)) => credit(view, transaction, height),
        // Nothing knows these outputs yet but the transaction.
        None => sum(transaction
            .outputs
            .iter()
            .filter_map(|output| match &output.lock {
                Lock::Script(script) if script == view.node.script() => Some(output.value),
                _ => None,
            })),
    };
    if debit.is_zero() && credit.is_zero() {
        return None;
    }
    let (sign, amount) = match credit.checked_sub(debit) {
        Some(gain) => ("", gain),
        None => ("-", debit.checked_sub(credit)?),
    };
    let height = mined.map(|(height, _)| height);
    Some(json!({
        "txid": transaction.txid().to_string(),
        "category": category(transaction, debit),
        "amount": format!("{sign}{amount}"),
        "height": height.map(|height| height.0),
        "confirmations": height.map_or(0, |height| view.node.chain().height().since(height) + 1),
        "time": mined.map(|(_, time)| time),
        "job": transaction.job_id.map(|job| job.to_string()),
        "action": transaction.action.as_ref().map(|action| action.kind.name()),
        "to": recipients(view, transaction, debit),
    }))
}

/// What a mined transaction created for the node, among it the payouts of a job that it closed.
fn credit(view: &View<'_>, transaction: &Transaction, height: Height) -> Amount {
    let txid = transaction.txid();
    // One output more than it has: what a Withdraw creates stands in none.
    let outputs = (0..=u32::try_from(transaction.outputs.len()).unwrap_or(u32::MAX))
        .map(|index| OutPoint { txid, index });
    let closes = |job: &JobId| {
        let kind = transaction.action.as_ref().map(|action| &action.kind);
        let record = view.node.chain().ledger().job(job);
        matches!(kind, Some(ActionKind::Settle | ActionKind::BadDelivery(_)))
            && record.is_some_and(|record| record.state.outcome().is_some() && record.since.height == height)
    };
    let closed = transaction.job_id.filter(closes);
    let payouts = closed
        .iter()
        .flat_map(|job| (0..MAX_PAYOUTS).map(|index| Closing::outpoint(job, index)));
    sum(outputs
        .chain(payouts)
        .filter_map(|outpoint| view.node.own_coin(&outpoint)))
}

fn category(transaction: &Transaction, debit: Amount) -> &'static str {
    if transaction.is_coinbase() {
        "generate"
    } else if transaction.action.is_some() {
        "job"
    } else if debit.is_zero() {
        "receive"
    } else {
        "send"
    }
}

/// Whom a payment of the node's pays, the change left out.
fn recipients(view: &View<'_>, transaction: &Transaction, debit: Amount) -> Vec<Value> {
    if debit.is_zero() || transaction.action.is_some() {
        return Vec::new();
    }
    let outputs = transaction
        .outputs
        .iter()
        .filter_map(|output| match &output.lock {
            Lock::Script(script) if script != view.node.script() => {
                Some(json!({"address": address_of(script), "amount": output.value.to_string()}))
            }
            _ => None,
        });
    outputs.collect()
}

fn sum(amounts: impl Iterator<Item = Amount>) -> Amount {
    Amount::checked_sum(amounts).unwrap_or(Amount::MAX)
}
