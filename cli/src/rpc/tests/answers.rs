//! What methods answer.

use super::net::{Net, key};
use crate::decimal::coins;
use camelid_core::primitives::{Amount, decode};
use camelid_core::tx::Transaction;
use serde_json::{Value, json};
use std::sync::atomic::Ordering;

fn amount(value: &Value) -> Amount {
    coins(value.as_str().unwrap()).unwrap()
}

fn bytes(hex: &Value) -> Vec<u8> {
    let hex = hex.as_str().unwrap().as_bytes();
    let pairs = hex.chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

#[tokio::test]
async fn blocks_are_found_by_height_and_hash() {
    let net = Net::start(true);
    net.until("getblockcount", json!({}), |count| count.as_u64() >= Some(3))
        .await;
    let genesis = net.call("getblockhash", json!({"height": 0})).await;
    let info = net.call("getblockchaininfo", json!({})).await;
    assert_eq!(info["genesis"], genesis);
    for height in 1..=3 {
        let hash = net.call("getblockhash", json!({"height": height})).await;
        let header = net.call("getblockheader", json!({"blockhash": hash})).await;
        let block = net.call("getblock", json!({"blockhash": hash})).await;
        let full = net
            .call("getblock", json!({"blockhash": hash, "verbosity": 2}))
            .await;
        let before = net.call("getblockhash", json!({"height": height - 1})).await;
        for block in [&header, &block, &full] {
            assert_eq!((&block["hash"], &block["height"]), (&hash, &json!(height)));
            assert_eq!(block["previousblockhash"], before);
        }
        assert_eq!(block["tx"][0], full["tx"][0]["txid"]);
        let raw = net
            .call("getblock", json!({"blockhash": hash, "verbosity": 0}))
            .await;
        assert_eq!(json!(bytes(&raw).len()), block["size"]);
        let head = net
            .call("getblockheader", json!({"blockhash": hash, "verbose": false}))
            .await;
        assert!(raw.as_str().unwrap().starts_with(head.as_str().unwrap()));
        let coinbase = json!({"txid": block["tx"][0], "verbose": true});
        let coinbase = net.call("getrawtransaction", coinbase).await;
        assert_eq!(
            (&coinbase["blockhash"], &coinbase["height"]),
            (&hash, &json!(height))
        );
        let elsewhere = json!({"txid": block["tx"][0], "blockhash": genesis});
        assert_eq!(net.refusal("getrawtransaction", elsewhere).await.0, -5);
    }
    assert_eq!(
        net.refusal("getblockhash", json!({"height": u32::MAX})).await.0,
        -8
    );
    let nothing = "00".repeat(32);
    for method in ["getblock", "getblockheader"] {
        assert_eq!(net.refusal(method, json!({"blockhash": nothing})).await.0, -5);
    }
    assert_eq!(
        net.refusal("getrawtransaction", json!({"txid": nothing})).await.0,
        -5
    );
}

#[tokio::test]
async fn a_payment_goes_through_the_mempool_into_the_history() {
    let net = Net::start(false);
    let before = net.call("getbalance", json!({})).await;
    let to = key("somebody").node_id().to_string();
    let pay = json!({"address": to, "amount": "1.25"});
    let txid = net.call("sendtoaddress", pay).await;
    assert_eq!(net.call("getrawmempool", json!({})).await, json!([txid]));
    let waiting = net.call("getrawmempool", json!({"verbose": true})).await;
    let fee = amount(&waiting[0]["fee"]);
    let info = net.call("getmempoolinfo", json!({})).await;
    assert_eq!(
        (&info["size"], &info["total_fee"]),
        (&json!(1), &waiting[0]["fee"])
    );
    let after = net.call("getbalance", json!({})).await;
    let left = Amount::checked_sum([amount(&after["spendable"]), amount(&after["unconfirmed"]), fee]);
    assert_eq!(
        left.and_then(|left| left.checked_add(coins("1.25").unwrap())),
        Some(amount(&before["spendable"]))
    );

    let history = net.call("listtransactions", json!({"count": 1})).await;
    assert_eq!(history[0]["txid"], txid);
    assert_eq!(history[0]["category"], "send");
    assert_eq!(history[0]["to"], json!([{"address": to, "amount": "1.25000000"}]));
    let spent = coins("1.25").unwrap().checked_add(fee).unwrap();
    assert_eq!(history[0]["amount"], format!("-{spent}"));
    assert_eq!(
        (&history[0]["height"], &history[0]["confirmations"]),
        (&Value::Null, &json!(0))
    );
    let older = net.call("listtransactions", json!({"skip": 1})).await;
    assert_eq!(
        older.as_array().map(Vec::len),
        Some(1),
        "the genesis block's coins"
    );
    assert_eq!(older[0]["amount"], "300.00000000");

    // Its encoding is what can be sent again, and nothing else.
    let raw = net.call("getrawtransaction", json!({"txid": txid})).await;
    let transaction: Transaction = decode(&bytes(&raw), usize::MAX).unwrap();
    assert_eq!(json!(transaction.txid().to_string()), txid);
    assert_eq!(
        net.call("sendrawtransaction", json!({"hexstring": raw})).await,
        txid
    );
    assert_eq!(
        net.refusal("sendrawtransaction", json!({"hexstring": "00"}))
            .await
            .0,
        -22
    );
    let mut wrong = raw.as_str().unwrap().to_owned();
    wrong.replace_range(16..24, "ffffffff");
    assert_ne!(
        net.refusal("sendrawtransaction", json!({"hexstring": wrong}))
            .await
            .0,
        -32_603
    );

    for (amount, fee_rate) in [("1000000", json!(null)), ("0.00000001", json!(null))] {
        let pay = json!({"address": to, "amount": amount, "fee_rate": fee_rate});
        assert_eq!(net.refusal("sendtoaddress", pay).await.0, -4);
    }
}

#[tokio::test]
async fn a_mined_payment_is_in_its_block() {
    let net = Net::start(true);
    let pay = json!({"address": key("somebody").node_id().to_string(), "amount": "2"});
    let txid = net.call("sendtoaddress", pay).await;
    let mined = net
        .until("listtransactions", json!({}), |history| {
            history[0]["height"].is_u64()
        })
        .await;
    assert_eq!(mined[0]["txid"], txid);
    let hash = net
        .call("getblockhash", json!({"height": mined[0]["height"]}))
        .await;
    let block = net.call("getblock", json!({"blockhash": hash})).await;
    assert!(block["tx"].as_array().unwrap().contains(&txid));
    let balance = net.call("getbalance", json!({})).await;
    assert_eq!(balance["unconfirmed"], "0.00000000");
}

#[tokio::test]
async fn a_job_is_followed_from_its_opening_to_its_payment() {
    let net = Net::start(true);
    let order = json!({"prompt": [5, 6, 7], "reward": "0.5", "max_tokens": 8});
    let job = net.call("jobsubmit", order).await["job"].clone();
    let which = json!({"job": job});
    let checked = net
        .until("jobshow", which.clone(), |job| job["phase"] == "checked")
        .await;
    assert_eq!(checked["check"]["verdict"], "valid");
    assert_eq!(checked["node"], key("worker").node_id().to_string());
    let tokens = checked["output"]["tokens"].as_array().unwrap();
    assert!((1..=8).contains(&tokens.len()));
    assert_eq!(checked["terms"]["reward"], "0.50000000");

    let paid = net
        .until("jobwhy", which.clone(), |why| why["outcome"] == "settled")
        .await;
    assert_eq!((&paid["paid"], &paid["slashed"]), (&json!(true), &json!(false)));
    let words = paid["why"].as_str().unwrap();
    assert!(words.starts_with("Paid: worker "), "{words}");
    assert!(words.contains("0.50000000 coins"), "{words}");
    let steps: Vec<&str> = paid["evidence"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["step"].as_str().unwrap())
        .collect();
    assert_eq!(steps, ["OpenJob", "Engage", "Settle"]);
    let own = net.call("joblist", json!({})).await;
    assert_eq!((&own[0]["job"], &own[0]["outcome"]), (&job, &json!("settled")));
    assert_eq!(net.call("joblist", json!({"scope": "open"})).await, json!([]));
    assert_eq!(net.call("joblist", json!({"scope": "all"})).await, own);
    assert_eq!(net.refusal("joblist", json!({"scope": "mine"})).await.0, -32_602);
    let (code, message) = net.refusal("jobdispute", which).await;
    assert_eq!((code, message.contains("Closed")), (-1, true), "{message}");
}

#[tokio::test]
async fn an_output_can_be_objected_to_by_hand() {
    let net = Net::start(true);
    let order = json!({"prompt": [9], "reward": "0.5", "max_tokens": 4});
    let which = json!({"job": net.call("jobsubmit", order).await["job"]});
    net.until("jobshow", which.clone(), |job| job["delivery"] == "good")
        .await;
    assert_eq!(net.call("jobdispute", which.clone()).await["claim"], "Invalid");
    let disputed = net
        .until("jobshow", which.clone(), |job| job["state"] == "round1")
        .await;
    assert_eq!(disputed["dispute"]["origin"], "claim");
    let why = net.call("jobwhy", which).await;
    let words = why["why"].as_str().unwrap();
    assert!(
        words.contains("the client claims that the output is not the model's"),
        "{words}"
    );
    assert_eq!(why["paid"], false);
}

#[tokio::test]
async fn a_job_that_cannot_be_is_refused_with_its_reason() {
    let net = Net::start(false);
    let order = |field: &str, value: Value| {
        let mut order = json!({"prompt": [5], "reward": "0.5"});
        order[field] = value;
        order
    };
    for (field, value, code, part) in [
        ("prompt", json!([]), -26, "empty"),
        ("prompt", json!([256]), -26, "vocabulary"),
        ("model", json!("00".repeat(32)), -26, "model"),
        ("reward", json!("300"), -26, "coins"),
        ("max_tokens", json!(0), -26, "token limit"),
        ("spec", json!("v9"), -8, "specification"),
        ("top_p_milli", json!(0), -8, "top_p"),
        ("deadline_blocks", json!(0), -26, "deadline"),
    ] {
        let (given, message) = net.refusal("jobsubmit", order(field, value)).await;
        assert_eq!(given, code, "{field}: {message}");
        assert!(message.contains(part), "{field}: {message}");
    }
    let unknown = json!({"job": "ab".repeat(32)});
    for (method, code) in [("jobshow", -5), ("jobwhy", -5), ("jobdispute", -1)] {
        assert_eq!(net.refusal(method, unknown.clone()).await.0, code);
    }
    assert_eq!(net.call("joblist", json!({})).await, json!([]));
}

#[tokio::test]
async fn a_job_that_waits_says_what_for() {
    let net = Net::start(false);
    let job = net
        .call("jobsubmit", json!({"prompt": [5], "reward": "0.5"}))
        .await["job"]
        .clone();
    let shown = net.call("jobshow", json!({"job": job})).await;
    assert_eq!(
        (&shown["state"], &shown["phase"]),
        (&json!("unmined"), &json!("opened"))
    );
    let why = net.call("jobwhy", json!({"job": job})).await;
    assert!(
        why["why"].as_str().unwrap().contains("waits in the mempool"),
        "{why}"
    );
    assert_eq!(why["evidence"], json!([]));
}

#[tokio::test]
async fn the_node_says_who_it_is_and_stops() {
    let net = Net::start(false);
    let info = net.call("getnetworkinfo", json!({})).await;
    assert_eq!(info["id"], key("client").node_id().to_string());
    assert_eq!(info["roles"], json!(["client"]));
    assert_eq!(net.call("getaddress", json!({})).await, info["id"]);
    assert_eq!(net.call("getconnectioncount", json!({})).await, 2);
    assert_eq!(
        net.call("getpeerinfo", json!({})).await.as_array().map(Vec::len),
        Some(2)
    );
    assert!(net.call("uptime", json!({})).await.is_u64());
    let estimate = net.call("estimatesmartfee", json!({"conf_target": 2})).await;
    assert!(amount(&estimate["feerate"]) > Amount::ZERO);
    assert_eq!(
        net.refusal("estimatesmartfee", json!({"conf_target": 0})).await.0,
        -8
    );
    net.call("stop", json!({})).await;
    assert!(net.stopped.load(Ordering::Relaxed));
}

#[tokio::test]
async fn a_node_that_is_gone_is_said_to_be() {
    let net = Net::start(false);
    net.stop_client();
    let mut answer = net.ask("getblockcount", json!({})).await;
    while answer.get("result").is_some() {
        answer = net.ask("getblockcount", json!({})).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(answer["error"]["code"], -28);
}
