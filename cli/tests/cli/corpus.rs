//! The committed traces replay, and what they show is still so. `make traces` records them anew.

use crate::support::Ran;
use assert_cmd::Command;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Largest trace of the corpus: it is there to be read and sent, not to be long.
const MAX_BYTES: u64 = 64 << 10;
const REFRESH: &str = "if the change of behaviour is meant, run `make traces` and look at totals.ndjson";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Runs `camelid ARGS` (words) where the repository begins.
fn camelid(args: &str) -> Ran {
    let mut command = Command::cargo_bin("camelid").expect("the binary");
    let command = command.current_dir(root()).args(args.split_whitespace());
    Ran::from(command.output().expect("it runs"))
}

/// Names of the corpus's files with this extension, without it, in order.
fn names(extension: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(root().join("scenarios/traces")).expect("the corpus");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let paths = paths.filter(|path| path.extension().is_some_and(|found| found == extension));
    let name = |path: PathBuf| path.file_stem().expect("a name").to_string_lossy().into_owned();
    paths.map(name).collect()
}

fn trace_path(name: &str) -> String {
    format!("scenarios/traces/{name}.trace")
}

/// The last record of `camelid rastic replay`.
fn summary(name: &str) -> String {
    let ran = camelid(&format!(
        "rastic replay {} --samples 1..9 --json",
        trace_path(name)
    ));
    assert_eq!(ran.code, 0, "{name}: {} {REFRESH}", ran.stderr);
    ran.stdout.lines().last().expect("a summary").into()
}

fn totals(name: &str) -> (u64, Vec<Value>) {
    let summary: Value = serde_json::from_str(&summary(name)).expect("JSON");
    let totals = summary["totals"].as_array().expect("a list").clone();
    (summary["claims"].as_u64().expect("a number"), totals)
}

#[test]
fn each_scenario_has_one_small_trace() {
    let recorded: BTreeSet<String> = names("toml")
        .iter()
        .map(|name| format!("trace-{name}-1"))
        .collect();
    assert_eq!(names("trace"), recorded, "{REFRESH}");
    for name in recorded {
        let bytes = fs::metadata(root().join(trace_path(&name)))
            .expect("a file")
            .len();
        assert!(bytes <= MAX_BYTES, "{name} has {bytes} bytes");
    }
}

#[test]
fn all_traces_replay() {
    let paths: Vec<String> = names("trace").iter().map(|name| trace_path(name)).collect();
    assert!(!paths.is_empty(), "{REFRESH}");
    let ran = camelid(&format!("sim replay {}", paths.join(" ")));
    assert_eq!(ran.code, 0, "{}{}{REFRESH}", ran.stdout, ran.stderr);
}

#[test]
fn all_totals_are_the_committed_ones() {
    let committed = fs::read_to_string(root().join("scenarios/traces/totals.ndjson")).unwrap_or_default();
    let found: Vec<String> = names("trace").iter().map(|name| summary(name)).collect();
    assert_eq!(found, committed.lines().collect::<Vec<_>>(), "{REFRESH}");
}

#[test]
fn swapped_tokens_are_found_as_often_as_samples_fall_on_them() {
    let (claims, totals) = totals("trace-substitution-1");
    assert!(claims > 0);
    for total in totals {
        let found = match (total["spec"].as_str(), total["samples"].as_u64()) {
            (Some("v1-repaired"), Some(samples)) => samples as f64 / 22.0,
            (Some("v2"), None) => 1.0,
            // Whatever it draws, the rule for the last token condemns outputs of full length.
            _ => continue,
        };
        let expected = total["expected_invalid"].as_f64().expect("a number");
        assert!((expected - found * claims as f64).abs() < 1e-9, "{total}");
    }
}

#[test]
fn only_the_paper_rejects_honest_outputs() {
    for name in [
        "trace-honest-as-written-1",
        "trace-draw-in-prompt-1",
        "trace-crash-1",
    ] {
        let (claims, totals) = totals(name);
        assert!(claims > 0, "{name}");
        for total in totals {
            let rejected = total["expected_invalid"].as_f64().expect("a number");
            if total["spec"] == "v1-as-written" {
                assert!(rejected > 0.0, "{name}: {total}");
            } else {
                assert_eq!(rejected, 0.0, "{name}: {total}");
                assert_eq!(total["slashed"], "0.00000000", "{name}");
            }
        }
    }
}

#[test]
fn what_never_opened_is_no_claim() {
    for name in ["trace-garbage-ciphertext-1", "trace-withheld-1"] {
        assert_eq!(totals(name).0, 0, "{name}");
    }
}
