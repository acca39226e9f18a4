//! Claims, from prompts to verdicts, on the model in the binary.

use crate::support::{Place, Ran};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

const PROMPTS: &str = "Once upon a time\n\n\"Dear me!\" said the old man,\nThe captain looked at the sea\n";
const BEACON: &str = "00000000000000000000000000000000000000000000000000000000000000ff";

/// A place with honest claims in `honest.jsonl`, of up to `max_tokens` each.
fn place(max_tokens: u32, temperature_milli: u32) -> Place {
    let place = Place::new();
    place.write("prompts.txt", PROMPTS);
    let ran = place.camelid(&format!(
        "rastic generate --prompts prompts.txt --out honest.jsonl --max-tokens {max_tokens} --seed 7 \
         --temperature-milli {temperature_milli}"
    ));
    assert_eq!((ran.code, &*ran.stdout), (0, ""), "{}", ran.stderr);
    place
}

fn lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

fn claims(place: &Place, name: &str) -> Vec<Value> {
    lines(&fs::read_to_string(place.path(name)).expect("a file of claims"))
}

fn write(place: &Place, name: &str, claims: &[Value]) {
    let lines: String = claims.iter().map(|claim| format!("{claim}\n")).collect();
    place.write(name, lines);
}

/// Records of `verify --json`: one for each claim, and the summary.
fn verify(place: &Place, name: &str, args: &str) -> (Ran, Vec<Value>, Value) {
    let ran = place.camelid(&format!("rastic verify --claims {name} --json {args}"));
    let mut records = lines(&ran.stdout);
    let summary = records
        .pop()
        .unwrap_or_else(|| panic!("no summary: {}", ran.stderr));
    (ran, records, summary)
}

fn length(claim: &Value, field: &str) -> u64 {
    claim[field].as_array().expect("tokens").len() as u64
}

#[test]
fn honest_claims_are_valid_at_any_temperature() {
    for temperature_milli in [0, 1000] {
        let place = place(40, temperature_milli);
        let claims = claims(&place, "honest.jsonl");
        let ids: Vec<&str> = claims.iter().filter_map(|claim| claim["id"].as_str()).collect();
        assert_eq!(ids, ["1", "3", "4"], "lines of prompts");
        for spec in ["v2", "v1-repaired"] {
            let (ran, records, summary) = verify(&place, "honest.jsonl", &format!("--spec {spec} --strict"));
            assert_eq!(ran.code, 0, "{}", ran.stdout);
            assert_eq!((&summary["claims"], &summary["valid"]), (&json!(3), &json!(3)));
            for (claim, record) in claims.iter().zip(&records) {
                assert_eq!(record["id"], claim["id"]);
                assert_eq!(
                    (&record["verdict"], &record["rule"]),
                    (&json!("valid"), &json!("exact"))
                );
                assert_eq!(
                    (&record["first_bad"], &record["reason"]),
                    (&Value::Null, &Value::Null)
                );
                assert_eq!(
                    record["max_gap_milli"],
                    json!(0),
                    "the claimed token is the best everywhere"
                );
                let output = length(claim, "output_tokens");
                let checked = if spec == "v2" { output } else { output.min(3) };
                assert_eq!(record["positions_checked"], json!(checked));
            }
        }
    }
}

#[test]
fn verdicts_have_exactly_the_documented_keys_in_order() {
    let place = place(8, 1000);
    let ran = place.camelid("rastic verify --claims honest.jsonl --json");
    let line = ran.stdout.lines().next().expect("a record");
    let keys = [
        "schema",
        "id",
        "verdict",
        "positions_checked",
        "first_bad",
        "reason",
        "rule",
        "max_gap_milli",
        "tokens_per_second",
    ];
    let places: Vec<usize> = keys
        .iter()
        .map(|key| line.find(&format!("\"{key}\":")).expect(key))
        .collect();
    assert!(places.is_sorted(), "{line}");
    let record: Value = serde_json::from_str(line).expect("JSON");
    assert_eq!(record["schema"], "camelid.rastic.verdict.v1");
    assert_eq!(record.as_object().map(serde_json::Map::len), Some(keys.len()));
}

