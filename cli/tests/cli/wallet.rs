//! `camelid wallet`.

use crate::support::{Place, Ran};
use assert_cmd::Command;
use camelid_core::block::genesis_block;
use camelid_core::chain::{AppliedBody, Chain};
use camelid_core::keys::{EcdsaVerifier, KeyHash};
use camelid_core::params::{Allocation, Params};
use camelid_core::primitives::{Amount, BlockHash, BoundedVec, Timestamp, decode};
use camelid_core::script::key_hash_script;
use camelid_core::tx::Transaction;
use serde_json::{Value, json};
use std::fs;
use std::sync::Arc;

const WORDS: &str =
    "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";
/// Somebody else's.
const OTHER: &str = "1LqBGSKuX5yYUonjxT5qGfpUsXKYYWeabA";
const VARIABLE: &str = "CAMELID_WALLET_PASSWORD";

/// Runs `camelid wallet ARGS` with the password in the environment and `input` as standard input.
fn wallet_with(place: &Place, args: &str, input: &str) -> Ran {
    let output = Command::cargo_bin("camelid")
        .expect("the binary")
        .current_dir(place.path("."))
        .arg("wallet")
        .args(args.split_whitespace())
        .env(VARIABLE, "correct horse")
        .write_stdin(input)
        .output();
    Ran::from(output.expect("it runs"))
}

fn wallet(place: &Place, args: &str) -> Ran {
    wallet_with(place, args, "")
}

fn succeeds(ran: Ran) -> Ran {
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    ran
}

fn json_of(ran: Ran) -> Value {
    serde_json::from_str(&succeeds(ran).stdout).expect("one JSON object")
}

/// A wallet of [`WORDS`].
fn restored() -> Place {
    let place = Place::new();
    succeeds(wallet_with(&place, "restore", WORDS));
    place
}

#[test]
fn a_new_wallet_can_be_restored_from_its_words() {
    let place = Place::new();
    let made = json_of(wallet(&place, "new --json"));
    assert_eq!(made["schema"], "camelid.wallet.new.v1");
    assert_eq!(made["file"], "camelid.wallet");
    let words = made["words"].as_str().expect("words");
    assert_eq!(words.split(' ').count(), 24);
    let shown = json_of(wallet(&place, "address --json"));
    assert_eq!(shown["address"], made["address"]);
    assert_eq!(shown["path"], "m/44'/1128353100'/0'/0/0");

    let elsewhere = Place::new();
    let restored = json_of(wallet_with(&elsewhere, "restore --json", words));
    assert_eq!(restored["address"], made["address"]);
    assert_eq!(restored.get("words"), None);
    // For people: words and address, each on a line of its own.
    let short = succeeds(wallet(&place, "new --wallet short --words 12"));
    let lines: Vec<&str> = short.stdout.lines().collect();
    assert_eq!((lines.len(), lines[0].split(' ').count()), (2, 12));
    assert!(short.stderr.contains("Write these words down"));
    let file = fs::read(place.path("camelid.wallet")).expect("the file");
    assert!(file.starts_with(b"CAMELIDW"));
}

#[test]
fn an_address_stays_until_a_new_one_is_asked_for() {
    let place = restored();
    let address = |args: &str| succeeds(wallet(&place, &format!("address {args}"))).stdout;
    let first = address("");
    assert_eq!(address(""), first);
    let second = address("--new");
    assert_ne!(second, first);
    assert_eq!(address(""), second);
    // A wallet that is told how many it had given out goes on there.
    succeeds(wallet_with(&place, "restore --wallet again --used 2", WORDS));
    assert_eq!(address("--wallet again"), second);
    succeeds(wallet_with(&place, "restore --wallet many --used 20", WORDS));
    let many = succeeds(wallet(&place, "address --wallet many --new"));
    assert!(many.stderr.contains("--used 21"), "{}", many.stderr);
}

#[test]
fn a_wallet_is_never_overwritten() {
    let place = restored();
    let before = fs::read(place.path("camelid.wallet")).expect("the file");
    for ran in [wallet(&place, "new"), wallet_with(&place, "restore", WORDS)] {
        assert_eq!(ran.code, 7);
        assert!(ran.stderr.contains("never overwritten"), "{}", ran.stderr);
    }
    assert_eq!(fs::read(place.path("camelid.wallet")).expect("the file"), before);
}

