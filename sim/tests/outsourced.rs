//! Outsourced checks: how often planted errors catch checkers that do not check.

mod support;

use camelid_sim::run;

/// One client and five checkers, all of which run `strategy`, on a network without losses: every
/// question is asked, and answered, once.
fn scenario(strategy: &str, canary_permille: u64) -> String {
    format!(
        r#"
name = "rates"
about = "Counts questions and convictions."

[run]
until_ms = 1_200_000
heal_at_ms = 1_000

[network]
peers = 7

[model]
end_permille = 0

[[nodes]]
name = "miner"
roles = ["miner"]

[[nodes]]
name = "worker"
roles = ["worker"]
coins = 4

[[nodes]]
name = "client"
roles = ["client"]
verify = "outsourced"
canary_permille = {canary_permille}
coins = 4

[[nodes]]
name = "checker"
count = 5
roles = ["checker"]
strategy = "{strategy}"

[[jobs]]
client = "client"
count = 4
start_ms = 1_000
every_ms = 1_000

[expect]
sometimes = [{{ event = "check-requested" }}]
"#
    )
}

/// Answers of the checkers, and how many of them gave their author away, over so many seeds.
fn rates(strategy: &str, canary_permille: u64, seeds: u64) -> (u64, u64) {
    let scenario = support::parse(&scenario(strategy, canary_permille));
    let (mut answers, mut caught) = (0, 0);
    for seed in 0..seeds {
        let report = run(&scenario, seed).report;
        assert_eq!(report.violations, []);
        let count = |event: &str| report.counts.get(event).copied().unwrap_or_default();
        answers += count(&format!("attack:{strategy}"));
        caught += count("canary-failed");
    }
    (answers, caught)
}

/// Is `caught` of `answers` within five standard deviations of `permille` thousandths?
fn assert_rate(answers: u64, caught: u64, permille: u64) {
    let difference = (caught * 1_000).abs_diff(answers * permille);
    assert!(
        difference * difference <= 25 * answers * permille * (1_000 - permille),
        "{caught} of {answers} is not {permille}/1000"
    );
}

#[test]
fn an_echo_is_caught_by_every_planted_error() {
    let (answers, caught) = rates("echo-checker", 300, 12);
    assert!(answers >= 100, "only {answers} answers");
    assert_rate(answers, caught, 300);
    let (answers, caught) = rates("echo-checker", 1_000, 1);
    assert_eq!(answers, caught);
}

#[test]
fn without_planted_errors_nobody_is_caught() {
    let (answers, caught) = rates("echo-checker", 0, 2);
    assert!(answers >= 12, "only {answers} answers");
    assert_eq!(caught, 0);
}