#[test]
fn every_attack_is_found_where_it_is() {
    let place = place(48, 1000);
    let ran = place.camelid("rastic attack --claims honest.jsonl --kind all --out false.jsonl --seed 3");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let claims = claims(&place, "false.jsonl");
    let (ran, records, summary) = verify(&place, "false.jsonl", "");
    assert_eq!(
        (ran.code, &summary["invalid"]),
        (5, &json!(claims.len())),
        "{}",
        ran.stdout
    );
    for (claim, record) in claims.iter().zip(&records) {
        assert_eq!(record["verdict"], "invalid", "{claim}");
        assert_eq!(claim["label"]["valid"], json!(false));
        assert_eq!(
            record["first_bad"], claim["label"]["first_bad"],
            "{claim} {record}"
        );
    }
    let kinds = summary["kinds"].as_object().expect("tallies by kind");
    let expected = [
        "cached",
        "edit",
        "forged-end",
        "ngram",
        "padding",
        "prompt-dropped",
        "repetition",
        "splice",
        "substitution",
        "truncation",
        "wrong-seed",
        "wrong-temperature",
    ];
    assert_eq!(
        kinds.keys().collect::<Vec<_>>(),
        expected,
        "all but other-model, which needs --with"
    );
}

#[test]
fn attacks_change_what_they_say() {
    let place = place(48, 1000);
    let honest = claims(&place, "honest.jsonl");
    let forged = |kind: &str| {
        let ran = place.camelid(&format!(
            "rastic attack --claims honest.jsonl --kind {kind} --out {kind}.jsonl"
        ));
        assert_eq!(ran.code, 0, "{kind}: {}", ran.stderr);
        claims(&place, &format!("{kind}.jsonl"))
    };
    let output = |claim: &Value| -> Vec<u64> {
        let tokens = claim["output_tokens"].as_array().expect("tokens");
        tokens.iter().filter_map(Value::as_u64).collect()
    };
    let original = |claim: &Value| {
        let id = claim["id"].as_str().and_then(|id| id.split('/').next());
        let found = honest.iter().find(|honest| honest["id"].as_str() == id);
        output(found.expect("the claim that was attacked"))
    };
    for claim in forged("truncation") {
        let honest = original(&claim);
        assert_eq!(output(&claim), honest[..honest.len() / 2], "the first half");
        assert_eq!(
            (&claim["max_tokens"], &claim["finish"]),
            (&json!(48), &Value::Null)
        );
    }
    for claim in forged("padding") {
        let (forged, honest) = (output(&claim), original(&claim));
        assert_eq!(forged.len(), 48, "filled up to the limit");
        assert_eq!(forged[..honest.len() / 2], honest[..honest.len() / 2]);
    }
    for claim in forged("edit") {
        let (forged, honest) = (output(&claim), original(&claim));
        let differing = forged.iter().zip(&honest).filter(|(a, b)| a != b).count();
        assert_eq!((forged.len(), differing), (honest.len(), 1));
    }
    for claim in forged("forged-end") {
        assert_eq!(claim["finish"], "end");
        assert_eq!(output(&claim).len(), original(&claim).len() / 2 + 1);
    }
    for claim in forged("ngram") {
        let (forged, honest) = (output(&claim), original(&claim));
        assert_eq!(
            (forged.first(), forged.last()),
            (honest.first(), honest.last()),
            "honest ends"
        );
        assert_eq!(forged.len(), honest.len());
    }
    for claim in forged("cached") {
        assert!(honest.iter().any(|other| output(other) == output(&claim)));
    }
}

