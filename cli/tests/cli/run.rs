//! `camelid sim run`.

use crate::support::{Place, scenario, sound};
use serde_json::Value;
use std::fs;

fn records(stdout: &str) -> Vec<Value> {
    let parse = |line| serde_json::from_str(line).expect("each line is JSON");
    stdout.lines().map(parse).collect()
}

fn digests(stdout: &str) -> Vec<String> {
    let records = records(stdout);
    let digests = records.iter().filter_map(|record| record["digest"].as_str());
    digests.map(ToString::to_string).collect()
}

/// The keys of a compact JSON object, in order, as far as `depth` 1.
fn keys(line: &str) -> Vec<String> {
    let (mut depth, mut keys, mut rest) = (0, Vec::new(), line);
    while let Some(at) = rest.find(['{', '}', '[', ']', '"']) {
        let (found, after) = (rest.as_bytes()[at], &rest[at + 1..]);
        rest = after;
        match found {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {
                let end = after.find('"').expect("a closed string");
                rest = &after[end + 1..];
                if depth == 1 && rest.starts_with(':') {
                    keys.push(after[..end].into());
                }
            }
        }
    }
    keys
}

#[test]
fn records_have_the_promised_keys_in_order() {
    let place = Place::new();
    place.write("a.toml", sound("a"));
    let ran = place.sim("run a.toml --seeds 3..5 --json");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines.len(), 3);
    let promised = "schema scenario seed outcome digest events virtual_ms jobs honest_slashed violations";
    assert_eq!(keys(lines[0])[..10].join(" "), promised);
    assert!(
        lines[0].contains(r#""jobs":{"opened":1,"settled":"#),
        "{}",
        lines[0]
    );
    let promised = "schema scenarios runs passed failed never_happened";
    assert_eq!(keys(lines[2])[..6].join(" "), promised);

    let records = records(&ran.stdout);
    assert_eq!(records[0]["schema"], "camelid.sim.run.v1");
    assert_eq!((&records[0]["seed"], &records[1]["seed"]), (&3.into(), &4.into()));
    assert_eq!(records[0]["outcome"], "pass");
    assert_eq!(records[0]["digest"].as_str().map(str::len), Some(64));
    assert_eq!(records[2]["schema"], "camelid.sim.summary.v1");
    assert_eq!(
        (&records[2]["runs"], &records[2]["passed"]),
        (&2.into(), &2.into())
    );
}

#[test]
fn output_is_the_same_again_in_parallel_and_alone() {
    let place = Place::new();
    // The order is that of the paths, not of the arguments or names.
    place.write("some/b.toml", sound("first"));
    place.write("some/a.toml", sound("second"));
    let one = place.sim("run some/b.toml some --seeds 0..4 -j 1 --json");
    let two = place.sim("run some --seeds 0..4 -j 3 --json");
    assert_eq!((one.code, two.code), (0, 0), "{}", one.stderr);
    assert_eq!(one.stdout, two.stdout);
    let all = digests(&one.stdout);
    assert_eq!(all.len(), 8);
    let names: Vec<Value> = records(&one.stdout)
        .iter()
        .map(|record| record["scenario"].clone())
        .collect();
    assert_eq!((&names[0], &names[4]), (&"second".into(), &"first".into()));

    let alone = digests(&place.sim("run some/a.toml --seed 2 --json").stdout);
    assert_eq!(alone, [all[2].clone()]);
    let mut distinct = all.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), all.len(), "seeds and scenarios differ: {all:?}");
}

#[test]
fn people_get_a_table() {
    let place = Place::new();
    place.write("a.toml", sound("tiny"));
    let ran = place.sim("run a.toml --seeds 0..2");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("withhold-output"), "{}", ran.stdout);
    assert!(ran.stdout.contains("2 withheld"), "{}", ran.stdout);
    let last = ran.stdout.lines().last().unwrap_or_default();
    assert!(
        last.starts_with("1 scenarios, 2 runs: 2 passed, 0 failed"),
        "{last}"
    );
    assert!(!ran.stdout.contains('\u{1b}'), "colours without a terminal");
    let colored = place.sim("run a.toml --seeds 0..2 --color always");
    assert!(
        colored.stdout.contains('\u{1b}'),
        "no colours: {}",
        colored.stdout
    );
}

#[test]
fn wrong_usage_exits_2() {
    let place = Place::new();
    place.write("a.toml", sound("a"));
    for args in [
        "run",
        "run a.toml --seeds 3..3",
        "run a.toml --seeds 4..3",
        "run a.toml --seeds 4",
        "run a.toml --seeds a..b",
        "run a.toml --seeds -1..2",
        "run a.toml --seeds 0..18446744073709551615",
        "run a.toml --seed 1 --seeds 0..2",
        "run a.toml -j 0",
        "run a.toml --unknown",
        "run a.toml --color sometimes",
        "replay",
        "squeeze a.trace",
    ] {
        let ran = place.sim(args);
        assert_eq!(ran.code, 2, "{args}: {}", ran.stderr);
        assert_eq!(ran.stdout, "", "{args}");
    }
}

