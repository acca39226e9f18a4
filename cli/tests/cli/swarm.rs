//! `camelid sim run --swarm` and `camelid sim shrink`.

use crate::support::{Place, scenario, sound};
use serde_json::Value;
use std::fs;

fn records(stdout: &str) -> Vec<Value> {
    let parse = |line| serde_json::from_str(line).expect("each line is JSON");
    stdout.lines().map(parse).collect()
}

/// A scenario that fails under every seed: a job that is settled, which must not be.
fn failing() -> String {
    let expect = "never = [\"job-engaged\"]\nsometimes = [{ event = \"tip-extended\" }]";
    let faults = "[[faults]]\nkind = \"crash\"\nfor_ms = 5\nat_ms = 70_000\nnodes = [\"miner\"]\n\n[expect]";
    scenario("fails", expect).replace("[expect]", faults)
}

#[test]
fn each_seed_is_a_line_that_says_what_was_drawn() {
    let place = Place::new();
    let one = place.sim("run --swarm --seeds 5..13 -j 1");
    let two = place.sim("run --swarm --seeds 5..13 -j 3");
    assert_eq!((one.code, two.code), (0, 0), "{}{}", one.stdout, one.stderr);
    let lines: Vec<&str> = one.stdout.lines().collect();
    assert_eq!(lines.len(), 9);
    for (line, seed) in lines.iter().zip(5..13) {
        assert!(line.starts_with(&format!("{seed} pass  ")), "{line}");
        assert!(line.contains(" miner, ") && line.contains(" jobs; "), "{line}");
    }
    assert!(
        lines[8].starts_with("8 runs: 8 passed, 0 failed; "),
        "{}",
        lines[8]
    );
    let drawn = |ran: &str| ran.lines().take(8).map(String::from).collect::<Vec<_>>();
    assert_eq!(drawn(&one.stdout), drawn(&two.stdout));
}

#[test]
fn records_hold_the_features_and_the_run() {
    let place = Place::new();
    let ran = place.sim("run --swarm --seeds 0..3 --json");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let records = records(&ran.stdout);
    assert_eq!(records.len(), 4);
    for (record, seed) in records[..3].iter().zip(0..) {
        assert_eq!(record["schema"], "camelid.sim.swarm.v1");
        assert_eq!(record["seed"], seed);
        assert_eq!(record["run"]["schema"], "camelid.sim.run.v1");
        assert_eq!(record["run"]["scenario"], format!("swarm-{seed}"));
        assert!(record["features"].is_array() && record["nodes"]["miner"].is_u64());
        assert!(record["minimal"].is_null() && record["drawn"].is_null());
    }
    assert_eq!(records[3]["schema"], "camelid.sim.swarm.summary.v1");
    assert_eq!(
        (&records[3]["runs"], &records[3]["passed"]),
        (&3.into(), &3.into())
    );
}

#[test]
fn what_was_drawn_replays_from_its_trace() {
    let place = Place::new();
    let ran = place.sim("run --swarm --seed 7 --trace-dir traces");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(place.sim("replay traces/swarm-7-7.trace").code, 0);
}

#[test]
fn a_swarm_takes_no_paths_and_a_run_needs_some() {
    let place = Place::new();
    place.write("a.toml", sound("a"));
    for words in [
        "run",
        "run --swarm a.toml",
        "shrink",
        "shrink a.toml --max-runs x",
    ] {
        assert_eq!(place.sim(words).code, 2, "{words}");
    }
}

#[test]
fn a_failing_scenario_is_shrunk_to_a_file_that_fails_alike() {
    let place = Place::new();
    place.write("fails.toml", failing());
    let ran = place.sim("shrink fails.toml --seed 3 --failures out");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        ran.stdout.contains("violates:  never:job-engaged"),
        "{}",
        ran.stdout
    );
    let small = fs::read_to_string(place.path("out/fails-min.toml")).expect("a smaller scenario");
    assert!(
        !small.contains("faults") && !small.contains("strategy"),
        "{small}"
    );

    let command = ran
        .stdout
        .lines()
        .find_map(|line| line.trim().strip_prefix("reproduce: camelid sim "));
    let again = place.sim(&format!("{} --json", command.expect("a way to reproduce it")));
    assert_eq!(again.code, 5, "{}", again.stderr);
    assert_eq!(
        records(&again.stdout)[0]["violations"][0]["id"],
        "never:job-engaged"
    );
    let trace = fs::read_dir(place.path("out"))
        .expect("a directory")
        .find_map(|entry| {
            let name = entry
                .expect("an entry")
                .file_name()
                .into_string()
                .expect("a name");
            name.ends_with(".trace").then_some(name)
        });
    assert_eq!(
        place.sim(&format!("replay out/{}", trace.expect("a trace"))).code,
        0
    );
}

#[test]
fn a_trace_of_a_failed_run_is_enough() {
    let place = Place::new();
    place.write("fails.toml", failing());
    assert_eq!(place.sim("run fails.toml --seed 2 --failures traces").code, 5);
    let ran = place.sim("shrink traces/fails-2.trace --failures out --max-runs 40 --json");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let records = records(&ran.stdout);
    assert_eq!(records[0]["schema"], "camelid.sim.shrink.v1");
    assert_eq!(records[0]["violation"], "never:job-engaged");
    assert!(records[0]["runs"].as_u64().is_some_and(|runs| runs <= 40));
    assert!(place.path("out/fails-min.toml").is_file());
}

#[test]
fn what_does_not_fail_cannot_be_shrunk() {
    let place = Place::new();
    place.write("a.toml", sound("a"));
    let ran = place.sim("shrink a.toml --seed 0");
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""));
    assert!(ran.stderr.contains("nothing to shrink"), "{}", ran.stderr);
    let absent = place.sim("shrink absent.toml");
    assert_eq!(absent.code, 4, "{}", absent.stderr);
    place.write("cut.trace", "CAMELTRC");
    assert_eq!(place.sim("shrink cut.trace").code, 4);
}