#[test]
fn a_kind_that_cannot_apply_is_wrong_usage_and_writes_nothing() {
    let greedy = place(16, 0);
    let single = place(16, 1000);
    write(&single, "one.jsonl", &claims(&single, "honest.jsonl")[..1]);
    for (place, args, says) in [
        (
            &greedy,
            "--claims honest.jsonl --kind wrong-seed",
            "temperature above 0",
        ),
        (&single, "--claims one.jsonl --kind splice", "two claims"),
        (&single, "--claims one.jsonl --kind cached", "two claims"),
        (&single, "--claims one.jsonl --kind other-model", "--with MODEL"),
        (
            &single,
            "--claims one.jsonl --kind other-model --with embedded",
            "same model",
        ),
    ] {
        let ran = place.camelid(&format!("rastic attack {args} --out out.jsonl"));
        assert_eq!(ran.code, 2, "{args}: {}", ran.stderr);
        assert!(ran.stderr.contains(says), "{args}: {}", ran.stderr);
        assert!(!place.path("out.jsonl").exists(), "{args}");
    }
    // What is false already is no ground truth for more.
    let ran = single.camelid("rastic attack --claims honest.jsonl --kind edit --out false.jsonl");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let ran = single.camelid("rastic attack --claims false.jsonl --kind edit --out out.jsonl");
    assert_eq!(ran.code, 2, "{}", ran.stderr);
}

#[test]
fn another_quantization_is_caught() {
    let place = place(64, 1000);
    let ran = place.camelid("model quantize embedded --type q4_0 --out coarse.gguf");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let ran = place.camelid(
        "rastic attack --claims honest.jsonl --kind other-model --with coarse.gguf --out false.jsonl",
    );
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let claims = claims(&place, "false.jsonl");
    let (ran, _, summary) = verify(&place, "false.jsonl", "");
    assert_eq!(
        (ran.code, &summary["invalid"]),
        (5, &json!(claims.len())),
        "{}",
        ran.stdout
    );
    // They are claims about the model that was paid for.
    let ran = place.camelid("rastic verify --model coarse.gguf --claims false.jsonl");
    assert_eq!(ran.code, 4, "{}", ran.stdout);
    assert!(
        ran.stderr.contains("false.jsonl:1: the claim is about the model"),
        "{}",
        ran.stderr
    );
}

#[test]
fn what_is_written_keeps_to_the_schema() {
    let place = place(24, 1000);
    let ran = place.camelid("rastic attack --claims honest.jsonl --kind all --out false.jsonl");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/schema/claim.v1.json");
    let schema: Value = serde_json::from_slice(&fs::read(path).expect("the schema")).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let mut written = claims(&place, "honest.jsonl");
    written.extend(claims(&place, "false.jsonl"));
    for claim in &written {
        if let Err(error) = validator.validate(claim) {
            panic!("{error}: {claim}");
        }
    }
    let mut bad = Vec::new();
    // The schema is no rubber stamp: it refuses what the program refuses.
    for (field, value) in [
        ("model", json!("00")),
        ("temperature_milli", json!(20_000)),
        ("top_p_milli", json!(0)),
        ("max_tokens", json!(0)),
        ("finish", json!("length")),
        ("template", json!("alpaca")),
        ("temprature", json!(1)),
        ("seed", json!(-1)),
        ("output_tokens", json!(["a"])),
    ] {
        let mut claim = written[0].clone();
        claim[field] = value;
        assert!(!validator.is_valid(&claim), "{field}");
        bad.push(claim);
    }
    write(&place, "bad.jsonl", &bad);
    let ran = place.camelid("rastic verify --claims bad.jsonl");
    assert_eq!(ran.code, 4, "{}", ran.stdout);
    for line in 1..=bad.len() {
        assert!(
            ran.stderr.contains(&format!("bad.jsonl:{line}: ")),
            "{}: {}",
            bad[line - 1],
            ran.stderr
        );
    }
}

#[test]
fn token_ids_win_over_text() {
    let place = place(12, 1000);
    let mut claims = claims(&place, "honest.jsonl");
    for claim in &mut claims {
        claim["prompt"] = json!("something else");
        claim["output"] = json!("entirely");
    }
    write(&place, "odd.jsonl", &claims);
    let (ran, ..) = verify(&place, "odd.jsonl", "");
    assert_eq!(ran.code, 0, "{}", ran.stdout);
}

