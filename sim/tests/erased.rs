//! How often a secret branch erases a transaction, beside the formula for the race.
//!
//! The attacker begins when the transaction is mined, shows the branch when the transaction has `z`
//! confirmations and the branch is longer, and gives up when the branch is more than [`PATIENCE`] blocks
//! behind. While the public chain finds its next `z - 1` blocks, the attacker finds as many as a negative
//! binomial says (Rosenfeld, "Analysis of hashrate-based double-spending", 2012, section 4; Nakamoto takes a
//! Poisson distribution for it); from there on it is the gambler's ruin between two ends.

mod support;

use camelid_sim::run;
use camelid_sim::scenario::Scenario;
use camelid_sim::strategy::PATIENCE;
use support::parse;

/// Trials in a run.
const TRIALS: u64 = 32;
/// Time for a trial; one that lasts into the next would take its place.
const EVERY_MS: u64 = 3_000_000;

/// Two nodes, one of them the attacker, which has `attacker` of 100 parts of the hash power.
fn scenario(attacker: u64, confirmations: u64) -> Scenario {
    let (honest, until_ms) = (100 - attacker, TRIALS * EVERY_MS);
    parse(&format!(
        r#"
name = "race"
about = "A client with hash power takes its escrows back."

[run]
until_ms = {until_ms}
heal_at_ms = 0

[network]
peers = 1
latency_ms = 1
disk_ms = 0

[[nodes]]
name = "miner"
roles = ["miner"]
hash_power = {honest}

[[nodes]]
name = "eraser"
roles = ["client", "miner"]
strategy = "erase-open"
level = {confirmations}
hash_power = {attacker}
coins = {TRIALS}

[[jobs]]
client = "eraser"
count = {TRIALS}
start_ms = 60_000
every_ms = {EVERY_MS}
deadline_blocks = 200

[expect]
always = []
sometimes = [{{ event = "job-open" }}]
"#
    ))
}

/// Trials in so many runs, and how many of them succeeded.
fn measure(runs: u64, attacker: u64, confirmations: u64) -> (u64, u64) {
    let scenario = scenario(attacker, confirmations);
    let runs = (0..runs).map(|seed| run(&scenario, seed).report.counts);
    runs.fold((0, 0), |(trials, erased), counts| {
        let count = |event| counts.get(event).copied().unwrap_or(0);
        (trials + count("job-open"), erased + count("attack:erase-open"))
    })
}

/// Probability that an attacker with the share `q` erases a transaction with `z` confirmations.
fn formula(q: f64, z: u64) -> f64 {
    let p = 1.0 - q;
    let end = i32::try_from(PATIENCE).expect("a few blocks") + 1;
    // From `behind` blocks behind to one ahead, before `end` behind.
    let ruin = |behind: i32| match behind {
        ..=-1 => 1.0,
        behind if behind >= end => 0.0,
        behind => {
            let ratio = q / p;
            (ratio.powi(behind + 1) - ratio.powi(end + 1)) / (1.0 - ratio.powi(end + 1))
        }
    };
    let z = i32::try_from(z).expect("a few blocks");
    // The attacker has found k blocks when the public chain finds its z-th; z - 1 of them after the first.
    let (mut sum, mut weight) = (0.0, p.powi(z - 1));
    for k in 0..200 {
        sum += weight * ruin(z - k);
        weight *= q * f64::from(z - 1 + k) / f64::from(k + 1);
    }
    sum
}

#[test]
fn the_formula_is_that_of_the_paper() {
    // Rosenfeld's table 1, in which the attacker has found a block before: q = 10 %, one
    // confirmation 20 %, six 0.059 %. Without that block it is the row of one confirmation more, and
    // without the patience it is this sum.
    let unbounded = |q: f64, z: i32| {
        let p = 1.0 - q;
        let (mut sum, mut weight) = (1.0, p.powi(z));
        for k in 0..=z {
            sum -= weight - (q / p).powi(z - k) * weight;
            weight *= q * f64::from(z + k) / f64::from(k + 1);
        }
        sum
    };
    assert!((unbounded(0.1, 1) - 0.2).abs() < 1e-9);
    assert!((unbounded(0.1, 6) - 0.000_591).abs() < 1e-6);
    assert!(formula(0.1, 1) < unbounded(0.1, 1));
}

#[test]
fn branches_win_as_often_as_the_formula_says() {
    compare(1);
}

#[test]
#[ignore = "minutes"]
fn branches_win_as_often_as_the_formula_says_in_many_trials() {
    compare(10);
}

fn compare(runs: u64) {
    for (attacker, confirmations) in [(20, 1), (30, 3)] {
        let (trials, erased) = measure(runs, attacker, confirmations);
        let expected = formula(attacker as f64 / 100.0, confirmations);
        let measured = erased as f64 / trials as f64;
        let deviation = (expected * (1.0 - expected) / trials as f64).sqrt();
        assert!(
            (measured - expected).abs() < 4.0 * deviation,
            "{attacker} % of the hash power, {confirmations} confirmations: {erased} of {trials} erased, \
            {:.1} % expected",
            100.0 * expected
        );
    }
}
