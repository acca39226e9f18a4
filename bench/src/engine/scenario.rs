//! Fifty production nodes.

use camelid_core::keys::{EcdsaVerifier, SharedVerifier};
use camelid_sim::scenario::Scenario;
use camelid_sim::{MemoVerifier, Outcome, judge_with};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The benchmark's scenario.
pub(crate) fn load() -> Scenario {
    Scenario::parse(include_str!("../../fifty-nodes.toml"), "fifty-nodes.toml")
        .expect("the file is in the repository")
}

/// Runs it: events, and the time they took.
pub(crate) fn run(scenario: &Scenario, memoised: bool) -> (u64, Duration) {
    let verifier: SharedVerifier = if memoised {
        Arc::new(MemoVerifier::new())
    } else {
        Arc::new(EcdsaVerifier)
    };
    let start = Instant::now();
    let report = judge_with(scenario, 0, &verifier);
    let elapsed = start.elapsed();
    assert_eq!(report.outcome, Outcome::Pass, "{:?}", report.violations);
    (report.events, elapsed)
}
