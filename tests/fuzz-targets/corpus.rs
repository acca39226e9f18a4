//! The fuzz targets over their committed seeds, and over bytes at random.
#![allow(clippy::unwrap_used)] // in helpers too a panic is the test's failure

use camelid_tests::{DECODERS, branches, decoders, scripts};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::path::PathBuf;

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../fuzz/seeds")
        .join(target);
    let files = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

#[test]
fn every_decoder_has_a_seed_that_decodes() {
    let decoded: BTreeSet<_> = seeds("decoders")
        .iter()
        .filter_map(|seed| decoders(seed))
        .collect();
    let all: BTreeSet<_> = DECODERS.iter().map(|(name, _)| *name).collect();
    assert_eq!(decoded, all);
}

#[test]
fn seeds_of_scripts_reach_both_verdicts() {
    let verdicts: Vec<_> = seeds("scripts").iter().filter_map(|seed| scripts(seed)).collect();
    assert!(verdicts.contains(&Ok(())));
    let reasons: BTreeSet<_> = verdicts
        .iter()
        .filter_map(|verdict| verdict.err())
        .map(|e| e.to_string())
        .collect();
    assert!(reasons.len() >= 5, "{reasons:?}");
}

#[test]
fn seeds_of_branches_reorganise_and_hold_invalid_blocks() {
    let told: Vec<_> = seeds("branches").iter().map(|seed| branches(seed)).collect();
    assert!(told.iter().any(|told| told.reorganisations >= 3), "{told:?}");
    assert!(told.iter().any(|told| told.invalid >= 3));
    assert!(told.iter().any(|told| told.height >= 10));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn bytes_at_random_break_nothing(data in prop::collection::vec(any::<u8>(), 0..400)) {
        decoders(&data);
        scripts(&data);
    }

    #[test]
    fn branches_at_random_end_equal(data in prop::collection::vec(any::<u8>(), 0..200)) {
        branches(&data);
    }
}