#[test]
fn the_greatest_seed_is_a_seed() {
    let place = Place::new();
    place.write("a.toml", sound("a"));
    let ran = place.sim("run a.toml --seed 18446744073709551615 --json");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(records(&ran.stdout)[0]["seed"], u64::MAX);
}

#[test]
fn a_broken_expectation_exits_5_and_leaves_a_trace() {
    let place = Place::new();
    let expect = "never = [\"tip-extended\"]\nsometimes = [{ event = \"tip-extended\" }]";
    place.write("with space/a.toml", scenario("broken", expect));
    let ran = place.sim("run . --seeds 4..6");
    assert_eq!(ran.code, 5, "{}", ran.stderr);
    assert!(ran.stdout.contains("never:tip-extended at "), "{}", ran.stdout);
    let reproduce = "camelid sim run './with space/a.toml' --seed 5";
    assert!(ran.stdout.contains(reproduce), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("./camelid-failures/broken-5.trace"),
        "{}",
        ran.stdout
    );
    assert_eq!(place.sim("replay camelid-failures/broken-5.trace").code, 0);

    let ran = place.sim("run . --seed 4 --json --failures elsewhere");
    assert_eq!(ran.code, 5);
    let records = records(&ran.stdout);
    assert_eq!(records[0]["outcome"], "fail");
    assert_eq!(records[0]["violations"][0]["id"], "never:tip-extended");
    assert_eq!(records[1]["failed"], 1);
    assert!(place.path("elsewhere/broken-4.trace").is_file());
}

#[test]
fn a_sometimes_that_never_happens_exits_5() {
    let place = Place::new();
    let expect = "sometimes = [{ event = \"delivery-bad\", in_runs = 3 }]";
    place.write("a.toml", scenario("vacuous", expect));
    let few = place.sim("run a.toml --seeds 0..2 --json");
    assert_eq!(few.code, 0, "too few runs to judge: {}", few.stdout);
    let enough = place.sim("run a.toml --seeds 0..3 --json");
    assert_eq!(enough.code, 5);
    let never = r#""never_happened":[{"scenario":"vacuous","event":"delivery-bad"}]"#;
    assert!(enough.stdout.contains(never), "{}", enough.stdout);
    assert!(
        place
            .sim("run a.toml --seeds 0..3")
            .stdout
            .contains("FAILED vacuous: delivery-bad")
    );
}

#[test]
fn traces_are_written_whole_for_every_run() {
    let place = Place::new();
    place.write("a.toml", sound("a"));
    let ran = place.sim("run a.toml --seeds 7..9 --trace-dir deep/traces");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let entries = fs::read_dir(place.path("deep/traces")).expect("the directory was made");
    let mut names: Vec<_> = entries
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["a-7.trace", "a-8.trace"]);
    assert!(!place.path("camelid-failures").exists());

    place.write("file", "in the way");
    let ran = place.sim("run a.toml --seeds 0..2 --trace-dir file");
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("cannot be written"), "{}", ran.stderr);
}

#[test]
fn scenarios_are_listed() {
    let place = Place::new();
    place.write("scenarios/deep/a.toml", sound("tiny"));
    place.write("scenarios/notes.txt", "not a scenario");
    let ran = place.sim("list");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    for part in [
        "tiny",
        "H5",
        "withhold-output",
        " 3 ",
        "One worker withholds what it sold.",
    ] {
        assert!(ran.stdout.contains(part), "{part}: {}", ran.stdout);
    }
}

/// The first interrupt lets the runs in progress end and says what is done.
#[cfg(unix)]
#[test]
fn an_interrupt_exits_8() {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};

    let place = Place::new();
    place.write("a.toml", sound("a"));
    let mut child = Command::new(assert_cmd::cargo::cargo_bin!("camelid"))
        .args(["sim", "run", "--seeds", "0..1000000", "-j", "2", "--json"])
        .arg(place.path("a.toml"))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it runs");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    lines.next().expect("a first record").expect("readable");
    let id = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &id])
            .status()
            .expect("kill")
            .success()
    );
    let last = lines
        .map(|line| line.expect("readable"))
        .last()
        .expect("a summary");
    assert_eq!(child.wait().expect("it ends").code(), Some(8));
    assert!(last.contains("camelid.sim.summary.v1"), "{last}");
    assert!(last.contains(r#""interrupted":true"#), "{last}");
}
