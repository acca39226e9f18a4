//! What is wrong with prompts, claims and model files is said so that it can be mended.

use crate::support::Place;
use camelid_inference_ggml::EMBEDDED;
use serde_json::{Value, json};
use std::fs;

fn honest() -> (Place, Value) {
    let place = Place::new();
    place.write("prompts.txt", "Once upon a time\n");
    let ran = place.camelid("rastic generate --prompts prompts.txt --out honest.jsonl --max-tokens 8");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let line = fs::read_to_string(place.path("honest.jsonl")).expect("claims");
    let claim = serde_json::from_str(&line).expect("JSON");
    (place, claim)
}

#[test]
fn bad_claims_are_refused_with_their_line() {
    let (place, claim) = honest();
    let with = |changes: &[(&str, Value)]| {
        let mut claim = claim.clone();
        for (field, value) in changes {
            if value.is_null() {
                claim.as_object_mut().expect("an object").remove(*field);
            } else {
                claim[*field] = value.clone();
            }
        }
        claim.to_string()
    };
    let cases: Vec<(String, &str)> = vec![
        ("{".into(), "column 1: EOF"),
        ("[]".into(), "is no JSON object"),
        ("no JSON".into(), "is no JSON object"),
        (with(&[("id", Value::Null)]), "missing field `id`"),
        (with(&[("seed", Value::Null)]), "missing field `seed`"),
        (with(&[("id", json!(""))]), "the id is empty"),
        (with(&[("temprature", json!(1))]), "unknown field `temprature`"),
        (
            with(&[("schema", json!("camelid.claim.v2"))]),
            "the schema is \"camelid.claim.v2\"",
        ),
        (with(&[("model", json!("xyz"))]), "`model` is \"xyz\""),
        (
            with(&[("model", json!("00".repeat(32)))]),
            "the claim is about the model 00000000",
        ),
        (with(&[("job", json!("0"))]), "`job` is \"0\""),
        (
            with(&[("prompt", Value::Null), ("prompt_tokens", Value::Null)]),
            "there is no prompt",
        ),
        (with(&[("prompt_tokens", json!([]))]), "the prompt has no token"),
        (
            with(&[("output", Value::Null), ("output_tokens", Value::Null)]),
            "there is no output",
        ),
        (
            with(&[("prompt_tokens", json!([1, 1024]))]),
            "prompt_tokens[1] is 1024, and the model's ids end at 1023",
        ),
        (
            with(&[("prompt_tokens", json!([-1]))]),
            "invalid value: integer `-1`",
        ),
        (with(&[("prompt_tokens", json!([u64::MAX]))]), "invalid value"),
        (
            with(&[("prompt_tokens", json!(vec![5; 2045]))]),
            "the model's context holds 2048",
        ),
        (
            with(&[("prompt_tokens", json!(vec![5; 5000]))]),
            "the prompt has 5000 tokens",
        ),
        (
            with(&[("output_tokens", json!(vec![5; 5000]))]),
            "the output has 5000 tokens",
        ),
        (with(&[("max_tokens", json!(0))]), "max_tokens is 0"),
        (with(&[("max_tokens", json!(4097))]), "max_tokens is 4097"),
        (
            with(&[("temperature_milli", json!(10_001))]),
            "temperature 10001/1000 is above 10000/1000",
        ),
        (with(&[("top_p_milli", json!(0))]), "top_p 0/1000 is not in"),
        (
            with(&[("temperature_milli", json!(0)), ("top_k", json!(40))]),
            "always takes the best token",
        ),
        (
            with(&[("temperature_milli", json!(0)), ("top_p_milli", json!(900))]),
            "always takes the best token",
        ),
        (
            with(&[
                ("max_tokens", json!(8)),
                ("output_tokens", json!(vec![5; 8])),
                ("finish", json!("end")),
            ]),
            "`finish` contradicts the output",
        ),
        (
            with(&[("output_tokens", json!([5, 1])), ("finish", json!("limit"))]),
            "`finish` contradicts the output",
        ),
        (with(&[("finish", json!("because"))]), "unknown variant `because`"),
        (
            with(&[("template", json!("chat")), ("prompt_tokens", Value::Null)]),
            "no chat template",
        ),
        (claim.to_string(), "line 1 has the id \"1\" too"),
    ];
    // As many at a time as are listed.
    for cases in cases.chunks(20) {
        let lines: String = cases.iter().map(|(line, _)| format!("{line}\n")).collect();
        place.write("bad.jsonl", format!("{claim}\n\n{lines}"));
        let ran = place.camelid("rastic verify --claims bad.jsonl");
        assert_eq!((ran.code, &*ran.stdout), (4, ""), "{}", ran.stderr);
        let faults: Vec<&str> = ran.stderr.split("bad.jsonl:").skip(1).collect();
        assert_eq!(faults.len(), cases.len(), "{}", ran.stderr);
        for (number, (fault, (_, says))) in (3..).zip(faults.iter().zip(cases)) {
            assert!(fault.starts_with(&format!("{number}: ")), "{says}: {fault}");
            assert!(fault.contains(says), "{says}: {fault}");
            assert!(fault.contains("hint: "), "{says}: {fault}");
        }
    }
    place.write("long.jsonl", format!("{{\"id\":\"{}\"}}", "x".repeat(1 << 20)));
    let ran = place.camelid("rastic verify --claims long.jsonl");
    assert_eq!(ran.code, 4);
    assert!(
        ran.stderr
            .contains("long.jsonl:1: the line is longer than 1048576 bytes"),
        "{}",
        ran.stderr
    );
}

