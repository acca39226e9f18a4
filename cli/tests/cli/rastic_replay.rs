//! `camelid rastic replay`: claims out of traces, judged again.

use crate::support::{Place, frames_of, resealed, sound};
use camelid_sim::trace::Frame;
use serde_json::Value;
use std::fs;

/// A trace of two jobs, in each of whose outputs a token is swapped.
fn traced() -> Place {
    let place = Place::new();
    let cheated = sound("a").replace("withhold-output", "substitution").replace(
        "start_ms = 120_000",
        "start_ms = 1_000\ncount = 2\nevery_ms = 10\nprompt_tokens = 4\nmax_tokens = 24",
    );
    let quick =
        "[chain]\nspacing_s = 12\nchallenge = 9\n\n[model]\nend_permille = 0\ntoken_ms = 1\n\n[network]";
    place.write(
        "a.toml",
        cheated
            .replace("[network]", quick)
            .replace("1_800_000", "300_000"),
    );
    let ran = place.sim("run a.toml --seed 1 --trace-dir .");
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    place
}

fn records(stdout: &str) -> Vec<Value> {
    let parse = |line| serde_json::from_str(line).expect("each line is JSON");
    stdout.lines().map(parse).collect()
}

fn units(coins: &Value) -> u64 {
    let digits = coins.as_str().expect("a text").replace('.', "");
    digits.parse().expect("units")
}

#[test]
fn every_claim_is_judged_under_every_specification() {
    let place = traced();
    let ran =
        place.camelid("rastic replay a-1.trace --specs v1-as-written,v1-repaired,v2 --samples 1..4 --json");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let records = records(&ran.stdout);
    let (summary, claims) = records.split_last().expect("a summary");
    assert_eq!(claims.len(), 2);
    for (number, claim) in claims.iter().enumerate() {
        assert_eq!(claim["schema"], "camelid.rastic.replay.v1");
        assert_eq!(
            (&claim["claim"], &claim["strategy"]),
            (&number.into(), &"substitution".into())
        );
        assert_eq!(
            (&claim["node"], &claim["spec"], &claim["verdict"]),
            (&"worker-0".into(), &"v2".into(), &"invalid".into())
        );
        assert_eq!(
            (&claim["prompt_tokens"], &claim["output_tokens"]),
            (&4.into(), &24.into())
        );
        let judgements = claim["judgements"].as_array().expect("a list");
        let variants: Vec<String> = judgements
            .iter()
            .map(|judgement| format!("{}:{}", judgement["spec"], judgement["samples"]).replace('"', ""))
            .collect();
        let expected = [
            "v1-as-written:1",
            "v1-repaired:1",
            "v1-repaired:2",
            "v1-repaired:3",
            "v2:null",
        ];
        assert_eq!(variants, expected);
        // The client checked all positions of the output, and none of the prompt.
        assert_eq!(judgements[0]["evidence"], "model");
        for (samples, judgement) in judgements.iter().enumerate().skip(1) {
            assert_eq!(judgement["evidence"], "recorded");
            assert_eq!(
                (&judgement["positions"], &judgement["bad"]),
                (&22.into(), &1.into())
            );
            let chance = if judgement["spec"] == "v2" {
                1.0
            } else {
                samples as f64 / 22.0
            };
            let detection = judgement["detection"].as_f64().expect("a number");
            assert!((detection - chance).abs() < 1e-15, "{judgement}");
        }
        assert_eq!(judgements[4]["verdict"], "invalid");
        for judgement in judgements {
            let caught = judgement["verdict"] == "invalid";
            let (paid, slashed) = if caught {
                (&Value::from("0.00000000"), &claim["stake"])
            } else {
                (&claim["reward"], &Value::from("0.00000000"))
            };
            assert_eq!((&judgement["paid"], &judgement["slashed"]), (paid, slashed));
        }
    }
    check_summary(summary, claims);
}

/// Each total is the sum of the claims' judgements.
fn check_summary(summary: &Value, claims: &[Value]) {
    assert_eq!(summary["schema"], "camelid.rastic.replay.summary.v1");
    assert_eq!((&summary["jobs"], &summary["claims"]), (&2.into(), &2.into()));
    for (index, total) in summary["totals"].as_array().expect("a list").iter().enumerate() {
        let judgements = || claims.iter().map(|claim| &claim["judgements"][index]);
        assert!(judgements().all(|one| one["spec"] == total["spec"] && one["samples"] == total["samples"]));
        for verdict in ["valid", "invalid", "inconclusive"] {
            let count = judgements().filter(|one| one["verdict"] == verdict).count();
            assert_eq!(total[verdict], count, "{verdict}");
        }
        for money in ["paid", "slashed"] {
            let sum: u64 = judgements().map(|one| units(&one[money])).sum();
            assert_eq!(units(&total[money]), sum, "{money}");
        }
        let chances: f64 = judgements()
            .map(|one| one["detection"].as_f64().expect("a number"))
            .sum();
        let expected = total["expected_invalid"].as_f64().expect("a number");
        assert!((expected - chances).abs() < 1e-12, "{total}");
        let stakes: Vec<f64> = claims.iter().map(|claim| units(&claim["stake"]) as f64).collect();
        let expected: f64 = judgements()
            .zip(stakes)
            .map(|(one, stake)| one["detection"].as_f64().expect("a number") * stake)
            .sum();
        assert!(
            (units(&total["expected_slashed"]) as f64 - expected).abs() <= 3.0,
            "{total}"
        );
    }
}