#[test]
fn text_alone_is_a_claim_too() {
    let place = place(12, 0);
    let mut claims = claims(&place, "honest.jsonl");
    for claim in &mut claims {
        let fields = claim.as_object_mut().expect("an object");
        for field in [
            "prompt_tokens",
            "output_tokens",
            "schema",
            "label",
            "top_k",
            "top_p_milli",
        ] {
            fields.remove(field);
        }
    }
    write(&place, "text.jsonl", &claims);
    let (ran, records, _) = verify(&place, "text.jsonl", "");
    // Other tokens can have the same text, so a verdict is all that can be asked for.
    assert!([0, 5].contains(&ran.code), "{}", ran.stderr);
    assert_eq!(records.len(), 3);
}

#[test]
fn claims_of_another_profile_are_held_to_the_tolerance() {
    let place = place(8, 0);
    let honest = claims(&place, "honest.jsonl").swap_remove(0);
    // Every token at the first position where one of them lies between the tolerances.
    let at = |position: usize| -> Vec<Value> {
        let claim = |token: u32| {
            let mut claim = honest.clone();
            claim["profile"] = json!("some other machine");
            claim["id"] = json!(token.to_string());
            claim["max_tokens"] = json!(position + 1);
            let output = claim["output_tokens"].as_array_mut().expect("tokens");
            output.truncate(position);
            output.push(json!(token));
            let fields = claim.as_object_mut().expect("an object");
            fields.remove("finish");
            fields.remove("output");
            claim
        };
        (0..1024).map(claim).collect()
    };
    let judged = |position: usize| {
        let claims = at(position);
        write(&place, "all.jsonl", &claims);
        let (ran, records, summary) = verify(&place, "all.jsonl", "");
        assert_eq!((ran.code, records.len()), (5, 1024));
        (claims, records, summary)
    };
    let (claims, records, summary) = (0..8)
        .map(judged)
        .find(|(_, _, summary)| summary["inconclusive"] != json!(0))
        .expect("some token lies between the tolerances");
    let inspect: Value = serde_json::from_str(&place.camelid("model inspect --json").stdout).expect("JSON");
    let limits =
        ["tolerance_milli", "slash_tolerance_milli"].map(|key| inspect[key].as_u64().expect("a number"));
    for record in &records {
        let gap = record["max_gap_milli"].as_u64().expect("a gap");
        let verdict = match limits {
            [tolerance, _] if gap <= tolerance => "valid",
            [_, slash] if gap > slash => "invalid",
            _ => "inconclusive",
        };
        assert_eq!(
            (&record["verdict"], &record["rule"]),
            (&json!(verdict), &json!("tolerance")),
            "{record}"
        );
    }
    let open: Vec<Value> = claims
        .iter()
        .zip(&records)
        .filter(|(_, record)| record["verdict"] == "inconclusive")
        .map(|(claim, _)| claim.clone())
        .collect();
    assert_eq!(summary["inconclusive"], json!(open.len()));
    write(&place, "open.jsonl", &open);
    assert_eq!(verify(&place, "open.jsonl", "").0.code, 0);
    assert_eq!(verify(&place, "open.jsonl", "--strict").0.code, 5);
    // The paper knows no tolerance.
    let (ran, records, _) = verify(&place, "all.jsonl", "--spec v1-as-written");
    assert_eq!(ran.code, 5);
    assert!(records.iter().all(|record| record["rule"] == "exact"));
}

