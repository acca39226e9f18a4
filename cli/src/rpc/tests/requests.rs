//! What is no request, and what is no parameter.

use super::net::Net;
use crate::rpc::arguments::Kind;
use crate::rpc::dispatch::answer;
use crate::rpc::method::{GROUPS, Method, find};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

fn methods() -> impl Iterator<Item = &'static Method> {
    GROUPS.iter().flat_map(|group| group.methods)
}

/// A value that is of this kind.
fn fitting(kind: Kind) -> Value {
    match kind {
        Kind::Text => json!("own"),
        Kind::Hash | Kind::BlockHash => json!("ab".repeat(32)),
        Kind::Hex => json!("00ff"),
        Kind::Address => json!("1LqBGSKuX5yYUonjxT5qGfpUsXKYYWeabA"),
        Kind::Amount => json!("0.5"),
        Kind::Number(_) => json!(1),
        Kind::Flag => json!(true),
        Kind::Numbers => json!([1, 2]),
    }
}

/// Values that are not.
fn unfitting(kind: Kind) -> Vec<Value> {
    let mut values = vec![json!({"a": 1}), json!(-1), json!(1.5), json!([[]])];
    values.extend(match kind {
        Kind::Text => vec![json!(1), json!(true)],
        Kind::Hash | Kind::BlockHash => {
            vec![
                json!(""),
                json!("ab"),
                json!("xy".repeat(32)),
                json!("é".repeat(32)),
                json!(1),
            ]
        }
        Kind::Hex => vec![json!("0"), json!("zz"), json!(false)],
        Kind::Address => vec![
            json!(""),
            json!("1LqBGSKuX5yYUonjxT5qGfpUsXKYYWeabB"),
            json!("\u{1b}[2J"),
        ],
        Kind::Amount => vec![
            json!(1),
            json!("-1"),
            json!("1e3"),
            json!("0.000000001"),
            json!("99999999999"),
        ],
        Kind::Number(most) => match most.checked_add(1) {
            Some(above) => vec![json!("1"), json!(above)],
            None => vec![json!("1")],
        },
        Kind::Flag => vec![json!(0), json!("true")],
        Kind::Numbers => vec![
            json!(1),
            json!("1"),
            json!([1, -1]),
            json!([4_294_967_296_u64]),
            json!(["1"]),
        ],
    });
    values
}

/// What the method requires, fitting.
fn required(method: &Method) -> Map<String, Value> {
    let parameters = method.parameters.iter().filter(|parameter| parameter.required);
    parameters
        .map(|parameter| (parameter.name.into(), fitting(parameter.kind)))
        .collect()
}

#[tokio::test]
async fn what_is_no_request_is_refused() {
    let net = Net::start(false);
    let cases = [
        ("", -32_700, Value::Null),
        ("{", -32_700, Value::Null),
        ("[]", -32_600, Value::Null),
        ("7", -32_600, Value::Null),
        (
            r#"[{"jsonrpc":"2.0","id":1,"method":"uptime"}]"#,
            -32_600,
            Value::Null,
        ),
        (r#"{"jsonrpc":"2.0","method":"uptime"}"#, -32_600, Value::Null),
        (
            r#"{"jsonrpc":"2.0","id":[1],"method":"uptime"}"#,
            -32_600,
            Value::Null,
        ),
        (r#"{"id":1,"method":"uptime"}"#, -32_600, json!(1)),
        (
            r#"{"jsonrpc":"1.0","id":"a","method":"uptime"}"#,
            -32_600,
            json!("a"),
        ),
        (r#"{"jsonrpc":"2.0","id":1,"method":7}"#, -32_600, json!(1)),
        (r#"{"jsonrpc":"2.0","id":1,"method":"nosuch"}"#, -32_601, json!(1)),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"uptime","params":7}"#,
            -32_602,
            json!(1),
        ),
    ];
    for (body, code, id) in cases {
        let answer = answer(&net.service, body.as_bytes()).await;
        assert_eq!(answer["error"]["code"], code, "{body}");
        assert_eq!(answer["id"], id, "{body}");
        assert_eq!(answer["jsonrpc"], "2.0");
    }
    let deep = "[".repeat(100_000);
    assert_eq!(
        answer(&net.service, deep.as_bytes()).await["error"]["code"],
        -32_700
    );
}

#[tokio::test]
async fn every_parameter_of_every_method_is_checked() {
    let net = Net::start(false);
    let mut checked = 0;
    for method in methods() {
        for parameter in method.parameters {
            for wrong in unfitting(parameter.kind) {
                let mut params = required(method);
                params.insert(parameter.name.into(), wrong.clone());
                let (code, message) = net.refusal(method.name, params.into()).await;
                assert_eq!(code, -32_602, "{} {}={wrong}", method.name, parameter.name);
                assert!(message.starts_with(parameter.name), "{message}");
                assert!(!message.contains('\u{1b}'), "{message:?}");
                checked += 1;
            }
            if parameter.required {
                let mut params = required(method);
                params.remove(parameter.name);
                assert_eq!(net.refusal(method.name, params.into()).await.0, -32_602);
            }
        }
        let mut params = required(method);
        params.insert("nosuch".into(), json!(1));
        assert_eq!(net.refusal(method.name, params.into()).await.0, -32_602);
        let many = vec![Value::Null; method.parameters.len() + 1];
        assert_eq!(net.refusal(method.name, many.into()).await.0, -32_602);
    }
    assert!(checked > 200, "{checked}");
}

#[test]
fn the_book_lists_every_method() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/src/rpc.md");
    let page = std::fs::read_to_string(path).unwrap();
    for method in methods() {
        let name = method.name;
        let is_listed = page.contains(&format!("`{name}`")) || page.contains(&format!("`{name} "));
        assert!(is_listed, "{name}");
    }
}

#[tokio::test]
async fn parameters_come_by_name_or_in_order() {
    let net = Net::start(false);
    let by_name = net.call("getblockhash", json!({"height": 0})).await;
    let in_order = net.call("getblockhash", json!([0])).await;
    assert_eq!(by_name, in_order);
    assert_eq!(net.call("getbestblockhash", json!([])).await, in_order);
    assert_eq!(net.call("getbestblockhash", Value::Null).await, in_order);
}

#[tokio::test]
async fn help_knows_every_method_by_its_only_name() {
    let net = Net::start(false);
    let help = net.call("help", json!({})).await;
    let mut names = BTreeSet::new();
    for method in methods() {
        assert!(names.insert(method.name), "{} is there twice", method.name);
        assert!(help.as_str().unwrap().contains(&method.usage()));
        let one = net.call("help", json!({"command": method.name})).await;
        for parameter in method.parameters {
            assert!(one.as_str().unwrap().contains(parameter.help));
        }
        assert!(find(method.name).is_some());
    }
    assert_eq!(net.refusal("help", json!({"command": "nosuch"})).await.0, -32_601);
}