#[test]
fn the_password_comes_from_a_file_before_the_environment_and_never_from_nowhere() {
    let place = restored();
    place.write("right", "correct horse\nthe second line does not matter\n");
    place.write("wrong", "battery staple\n");
    place.write("empty", "\n");
    let without_variable = |args: &str| {
        let output = Command::cargo_bin("camelid")
            .expect("the binary")
            .current_dir(place.path("."))
            .args(args.split_whitespace())
            .env_remove(VARIABLE)
            .output();
        Ran::from(output.expect("it runs"))
    };
    succeeds(without_variable("wallet address --password-file right"));
    for (args, message) in [
        ("wallet address", "no password: use --password-file"),
        (
            "wallet address --password-file wrong",
            "wrong password, or a damaged wallet file",
        ),
        ("wallet address --password-file empty", "the password is empty"),
        (
            "wallet address --password-file missing",
            "missing: cannot be read",
        ),
        ("wallet address --wallet missing", "missing: cannot be read"),
        (
            "wallet address --wallet right --password-file right",
            "not a wallet file",
        ),
    ] {
        let ran = without_variable(args);
        assert_eq!(ran.code, 7, "{args}");
        assert!(ran.stderr.contains(message), "{args}: {}", ran.stderr);
        assert_eq!(ran.stdout, "");
    }
    // The file wins.
    assert_eq!(wallet(&place, "address --password-file wrong").code, 7);
    // There is no option for it.
    assert_eq!(wallet(&place, "address --password correct").code, 2);
}

#[test]
fn words_that_are_wrong_are_named_by_their_place() {
    let place = Place::new();
    for (words, message) in [
        (
            WORDS.replacen("abandon abandon", "abandon camelid", 1),
            "word 2 is not on the English list",
        ),
        (WORDS.replace("about", "zoo"), "the checksum does not match"),
        ("about".into(), "1 words: a mnemonic has 12"),
    ] {
        let ran = wallet_with(&place, "restore", &words);
        assert_eq!(ran.code, 7);
        assert!(ran.stderr.contains(message), "{}", ran.stderr);
    }
    assert!(!place.path("camelid.wallet").exists());
    place.write("words", WORDS);
    succeeds(wallet(&place, "restore --words-file words"));
}

/// A network on which the wallet's first addresses have these coins, the list of them, and the
/// genesis hash.
struct Funds {
    chain: Chain,
    list: Vec<Value>,
}

impl Funds {
    fn new(place: &Place, amounts: &[u64]) -> Self {
        let address = succeeds(wallet(place, "address")).stdout.trim().to_string();
        let owner = KeyHash::parse_address(&address).expect("an address");
        let allocations = amounts.iter().map(|units| Allocation {
            script: key_hash_script(&owner.0),
            amount: Amount::from_units(*units).expect("few units"),
        });
        let params = Arc::new(Params {
            allocations: BoundedVec::from_vec(allocations.collect()).expect("few allocations"),
            ..Params::simnet()
        });
        let txid = genesis_block(&params).transactions[0].txid();
        let listed = amounts.iter().enumerate().map(|(index, units)| {
            let amount = Amount::from_units(*units).expect("few units").to_string();
            json!({"txid": txid.to_string(), "index": index, "amount": amount, "address": address})
        });
        let list: Vec<Value> = listed.collect();
        place.write("coins.json", serde_json::to_string(&list).expect("JSON"));
        Self {
            list,
            chain: Chain::new(params, Arc::new(EcdsaVerifier), 1),
        }
    }

    fn genesis(&self) -> BlockHash {
        *self.chain.ledger().genesis()
    }

    /// The fee of a transaction that the chain would take into the next block.
    fn fee_of(&self, transaction: &Transaction) -> Amount {
        let ledger = self.chain.ledger();
        let time = Timestamp(ledger.median_time_past().0 + 60);
        let body =
            AppliedBody::new(ledger, time, &[transaction], &EcdsaVerifier).expect("a valid transaction");
        let subsidy = ledger.params().subsidy_at(ledger.next_moment(time).height);
        let reward = body.reward().expect("no overflow");
        reward.checked_sub(subsidy).expect("a reward above the subsidy")
    }
}

fn transaction_of(hex: &str) -> Transaction {
    let digits: Vec<u8> = hex.trim().bytes().collect();
    let bytes = digits.chunks(2).map(|pair| {
        let pair = std::str::from_utf8(pair).expect("ASCII");
        u8::from_str_radix(pair, 16).expect("hexadecimal digits")
    });
    decode(&bytes.collect::<Vec<u8>>(), 1_000_000).expect("a transaction")
}

