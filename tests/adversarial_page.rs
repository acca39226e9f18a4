//! `docs/src/adversarial.md` and the tests that it names.
#![allow(clippy::unwrap_used)] // in helpers too a panic is the test's failure

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Names of the functions under `#[test]` in these folders.
fn tests_in(folders: &[&str]) -> BTreeSet<String> {
    let mut paths = Vec::new();
    for folder in folders {
        sources(&root().join(folder), &mut paths);
    }
    let mut names = BTreeSet::new();
    for path in paths {
        let source = std::fs::read_to_string(&path).unwrap();
        let mut is_test = false;
        for line in source.lines().map(str::trim) {
            if line == "#[test]" {
                is_test = true;
            } else if let Some(rest) = line.strip_prefix("fn ").filter(|_| is_test) {
                names.extend(rest.split('(').next().map(str::to_owned));
                is_test = false;
            }
        }
    }
    names
}

/// What stands between backticks in the last column of the page's tables.
fn named() -> Vec<String> {
    let page = std::fs::read_to_string(root().join("docs/src/adversarial.md")).unwrap();
    let rows = page.lines().filter(|line| line.starts_with('|'));
    let cells = rows.filter_map(|row| row.trim_end_matches('|').rsplit('|').next());
    let names = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2).map(str::to_owned));
    names.collect()
}

#[test]
fn every_named_attack_is_a_test_and_every_test_of_one_is_named() {
    let names = named();
    let listed: BTreeSet<String> = names.iter().cloned().collect();
    assert_eq!(listed.len(), names.len(), "a test is named twice");
    assert!(listed.len() > 40);
    let all = tests_in(&["core", "io-adapters", "sim", "tests", "wallet"]);
    let missing: Vec<_> = listed.difference(&all).collect();
    assert!(missing.is_empty(), "no such tests: {missing:?}");
    let attacks = tests_in(&["core/tests/adversarial"]);
    let unlisted: Vec<_> = attacks.difference(&listed).collect();
    assert!(unlisted.is_empty(), "not on the page: {unlisted:?}");
}
