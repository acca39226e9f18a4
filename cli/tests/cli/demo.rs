//! `camelid demo`.

use super::support::Place;
use serde_json::Value;
use std::net::SocketAddr;

/// Ports below are those of services; what the system hands out lies above, on every system.
const FIRST_EPHEMERAL: u16 = 10_000;

fn records(stdout: &str) -> Vec<Value> {
    let parse = |line| serde_json::from_str(line).expect("JSON");
    stdout.lines().map(parse).collect()
}

/// The phases of a job, each once, in the order in which they came first.
fn phases(records: &[Value], job: u64) -> Vec<&str> {
    let mut phases = Vec::new();
    let of_job = records.iter().filter(|record| record["job"] == job);
    for phase in of_job.filter_map(|record| record["phase"].as_str()) {
        if !phases.contains(&phase) {
            phases.push(phase);
        }
    }
    phases
}

fn balance(records: &[Value], name: &str) -> f64 {
    let number = |value: &Value| value.as_str().and_then(|text| text.parse::<f64>().ok());
    records
        .iter()
        .find(|record| record["schema"] == "camelid.demo.balance.v1" && record["name"] == name)
        .and_then(|record| Some(number(&record["after"])? - number(&record["before"])?))
        .expect("a balance")
}

#[test]
fn one_job_settles_and_the_cheat_is_slashed() {
    let ran = Place::new().camelid("demo --json");
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let records = records(&ran.stdout);
    let summary = records.last().expect("a summary");
    assert_eq!(summary["schema"], "camelid.demo.v1");
    assert_eq!(summary["honest_settled"], true);
    assert_eq!(summary["cheater_slashed"], true);
    assert!(summary["blocks"].as_u64() > Some(20), "{summary}");

    let begin = [
        "opened",
        "accepted",
        "generated",
        "engaged",
        "delivered",
        "checked",
    ];
    assert_eq!(phases(&records, 1), [&begin[..], &["settled"]].concat());
    let dispute = ["claimed", "seats", "vote", "ballot", "slashed"];
    assert_eq!(phases(&records, 2), [&begin[..], &dispute].concat());
    let delivered = records.iter().filter(|record| record["phase"] == "delivered");
    assert!(
        delivered
            .into_iter()
            .all(|record| record["text"].as_str().is_some_and(|text| !text.is_empty()))
    );

    assert!((balance(&records, "honest-worker") - 0.5).abs() < 0.01);
    assert!((balance(&records, "cheating-worker") + 32.0).abs() < 0.01);
}

#[test]
fn interrupted_it_says_so_and_all_ports_were_free_ones() {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};
    let mut child = Command::new(assert_cmd::cargo::cargo_bin("camelid"))
        .args(["demo", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it runs");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let network: Value = serde_json::from_str(&lines.next().expect("a line").expect("UTF-8")).expect("JSON");
    let nodes = network["nodes"].as_array().expect("nodes");
    let listening: Vec<SocketAddr> = nodes
        .iter()
        .filter_map(|node| node["listens"].as_str())
        .map(|address| address.parse().expect("an address"))
        .collect();
    assert_eq!(listening.len(), nodes.len() - 1, "the cheat comes later");
    for address in listening {
        assert!(
            address.ip().is_loopback() && address.port() >= FIRST_EPHEMERAL,
            "{address}"
        );
    }
    let interrupt = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(interrupt.expect("there is a kill").success());
    assert_eq!(child.wait().expect("it ends").code(), Some(8));
}
