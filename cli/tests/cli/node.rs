//! `camelid node`.

use super::nodes::{found, record, until};
use super::support::Place;
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStderr, Command, Stdio};

/// A node that runs, killed when a test ends early.
struct Running {
    child: Child,
    /// `None` once nobody reads it any more.
    log: Option<Lines<BufReader<ChildStderr>>>,
}

impl Running {
    fn start(place: &Place, dir: &str, flags: &[&str]) -> Self {
        let mut child = Command::new(assert_cmd::cargo::cargo_bin("camelid"))
            .args(["node", "run", "--log-format", "json", "--dir"])
            .arg(place.path(dir))
            .args(flags)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it runs");
        let log = BufReader::new(child.stderr.take().expect("a pipe")).lines();
        let log = Some(log);
        Self { child, log }
    }

    /// Waits for a log line with this message, and returns its fields.
    fn wait_for(&mut self, message: &str) -> Value {
        for line in self.log.iter_mut().flatten() {
            let Ok(line) = serde_json::from_str::<Value>(&line.expect("UTF-8")) else {
                continue;
            };
            if line["fields"]["message"] == message {
                return line["fields"].clone();
            }
        }
        panic!("the log ended without {message:?}");
    }

    fn terminate(mut self) -> Option<i32> {
        let terminated = Command::new("kill").arg(self.child.id().to_string()).status();
        assert!(terminated.expect("there is a kill").success());
        // Whoever does not read its log does not let it go.
        let lines = self.log.iter_mut().flatten().map_while(Result::ok);
        let last: Vec<String> = lines.collect();
        let code = self.child.wait().expect("it ends").code();
        if code != Some(0) {
            eprintln!("{}", last[last.len().saturating_sub(5)..].join("\n"));
        }
        code
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_node_goes_on_when_nobody_reads_its_log() {
    let place = Place::new();
    found(&place, &["miner"]);
    let mut node = Running::start(&place, "miner", &[]);
    node.wait_for("tip-extended");
    node.log = None;
    let height = record(&place, "chain info", "miner")["blocks"].as_u64();
    until(&place, "chain info", "miner", |info| {
        info["blocks"].as_u64() > height
    });
    assert_eq!(node.terminate(), Some(0));
}

#[test]
fn a_node_stops_on_sigterm_and_goes_on_where_it_was() {
    let place = Place::new();
    let made = place.camelid("node init --dir a --role miner --hashes-per-second 0");
    assert_eq!(made.code, 0, "{}", made.stderr);
    let mut node = Running::start(&place, "a", &[]);
    assert_eq!(node.wait_for("recovered")["height"], 0);
    node.wait_for("tip-extended");
    let second = place.camelid("node run --dir a");
    assert_eq!(second.code, 3);
    assert!(
        second.stderr.contains("another node runs in this directory"),
        "{}",
        second.stderr
    );
    assert_eq!(node.terminate(), Some(0));

    let mut node = Running::start(&place, "a", &["--role", "full"]);
    let height = node.wait_for("recovered")["height"].as_u64();
    assert!(height >= Some(1), "{height:?}");
    assert_eq!(node.terminate(), Some(0));
}

#[test]
fn two_nodes_of_one_genesis_find_each_other() {
    let place = Place::new();
    assert_eq!(place.camelid("node init --dir a --role miner").code, 0);
    assert_eq!(
        place.camelid("node init --dir b --genesis a/genesis.toml").code,
        0
    );
    // A port that is free now is free in a moment, too, but for a race that costs this test alone.
    let free = std::net::UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
    let free = free.expect("a port").to_string();
    let miner = Running::start(&place, "a", &["--listen", &free]);
    let mut other = Running::start(&place, "b", &["--seed-node", &free]);
    assert_eq!(other.wait_for("recovered")["height"], 0);
    other.wait_for("tip-extended");
    assert_eq!(other.terminate(), Some(0));
    assert_eq!(miner.terminate(), Some(0));
}

#[test]
fn what_is_there_stays_and_what_does_not_fit_is_refused() {
    let place = Place::new();
    assert_eq!(place.camelid("node init --dir a").code, 0);
    let key = fs::read(place.path("a/node.key")).expect("a key");
    let again = place.camelid("node init --dir a");
    assert_eq!(again.code, 3);
    assert!(again.stderr.contains("is there already"), "{}", again.stderr);
    assert_eq!(fs::read(place.path("a/node.key")).expect("a key"), key);

    assert_eq!(place.camelid("node run --dir nowhere").code, 3);
    place.write("a/camelid.toml", "listen = \"nowhere\"\n");
    let wrong = place.camelid("node run --dir a");
    assert_eq!(wrong.code, 3);
    assert!(wrong.stderr.contains("listen"), "{}", wrong.stderr);
    place.write(
        "bad.toml",
        "begins = 1\n[[allocations]]\naddress = \"me\"\ncoins = 1\nparts = 1\n",
    );
    assert_eq!(place.camelid("node init --dir b --genesis bad.toml").code, 3);
}

#[test]
fn several_nodes_get_coins_in_one_genesis_and_keys_may_be_encrypted() {
    let place = Place::new();
    place.write("password", "correct horse\n");
    let a = place.camelid("node init --dir a --password-file password");
    let b = place.camelid("node init --dir b");
    assert!(place.path("a/node.wallet").exists() && !place.path("a/node.key").exists());
    let founded = place.camelid("node genesis a b --password-file password");
    assert_eq!(founded.code, 0, "{}", founded.stderr);
    let genesis = fs::read_to_string(place.path("a/genesis.toml")).expect("a genesis");
    assert_eq!(
        fs::read_to_string(place.path("b/genesis.toml")).expect("a genesis"),
        genesis
    );
    for id in [a.stdout.trim(), b.stdout.trim()] {
        assert!(genesis.contains(id), "{id} in {genesis}");
    }
    place.write("wrong", "battery staple\n");
    assert_eq!(place.camelid("node run --dir a --password-file wrong").code, 7);
}
