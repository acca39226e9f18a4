//! `camelid wallet send`.

use super::args::SendArgs;
use super::coins::read_coins;
use super::refused;
use super::store::Store;
use crate::exit::{Exit, Failure};
use crate::query;
use crate::rpc::NodeArgs;
use crate::sim::print_json;
use camelid_core::keys::KeyHash;
use camelid_core::primitives::encode;
use camelid_core::script::key_hash_script;
use camelid_core::tx::{Transaction, TxOut};
use camelid_wallet::coin::{Coin, FeeRate};
use camelid_wallet::derivation::{Branch, GAP_LIMIT, KeyPlace};
use camelid_wallet::partial::Partial;
use camelid_wallet::payment::{Plan, Policy, plan};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{Write as _, stdout};
use std::path::Path;

#[derive(Serialize)]
struct SendRecord {
    schema: &'static str,
    txid: String,
    bytes: usize,
    fee: String,
    inputs: Vec<String>,
    payments: Vec<PaymentRecord>,
    change: Option<PaymentRecord>,
}

#[derive(Clone, Serialize)]
struct PaymentRecord {
    address: String,
    amount: String,
}

/// Fee of a payment that no node makes, in units for each byte.
const FEE_RATE: u64 = 2;

/// Lets a node pay, or signs a payment and writes it.
///
/// # Errors
/// [`Failure`].
pub fn send(args: &SendArgs) -> Result<Exit, Failure> {
    match (&args.coins, &args.out, &args.dir) {
        (Some(coins), Some(out), _) => send_listed(args, coins, out),
        (None, None, Some(dir)) => match args.recipients.as_slice() {
            [recipient] => {
                let node = NodeArgs { dir: dir.clone() };
                query::pay(&node, (recipient.to, recipient.amount), args.fee_rate, args.json)
            }
            _ => Err(Failure::Usage(
                "a node pays one recipient at a time: give --to once".into(),
            )),
        },
        _ => Err(Failure::Usage("--coins and --out go together".into())),
    }
}

fn send_listed(args: &SendArgs, coins: &Path, out: &Path) -> Result<Exit, Failure> {
    let listed = read_coins(coins)?;
    let mut store = Store::open(&args.file)?;
    let places = find_keys(&store, &listed)?;
    let coins: Vec<Coin> = listed.into_iter().map(|(coin, _)| coin).collect();
    let payments: Vec<TxOut> = (args.recipients.iter())
        .map(|recipient| TxOut::to_script(recipient.amount, key_hash_script(&recipient.to.0)))
        .collect();
    let change_place = KeyPlace {
        branch: Branch::Change,
        index: store.secrets.change,
    };
    let change = store.account.key_hash(change_place).map_err(refused)?;
    let rate = FeeRate::per_byte(args.fee_rate.unwrap_or(FEE_RATE))
        .ok_or_else(|| refused("the fee rate is too high"))?;
    let seed = args.seed.map_or_else(random_seed, Ok)?;
    let plan = plan(
        &coins,
        &payments,
        &key_hash_script(&change.0),
        &Policy::at(rate),
        seed,
    )
    .map_err(refused)?;
    let transaction = sign(&store, args, &plan, &places)?;
    if plan.change.is_some() {
        // Before the transaction is out: no later one is to have the same address for change.
        store.secrets.change += 1;
        store.save()?;
    }
    write_hex(out, &transaction)?;
    report(args, &plan, &transaction, change)
}

/// Where the key of each coin is: among the addresses given out and some more.
fn find_keys(store: &Store, coins: &[(Coin, KeyHash)]) -> Result<BTreeMap<KeyHash, KeyPlace>, Failure> {
    let mut places = BTreeMap::new();
    for (branch, given_out) in [
        (Branch::Receive, store.secrets.receive),
        (Branch::Change, store.secrets.change),
    ] {
        for index in 0..given_out.saturating_add(GAP_LIMIT) {
            let place = KeyPlace { branch, index };
            places.insert(store.account.key_hash(place).map_err(refused)?, place);
        }
    }
    match coins.iter().find(|(_, owner)| !places.contains_key(owner)) {
        Some((coin, owner)) => Err(refused(format!(
            "coin {} is at {owner}, which is no address of this wallet",
            coin.outpoint
        ))),
        None => Ok(places),
    }
}

fn sign(
    store: &Store,
    args: &SendArgs,
    plan: &Plan,
    places: &BTreeMap<KeyHash, KeyPlace>,
) -> Result<Transaction, Failure> {
    let mut partial = Partial::of_plan(args.network.0, plan).map_err(refused)?;
    let ours: BTreeMap<_, _> = (plan.coins.iter())
        .map(|coin| (coin.outpoint, coin.output()))
        .collect();
    for (owner, place) in places {
        let script = key_hash_script(&owner.0);
        if plan.coins.iter().any(|coin| coin.script == script) {
            let key = store.account.key(*place).map_err(refused)?;
            partial
                .sign(&key, |outpoint| ours.get(outpoint).cloned())
                .map_err(refused)?;
        }
    }
    partial.finalise().map_err(refused)
}

fn random_seed() -> Result<u64, Failure> {
    let mut seed = [0; 8];
    getrandom::fill(&mut seed)
        .map_err(|error| Failure::System(format!("the operating system gave no random bytes: {error}")))?;
    Ok(u64::from_le_bytes(seed))
}

fn write_hex(path: &Path, transaction: &Transaction) -> Result<(), Failure> {
    let mut hex = encode(transaction).iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    hex.push('\n');
    if path == Path::new("-") {
        return Ok(stdout().lock().write_all(hex.as_bytes())?);
    }
    fs::write(path, hex).map_err(|error| Failure::Write {
        path: path.into(),
        error,
    })
}

fn report(args: &SendArgs, plan: &Plan, transaction: &Transaction, change: KeyHash) -> Result<Exit, Failure> {
    let payments = args.recipients.iter().map(|recipient| PaymentRecord {
        address: recipient.to.to_string(),
        amount: recipient.amount.to_string(),
    });
    let change = plan
        .change
        .and_then(|index| transaction.outputs.get(index))
        .map(|output| PaymentRecord {
            address: change.to_string(),
            amount: output.value.to_string(),
        });
    let record = SendRecord {
        schema: "camelid.wallet.send.v1",
        txid: transaction.txid().to_string(),
        bytes: transaction.size(),
        fee: plan.fee.to_string(),
        inputs: plan.coins.iter().map(|coin| coin.outpoint.to_string()).collect(),
        payments: payments.collect(),
        change,
    };
    if args.json {
        print_json(&record)?;
    } else {
        eprint!("{}", in_words(&record));
    }
    Ok(Exit::Success)
}

fn in_words(record: &SendRecord) -> String {
    let mut text = format!("transaction  {}\n", record.txid);
    let mut line = |label: &str, payment: &PaymentRecord| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{label:<13}{:>18}  {}", payment.amount, payment.address);
    };
    record.payments.iter().for_each(|payment| line("pays", payment));
    record.change.iter().for_each(|payment| line("change", payment));
    let count = record.inputs.len();
    let coins = if count == 1 { "coin" } else { "coins" };
    let _ = writeln!(
        text,
        "{:<13}{:>18}  {} bytes, {count} {coins} spent",
        "fee", record.fee, record.bytes
    );
    text
}
