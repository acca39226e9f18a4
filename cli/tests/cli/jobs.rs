//! Jobs through nodes that are processes of their own, talk QUIC, and run the embedded model.

use super::nodes::{Running, found, record, records, until};
use super::support::{Place, Ran};
use serde_json::Value;
use std::fs;

/// Who has not answered is not there.
fn assert_gone(ran: &Ran) {
    assert_eq!(ran.code, 6, "{}", ran.stderr);
    assert!(ran.stderr.contains("no node answers for"), "{}", ran.stderr);
}

#[test]
fn a_node_answers_until_it_is_stopped() {
    let place = Place::new();
    found(&place, &["miner"]);
    assert_gone(&place.camelid("node status --dir miner"));
    let (node, address) = Running::start(&place, "miner", None);
    let status = record(&place, "node status", "miner");
    assert_eq!(status["schema"], "camelid.node.status.v1");
    assert_eq!(status["network"]["listens"], address);
    assert_eq!(status["network"]["roles"], serde_json::json!(["miner"]));
    until(&place, "chain info", "miner", |info| {
        info["blocks"].as_u64() >= Some(1)
    });

    let block = record(&place, "chain block 1", "miner");
    let txid = block["tx"][0]["txid"].as_str().expect("an id");
    let transaction = record(&place, &format!("chain tx {txid}"), "miner");
    assert_eq!(transaction["blockhash"], block["hash"]);
    let own = status["network"]["id"].as_str().expect("an id");
    let paid = record(&place, &format!("wallet send --to {own}=1.5"), "miner");
    let history = until_history(&place, paid["txid"].as_str().expect("an id"));
    assert_eq!(history["category"], "send");
    assert_eq!(record(&place, "wallet balance", "miner")["address"], own);
    assert_eq!(records(&place, "node peers", "miner").len(), 1, "a summary alone");

    for (args, words) in [
        ("node status", "height"),
        ("node peers", "address"),
        ("chain info", "audit fund"),
        ("chain block", "coinbase"),
        ("chain mempool", "let one in"),
        ("wallet balance", "spendable"),
        ("wallet history", "generate"),
        ("job list", "outcome"),
        ("rpc getblockcount", ""),
        ("rpc help", "== Chain =="),
    ] {
        let ran = place.camelid(&format!("{args} --dir miner"));
        assert_eq!(ran.code, 0, "{args}: {}", ran.stderr);
        assert!(ran.stdout.contains(words), "{args}: {}", ran.stdout);
    }
    for (args, code) in [
        ("rpc nosuch", 2),
        ("rpc getblockhash height=x", 2),
        ("rpc getblockhash 4000000000", 2),
        ("chain block 4000000000", 2),
        ("wallet send --to 1LqBGSKuX5yYUonjxT5qGfpUsXKYYWeabA=1000000", 7),
        ("ask hello", 1),
    ] {
        let ran = place.camelid(&format!("{args} --dir miner"));
        assert_eq!(ran.code, code, "{args}: {}", ran.stderr);
        assert_eq!(ran.stdout, "", "{args}");
    }
    assert_eq!(place.camelid("node stop --dir miner").code, 0);
    assert_eq!(node.wait(), Some(0));
    assert_gone(&place.camelid("node status --dir miner"));
    assert!(!place.path("miner/.cookie").exists());
}

/// The entry of a payment of the miner's.
fn until_history(place: &Place, txid: &str) -> Value {
    let entries = records(place, "wallet history", "miner");
    let entry = entries.into_iter().find(|entry| entry["txid"] == txid);
    entry.expect("the payment is in the history at once")
}

/// A job of the client's that a worker is engaged for and has not delivered yet.
fn engaged_job(place: &Place) -> String {
    let order = "job submit Once --template raw --max-tokens 16 --private";
    let job = record(place, order, "client")["job"]
        .as_str()
        .expect("an id")
        .to_owned();
    until(place, &format!("job show {job}"), "client", |job| {
        !job["engaged_at"].is_null()
    });
    job
}

#[test]
fn a_worker_that_is_killed_between_engage_and_delivery_is_paid_all_the_same() {
    let place = Place::new();
    let roles = ["miner", "worker", "client", "verifier"];
    found(&place, &roles);
    let (_miner, seed) = Running::start(&place, "miner", None);
    let start_worker = || Running::start(&place, "worker", Some(&seed)).0;
    let mut worker = start_worker();
    let (_client, _) = Running::start(&place, "client", Some(&seed));
    let (_verifier, _) = Running::start(&place, "verifier", Some(&seed));
    let connected = |info: &Value| info["network"]["connections"].as_u64() >= Some(2);
    for dir in ["worker", "client"] {
        until(&place, "node status", dir, connected);
    }
    // It delivers a block or two after Engage; where that comes before the kill, there is another job.
    let job = (0..5).find_map(|_| {
        let job = engaged_job(&place);
        worker.kill();
        let log = fs::read_to_string(place.path("worker.log")).expect("a log");
        worker = start_worker();
        let delivered = log
            .lines()
            .any(|line| line.contains("delivery-sent") && line.contains(&job));
        (!delivered).then_some(job)
    });
    let job = job.expect("a job in five");
    let why = until(&place, &format!("job why {job}"), "client", |why| {
        !why["outcome"].is_null()
    });
    assert_eq!(why["outcome"], "settled", "{why}");

    let asked = records(
        &place,
        "ask Twice --template raw --max-tokens 8 --private",
        "client",
    );
    let (answer, phases) = asked.split_last().expect("records");
    let phases: Vec<&str> = phases
        .iter()
        .filter_map(|phase| phase["phase"].as_str())
        .collect();
    let all = [
        "opened",
        "mined",
        "accepted",
        "generated",
        "engaged",
        "buried",
        "delivered",
        "checked",
    ];
    assert_eq!(phases, all);
    assert_eq!(answer["schema"], "camelid.job.v1");
    assert_eq!(answer["verified"], true);
    assert!(
        answer["text"].as_str().is_some_and(|text| !text.is_empty()),
        "{answer}"
    );
}

#[test]
fn who_asks_where_nobody_works_gets_nothing_but_the_money_back() {
    let place = Place::new();
    let made = place.camelid("node init --dir miner --role miner,client");
    assert_eq!(made.code, 0, "{}", made.stderr);
    let (_node, _) = Running::start(&place, "miner", None);
    let asked = place.camelid("ask Once --template raw --deadline-blocks 12 --dir miner");
    assert_eq!(asked.code, 5, "{}", asked.stderr);
    assert_eq!(asked.stdout, "");
    assert!(asked.stderr.contains("there is no output"), "{}", asked.stderr);
    assert!(asked.stderr.contains("Not paid, and expired"), "{}", asked.stderr);
}
