//! How often a client's draws catch a cheat, and what jobs that are alike share.

mod support;

use camelid_core::keys::SharedVerifier;
use camelid_core::process::Command;
use camelid_sim::scenario::Setup;
use camelid_sim::{MemoVerifier, Run, run};
use std::sync::Arc;
use support::parse;

/// A cheat who swaps one token in each of 60 outputs of 50 tokens. The client draws half of the 48
/// interior ones.
const SUBSTITUTIONS: &str = r#"
name = "substitutions"
about = "Each output has one inconsistent position."

[run]
until_ms = 2_400_000
heal_at_ms = 1_200_000

[network]
peers = 2

[model]
end_permille = 0
token_ms = 1

[[nodes]]
name = "miner"
roles = ["miner"]

[[nodes]]
name = "cheat"
roles = ["worker"]
strategy = "substitution"
coins = 80

[[nodes]]
name = "client"
roles = ["client"]
coins = 80

[[jobs]]
client = "client"
count = 60
start_ms = 1_000
every_ms = 1_000
max_tokens = 50
spec = "v1-repaired"
samples = 24

[expect]
sometimes = [{ event = "judged-invalid" }]
"#;

const JOBS: u64 = 60;

#[test]
fn half_of_the_positions_catch_half_of_the_cheats() {
    let Run { report, .. } = run(&parse(SUBSTITUTIONS), 1);
    assert_eq!(report.violations, []);
    let count = |event: &str| report.counts.get(event).copied().unwrap_or_default();
    let (invalid, valid) = (count("judged-invalid"), count("judged-valid"));
    assert_eq!(invalid + valid, JOBS, "all are judged");
    // Four standard deviations of a binomial count: 4 sqrt(60 / 4) = 15.5.
    assert!(invalid.abs_diff(JOBS / 2) <= 15, "{invalid} of {JOBS}");
}

#[test]
fn jobs_that_are_alike_ask_for_the_same() {
    let requests = |alike: &str| -> Vec<_> {
        let jobs = format!("start_ms = 1_000\ncount = 3\n{alike}");
        let text = support::SMALL.replace("start_ms = 1_000", &jobs);
        let verifier: SharedVerifier = Arc::new(MemoVerifier::new());
        let setup = Setup::draw(&parse(&text), 5, &verifier);
        let prompts = setup.jobs.into_iter().map(|job| match job.command {
            Command::OpenJob(request) => (request.prompt, request.max_tokens, request.seed),
            other => panic!("a scenario's jobs are jobs: {other:?}"),
        });
        prompts.collect()
    };
    let (alike, different) = (requests("alike = true"), requests(""));
    assert_eq!(alike.len(), 3);
    assert!(alike.iter().all(|request| *request == alike[0]));
    assert_eq!(alike[0], different[0]);
    assert!(different[1] != different[0] && different[2] != different[0]);
}