#[test]
fn the_same_again_gives_the_same() {
    let place = traced();
    let once = place
        .camelid("rastic replay a-1.trace --samples 1..33 --json")
        .stdout;
    assert_eq!(
        place
            .camelid("rastic replay a-1.trace --samples 1..33 --json")
            .stdout,
        once
    );
    assert!(!once.is_empty());
}

#[test]
fn values_are_separated_by_commas() {
    let place = traced();
    fs::rename(place.path("a-1.trace"), place.path("a,1.trace")).expect("renamed");
    let ran = place.camelid("rastic replay a,1.trace --specs v1-repaired,v2 --samples 2..4 --csv");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let mut reader = csv::Reader::from_reader(ran.stdout.as_bytes());
    let headings = reader.headers().expect("headings").clone();
    assert_eq!(
        headings.iter().take(4).collect::<Vec<_>>(),
        ["trace", "claim", "job", "node"]
    );
    let rows: Vec<csv::StringRecord> = reader
        .records()
        .map(|row| row.expect("as many values as headings"))
        .collect();
    assert_eq!(rows.len(), 2 * 3);
    let column = |name: &str| {
        headings
            .iter()
            .position(|heading| heading == name)
            .expect("a heading")
    };
    for row in &rows {
        assert_eq!(&row[column("trace")], "a,1.trace");
        assert_eq!((&row[column("bad")], &row[column("positions")]), ("1", "22"));
        let samples = &row[column("samples")];
        assert_eq!(samples.is_empty(), &row[column("spec")] == "v2", "{samples}");
    }
}

#[test]
fn people_get_tables() {
    let ran = traced().camelid("rastic replay a-1.trace");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    for part in [
        "worker-0",
        "substitution",
        "v2 invalid, ",
        "1 of 22",
        "4.5455 %",
        "expected slashed",
    ] {
        assert!(ran.stdout.contains(part), "{part}: {}", ran.stdout);
    }
    assert!(ran.stdout.ends_with("2 jobs, 2 claims\n"), "{}", ran.stdout);
}

#[test]
fn a_trace_without_claims_has_none() {
    let place = Place::new();
    place.write("a.toml", sound("a"));
    assert_eq!(place.sim("run a.toml --seed 1 --trace-dir .").code, 0);
    let ran = place.camelid("rastic replay a-1.trace --json");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let records = records(&ran.stdout);
    assert_eq!(records.len(), 1, "the output is withheld: nobody can judge it");
    assert_eq!(
        (&records[0]["jobs"], &records[0]["claims"]),
        (&1.into(), &0.into())
    );
}

#[test]
fn wrong_usage_exits_2() {
    let place = Place::new();
    for args in [
        "",
        "a.trace --specs v3",
        "a.trace --specs",
        "a.trace --samples 3..3",
        "a.trace --samples 1..5000",
        "a.trace --samples many",
        "a.trace --json --csv",
        "a.trace b.trace",
    ] {
        let ran = place.camelid(&format!("rastic replay {args}"));
        assert_eq!(ran.code, 2, "{args}: {}", ran.stderr);
        assert_eq!(ran.stdout, "", "{args}");
    }
}

#[test]
fn traces_that_cannot_be_followed_are_refused() {
    let place = traced();
    let trace = fs::read(place.path("a-1.trace")).expect("the trace");
    place.write("cut.trace", &trace[..trace.len() / 2]);
    for file in ["cut.trace", "absent.trace", "a.toml"] {
        let ran = place.camelid(&format!("rastic replay {file}"));
        assert_eq!((ran.code, ran.stdout.as_str()), (4, ""), "{file}: {}", ran.stderr);
    }
    let mut frames = frames_of(&trace);
    let mut steps = frames
        .iter_mut()
        .filter(|frame| matches!(frame, Frame::Step { .. }));
    if let Some(Frame::Step { outputs, .. }) = steps.nth(20) {
        outputs[0] ^= 1;
    }
    place.write("other.trace", resealed(&trace, &frames));
    let ran = place.camelid("rastic replay other.trace");
    assert_eq!((ran.code, ran.stdout.as_str()), (9, ""), "{}", ran.stderr);
    assert!(ran.stderr.contains("step 20 differs"), "{}", ran.stderr);
}
