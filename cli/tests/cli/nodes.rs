//! Nodes that are processes of their own.

use super::support::Place;
use serde_json::Value;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Nothing in these tests takes as long.
const PATIENCE: Duration = Duration::from_secs(120);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(50);

/// A node that runs until this is dropped.
pub struct Running(Child);

impl Running {
    /// Starts the node in `dir` and returns it once it says where it listens.
    pub fn start(place: &Place, dir: &str, seed: Option<&str>) -> (Self, String) {
        let log = File::options()
            .create(true)
            .append(true)
            .open(place.path(&format!("{dir}.log")));
        let mut command = Command::new(assert_cmd::cargo::cargo_bin("camelid"));
        command.args(["node", "run", "--dir"]).arg(place.path(dir));
        command.args(seed.into_iter().flat_map(|seed| ["--seed-node", seed]));
        command.stdout(Stdio::piped()).stderr(log.expect("a log"));
        let mut child = command.spawn().expect("it runs");
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        stdout.read_line(&mut line).expect("UTF-8");
        let address = line.trim().rsplit(' ').next().unwrap_or_default().to_owned();
        assert!(line.contains(" listens on "), "{dir}: {line:?}");
        (Self(child), address)
    }

    /// SIGKILL: nothing is finished, nothing is tidied up.
    pub fn kill(&mut self) {
        self.0.kill().expect("it ran");
        self.0.wait().expect("it is gone");
    }

    /// The exit code of a node that was told to stop.
    pub fn wait(mut self) -> Option<i32> {
        self.0.wait().expect("it ends").code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// `camelid ARGS --dir DIR --json`, its records.
pub fn records(place: &Place, args: &str, dir: &str) -> Vec<Value> {
    let ran = place.camelid(&format!("{args} --dir {dir} --json"));
    assert_eq!(ran.code, 0, "{args}: {}", ran.stderr);
    let lines = ran.stdout.lines();
    lines
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

/// The only record of a command.
pub fn record(place: &Place, args: &str, dir: &str) -> Value {
    let mut records = records(place, args, dir);
    assert_eq!(records.len(), 1, "{args}");
    records.remove(0)
}

/// The record of a command once it is as wanted.
pub fn until(place: &Place, args: &str, dir: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let end = Instant::now() + PATIENCE;
    loop {
        let found = record(place, args, dir);
        if wanted(&found) {
            return found;
        }
        assert!(
            Instant::now() < end,
            "{args} does not become what is wanted: {found}"
        );
        sleep(PAUSE);
    }
}

/// Waits until these words are in the log of a node that [`Running::start`] has started.
pub fn until_logged(place: &Place, dir: &str, words: &str) {
    let end = Instant::now() + PATIENCE;
    loop {
        let log = fs::read_to_string(place.path(&format!("{dir}.log"))).expect("a log");
        if log.contains(words) {
            return;
        }
        assert!(Instant::now() < end, "{dir} never says {words:?}");
        sleep(PAUSE);
    }
}

/// Directories for nodes on a devnet of their own, each named after its role, with a number behind it or not.
pub fn found(place: &Place, dirs: &[&str]) {
    for dir in dirs {
        let role = dir.trim_end_matches(char::is_numeric);
        // Every block is flushed.
        let made = place.camelid(&format!("node init --dir {dir} --role {role} --cache-mib 0"));
        assert_eq!(made.code, 0, "{}", made.stderr);
    }
    let founded = place.camelid(&format!("node genesis {}", dirs.join(" ")));
    assert_eq!(founded.code, 0, "{}", founded.stderr);
}