#[test]
fn a_beacon_fixes_the_positions() {
    let place = place(48, 1000);
    let ran = place.camelid("rastic attack --claims honest.jsonl --kind substitution --out false.jsonl");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let verdicts = |args: &str| -> Vec<(Value, Value)> {
        let (_, records, _) = verify(&place, "false.jsonl", args);
        records
            .iter()
            .map(|record| (record["verdict"].clone(), record["first_bad"].clone()))
            .collect()
    };
    for spec in ["v1-as-written", "v1-repaired --samples 20"] {
        let args = format!("--spec {spec} --beacon {BEACON}");
        assert_eq!(verdicts(&args), verdicts(&args));
    }
    let drawn =
        (0..20).map(|beacon| verdicts(&format!("--spec v1-repaired --samples 20 --beacon {beacon:064x}")));
    let drawn: std::collections::BTreeSet<String> = drawn.map(|verdicts| format!("{verdicts:?}")).collect();
    assert!(drawn.len() > 1, "another beacon draws other positions");
    // A fresh beacon is told, so that the check can be repeated.
    let (ran, _, summary) = verify(&place, "false.jsonl", "--spec v1-repaired");
    let beacon = summary["beacon"].as_str().expect("a beacon");
    assert!(
        ran.stderr.contains(&format!("--beacon {beacon}")),
        "{}",
        ran.stderr
    );
    assert_eq!(
        verify(&place, "honest.jsonl", "").2["beacon"],
        Value::Null,
        "v2 draws nothing"
    );
}

#[test]
fn generating_again_gives_the_same_claims() {
    let (once, again) = (place(24, 1000), place(24, 1000));
    assert_eq!(claims(&once, "honest.jsonl"), claims(&again, "honest.jsonl"));
    let other = once.camelid("rastic generate --prompts prompts.txt --max-tokens 24 --seed 8");
    assert_ne!(
        lines(&other.stdout),
        claims(&once, "honest.jsonl"),
        "seeds matter, and --out can be left out"
    );
}

#[test]
fn explaining_shows_what_differs() {
    let place = place(24, 1000);
    let ran = place.camelid("rastic attack --claims honest.jsonl --kind edit --out false.jsonl");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let ran = place.camelid("rastic explain --claims false.jsonl --id 3/edit");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let first_bad = claims(&place, "false.jsonl")[1]["label"]["first_bad"].to_string();
    for part in ["[-", "-]{+", "verdict  invalid at position", &first_bad, "failed"] {
        assert!(ran.stdout.contains(part), "{part}: {}", ran.stdout);
    }
    assert!(
        !ran.stdout.contains('\x1b'),
        "no colours where there is no terminal"
    );
    let colored = place.camelid("--color always rastic explain --claims false.jsonl --id 3/edit");
    assert!(colored.stdout.contains("\x1b[1;31;9m"), "{}", colored.stdout);
    let honest = place.camelid("rastic explain --claims honest.jsonl --id 3");
    assert!(
        honest.stdout.contains("verdict  valid") && !honest.stdout.contains("[-"),
        "{}",
        honest.stdout
    );
    // What the paper's draw leaves out is shown all the same.
    let missed = place.camelid(&format!(
        "rastic explain --claims false.jsonl --id 3/edit --spec v1-as-written --beacon {BEACON}"
    ));
    assert!(missed.stdout.contains("unchecked"), "{}", missed.stdout);
    let ran = place.camelid("rastic explain --claims false.jsonl --id nobody");
    assert_eq!(ran.code, 4, "{}", ran.stderr);
}

#[test]
fn the_page_needs_nothing_else_and_runs_nothing() {
    let place = place(24, 1000);
    let mut claims = claims(&place, "honest.jsonl");
    claims[0]["prompt"] = json!("<script>alert('&\"')</script>");
    write(&place, "odd.jsonl", &claims);
    let ran = place.camelid("rastic explain --claims odd.jsonl --id 1 --html page.html");
    assert_eq!((ran.code, &*ran.stdout), (0, ""), "{}", ran.stderr);
    let page = fs::read_to_string(place.path("page.html")).expect("a page");
    assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n"));
    assert!(
        page.contains("&lt;script&gt;alert(&#39;&amp;&quot;&#39;)"),
        "{page}"
    );
    for outside in ["<script", "http:", "https:", "src=", "href=", "url(", "@import"] {
        assert!(!page.contains(outside), "{outside}");
    }
    let spans = page.matches("<span class=\"matched\" title").count() as u64;
    assert_eq!(spans, length(&claims[0], "output_tokens"));
}