#[test]
fn a_payment_is_signed_so_that_the_chain_takes_it() {
    let place = restored();
    let funds = Funds::new(&place, &[150_000_000, 70_000_000, 40_000_000]);
    let args = format!(
        "send --coins coins.json --to {OTHER}=0.5 --to {OTHER}=1.25 --out tx --network {} --fee-rate 3",
        funds.genesis()
    );
    let sent = json_of(wallet(&place, &format!("{args} --seed 7 --json")));
    assert_eq!(sent["schema"], "camelid.wallet.send.v1");
    let transaction = transaction_of(&fs::read_to_string(place.path("tx")).expect("the transaction"));
    assert_eq!(sent["txid"], transaction.txid().to_string());
    assert_eq!(sent["bytes"], transaction.size());
    let fee = funds.fee_of(&transaction);
    assert_eq!(sent["fee"], fee.to_string());
    assert_eq!(fee.units(), 3 * transaction.size() as u64);
    assert_eq!(
        sent["payments"][1],
        json!({"address": OTHER, "amount": "1.25000000"})
    );
    let change = sent["change"]["address"].clone();

    // The next payment has another address for change.
    let again = succeeds(wallet(&place, &format!("{args} --seed 7")));
    assert_eq!(again.stdout, "");
    for text in ["transaction  ", "pays", "0.50000000  1LqBGSKu", "change", "fee"] {
        assert!(again.stderr.contains(text), "{}", again.stderr);
    }
    assert!(!again.stderr.contains(change.as_str().expect("an address")));
    funds.fee_of(&transaction_of(
        &fs::read_to_string(place.path("tx")).expect("the transaction"),
    ));
    // To standard output.
    let piped = succeeds(wallet(&place, &args.replace("--out tx", "--out -")));
    funds.fee_of(&transaction_of(&piped.stdout));
}

#[test]
fn what_cannot_be_paid_is_refused() {
    let place = restored();
    let funds = Funds::new(&place, &[10_000_000]);
    let send = |arguments: &str| wallet(&place, &format!("send --coins coins.json --out tx {arguments}"));
    for (arguments, code, message) in [
        (
            format!("--to {OTHER}=0.1"),
            7,
            "not enough coins: 0.10000112 is needed with fees, 0.09999714 can be spent",
        ),
        (format!("--to {OTHER}=0.00000001"), 7, "would not be relayed"),
        (format!("--to {OTHER}"), 2, "write ADDRESS=COINS"),
        (format!("--to {OTHER}=-1"), 2, "is no decimal number"),
        (
            format!("--to {}=1", OTHER.replace('L', "M")),
            2,
            "the checksum does not match",
        ),
        (
            format!("--to {OTHER}=1 --network moon"),
            2,
            "neither mainnet, simnet, nor a genesis hash",
        ),
        (String::new(), 2, "--to <ADDRESS=COINS>"),
    ] {
        let ran = send(&arguments);
        assert_eq!(ran.code, code, "{arguments}: {}", ran.stderr);
        assert!(ran.stderr.contains(message), "{arguments}: {}", ran.stderr);
    }
    let with_list = |list: &Value| {
        place.write("coins.json", list.to_string());
        send(&format!("--to {OTHER}=0.01"))
    };
    let changed = |key: &str, value: Value| {
        let mut coin = funds.list[0].clone();
        coin[key] = value;
        json!([coin])
    };
    for (list, code, message) in [
        (json!([funds.list[0], funds.list[0]]), 4, "is listed twice"),
        (
            changed("txid", json!("12")),
            4,
            "coin 1: txid \"12\" is not 64 hexadecimal digits",
        ),
        (changed("amount", json!(0.5)), 4, "expected a string"),
        (
            changed("amount", json!("0.123456789")),
            4,
            "a unit is the eighth digit",
        ),
        (changed("address", json!("1")), 4, "coin 1: address \"1\""),
        (
            changed("address", json!(OTHER)),
            7,
            "which is no address of this wallet",
        ),
        (changed("vout", json!(1)), 4, "unknown field `vout`"),
        (json!({}), 4, "expected a sequence"),
        (json!([]), 7, "not enough coins"),
    ] {
        let ran = with_list(&list);
        assert_eq!(ran.code, code, "{list}: {}", ran.stderr);
        assert!(ran.stderr.contains(message), "{list}: {}", ran.stderr);
    }
    assert!(!place.path("tx").exists());
}