#[test]
fn files_without_claims_or_prompts_are_refused() {
    let place = Place::new();
    place.write("empty", "\n\n");
    place.write("binary", [0xff, 0xfe, b'\n']);
    for args in [
        "verify --claims",
        "attack --kind edit --claims",
        "generate --prompts",
        "explain --id 1 --claims",
    ] {
        for file in ["absent", "empty", "binary"] {
            let ran = place.camelid(&format!("rastic {args} {file}"));
            assert_eq!((ran.code, &*ran.stdout), (4, ""), "{args} {file}: {}", ran.stderr);
            assert!(
                ran.stderr.contains(file) && ran.stderr.contains("hint: "),
                "{args} {file}: {}",
                ran.stderr
            );
        }
    }
}

/// A token that no model has is no reason not to judge: the claim is false.
#[test]
fn an_output_outside_the_vocabulary_is_invalid() {
    let (place, mut claim) = honest();
    claim["output_tokens"][2] = json!(4_000_000_000_u32);
    claim.as_object_mut().expect("an object").remove("finish");
    place.write("odd.jsonl", format!("{claim}\n"));
    let ran = place.camelid("rastic verify --claims odd.jsonl --json");
    assert_eq!(ran.code, 5, "{}", ran.stderr);
    let record: Value = serde_json::from_str(ran.stdout.lines().next().expect("a record")).expect("JSON");
    let at = claim["prompt_tokens"].as_array().expect("tokens").len() + 2;
    assert_eq!(
        (&record["first_bad"], &record["positions_checked"]),
        (&json!(at), &json!(0))
    );
    assert_eq!(record["reason"], "a token is not in the vocabulary");
    assert_eq!(record["max_gap_milli"], Value::Null);
    let ran = place.camelid("rastic explain --claims odd.jsonl --id 1");
    assert!(
        ran.code == 0 && ran.stdout.contains("<4000000000>"),
        "{}{}",
        ran.stdout,
        ran.stderr
    );
}

#[test]
fn prompts_that_do_not_fit_are_refused_before_anything_is_written() {
    let place = Place::new();
    place.write("long.txt", format!("short\n{}\n", "tell me a story ".repeat(600)));
    place.write("short.txt", "short\n");
    for (args, says) in [
        ("--prompts long.txt --max-tokens 64", "long.txt:2: the prompt has"),
        ("--prompts short.txt --max-tokens 2048", "ask for --max-tokens"),
        ("--prompts short.txt --max-tokens 0", "--max-tokens"),
        ("--prompts short.txt --max-tokens 4097", "--max-tokens"),
        (
            "--prompts short.txt --temperature-milli 10001",
            "above 10000/1000",
        ),
        (
            "--prompts short.txt --temperature-milli 0 --top-k 5",
            "always takes the best token",
        ),
        ("--prompts short.txt --top-p-milli 0", "top_p 0/1000"),
        ("--prompts short.txt --template chat", "no chat template"),
        ("--prompts short.txt --seed minus", "--seed"),
    ] {
        let ran = place.camelid(&format!("rastic generate {args} --out out.jsonl"));
        assert_eq!(ran.code, 2, "{args}: {}", ran.stderr);
        assert!(ran.stderr.contains(says), "{args}: {}", ran.stderr);
        assert!(!place.path("out.jsonl").exists(), "{args}");
    }
}

#[test]
fn bad_checks_are_wrong_usage() {
    let (place, _) = honest();
    for args in ["--spec v3", "--samples 5000", "--beacon 12", "--beacon zz"] {
        let ran = place.camelid(&format!("rastic verify --claims honest.jsonl {args}"));
        assert_eq!(ran.code, 2, "{args}: {}", ran.stderr);
    }
}

#[test]
fn files_that_are_no_models_are_refused() {
    let place = Place::new();
    place.write("prompts.txt", "Once\n");
    place.write("empty.gguf", "");
    place.write("text.gguf", "This is not a model.\n");
    place.write("truncated.gguf", &EMBEDDED[..EMBEDDED.len() / 2]);
    place.write("header.gguf", &EMBEDDED[..1000]);
    let flipped = |at: usize| {
        let mut bytes = EMBEDDED.to_vec();
        bytes[at] ^= 0x40;
        bytes
    };
    // The magic number, the version, and the number of tensors.
    for (name, at) in [("magic.gguf", 0), ("version.gguf", 5), ("tensors.gguf", 14)] {
        place.write(name, flipped(at));
    }
    fs::create_dir(place.path("folder.gguf")).expect("a directory");
    for file in [
        "absent.gguf",
        "empty.gguf",
        "text.gguf",
        "truncated.gguf",
        "header.gguf",
        "magic.gguf",
        "version.gguf",
        "tensors.gguf",
        "folder.gguf",
    ] {
        for verb in [
            format!("rastic generate --prompts prompts.txt --model {file}"),
            format!("model add {file}"),
            format!("model inspect {file}"),
            format!("model quantize {file} --type q4_0 --out out.gguf"),
        ] {
            let ran = place.camelid(&verb);
            assert_eq!((ran.code, &*ran.stdout), (4, ""), "{verb}: {}", ran.stderr);
            assert!(
                ran.stderr.contains(file) && ran.stderr.contains("hint: "),
                "{verb}: {}",
                ran.stderr
            );
        }
    }
    assert!(!place.path("out.gguf").exists());
    let ran = place.camelid(&format!(
        "rastic generate --prompts prompts.txt --model {}",
        "ab".repeat(32)
    ));
    assert_eq!(ran.code, 4, "{}", ran.stderr);
    assert!(ran.stderr.contains("no model with the root"), "{}", ran.stderr);
}
