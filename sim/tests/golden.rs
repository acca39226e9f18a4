//! The digests of all scenarios are committed: a change of behaviour does not pass unnoticed, and
//! every machine computes the same runs.

mod support;

use camelid_sim::run;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::Mutex;

const SEEDS: [u64; 1] = [0];
const REFRESH: &str = "if the change of behaviour is meant, refresh with\n  \
    UPDATE_GOLDEN=1 cargo test -p camelid-sim --test golden";

#[test]
fn digests_are_the_committed_ones() {
    let digests = Mutex::new(BTreeMap::new());
    support::for_all(|scenario| {
        for seed in SEEDS {
            let report = run(scenario, seed).report;
            assert!(
                report.violations.is_empty(),
                "{} {seed}: {:?}",
                scenario.name,
                report.violations
            );
            let known = camelid_sim::event::names();
            let unknown = report.counts.keys().find(|name| !known.contains(name));
            assert_eq!(
                unknown, None,
                "{} {seed}: scenarios cannot name it",
                scenario.name
            );
            let mut digests = digests.lock().expect("no other run has failed");
            let before = digests.insert((scenario.name.clone(), seed), report.digest.to_string());
            assert_eq!(before, None, "two scenarios are called {}", scenario.name);
        }
    });
    let digests = digests.into_inner().expect("no run has failed");
    let distinct: BTreeSet<&String> = digests.values().collect();
    assert_eq!(distinct.len(), digests.len(), "two runs have the same digest");

    let mut lines = String::new();
    for ((name, seed), digest) in &digests {
        writeln!(lines, "{name} {seed} {digest}").expect("memory");
    }
    let path = support::folder().join("golden-digests.txt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, lines).expect("the folder of scenarios is writable");
        return;
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    let differ: Vec<&str> = lines
        .lines()
        .filter(|line| !committed.lines().any(|other| other == *line))
        .collect();
    assert!(
        differ.is_empty(),
        "not committed:\n{}\n{REFRESH}",
        differ.join("\n")
    );
    assert_eq!(
        committed.lines().count(),
        digests.len(),
        "digests of no scenario are committed; {REFRESH}"
    );
}
