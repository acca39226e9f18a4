//! The store of models.

use crate::support::Place;
use camelid_core::primitives::MerkleTree;
use camelid_inference_ggml::EMBEDDED;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::fs;

fn root_of(bytes: &[u8]) -> String {
    MerkleTree::new(bytes.chunks(1 << 20)).root().to_string()
}

fn records(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

/// A place with another model in `coarse.gguf`, and its root.
fn place() -> (Place, String) {
    let place = Place::new();
    place.write("prompts.txt", "Once upon a time\n");
    let ran = place.camelid("model quantize embedded --type q4_0 --out coarse.gguf");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let root = root_of(&fs::read(place.path("coarse.gguf")).expect("a model"));
    assert_eq!(ran.stdout.trim(), root);
    (place, root)
}

#[test]
fn roots_are_merkle_roots_of_chunks() {
    let (place, root) = place();
    let said = |args: &str| {
        place
            .camelid(&format!("model root {args}"))
            .stdout
            .trim()
            .to_owned()
    };
    assert_eq!(said("coarse.gguf"), root);
    assert_eq!(said("embedded"), root_of(EMBEDDED));
    assert_eq!(said(""), root_of(EMBEDDED));
    // Any file has one.
    let long: Vec<u8> = (0..251).cycle().take(3 << 20).collect();
    for (name, bytes) in [
        ("empty", &[][..]),
        ("short", b"abc"),
        ("chunk", &long[..1 << 20]),
        ("long", &long),
    ] {
        place.write(name, bytes);
        assert_eq!(said(name), root_of(bytes), "{name}");
    }
    assert_eq!(place.camelid("model root absent").code, 4);
}

#[test]
fn added_models_go_by_their_roots() {
    let (place, root) = place();
    let add = |args: &str| place.camelid(&format!("model add {args}"));
    let ran = add("coarse.gguf");
    assert_eq!((ran.code, ran.stdout.trim()), (0, &*root), "{}", ran.stderr);
    let ran = add("coarse.gguf --json");
    assert_eq!(ran.code, 0, "adding it again changes nothing: {}", ran.stderr);
    assert_eq!(records(&ran.stdout)[0]["root"], json!(root));

    let listed = records(&place.camelid("model list --json").stdout);
    let roots: Vec<&str> = listed.iter().filter_map(|model| model["root"].as_str()).collect();
    assert_eq!(roots, [&root_of(EMBEDDED), &root]);
    assert_eq!(listed[1]["name"], "coarse.gguf");
    let size = fs::metadata(place.path("coarse.gguf")).expect("a file").len();
    assert_eq!(
        (&listed[1]["bytes"], &listed[1]["chunks"]),
        (&json!(size), &json!(size.div_ceil(1 << 20)))
    );

    // Its file is no longer needed, and the beginning of its root is enough.
    fs::remove_file(place.path("coarse.gguf")).expect("a file");
    for name in [&root[..], &root[..8], &root.to_uppercase()] {
        let ran = place.camelid(&format!(
            "rastic generate --model {name} --prompts prompts.txt --max-tokens 4"
        ));
        assert_eq!(ran.code, 0, "{name}: {}", ran.stderr);
        assert_eq!(records(&ran.stdout)[0]["model"], json!(root));
    }
    let ran = place.camelid(&format!("model inspect {} --json", &root[..12]));
    let inspected = &records(&ran.stdout)[0];
    for (key, value) in [
        ("root", json!(root)),
        ("vocabulary", json!(1024)),
        ("context", json!(2048)),
        ("exact", json!(true)),
        ("chat_template", json!(false)),
        ("end_tokens", json!([{"id": 1, "text": "<|end|>"}])),
    ] {
        assert_eq!(inspected[key], value, "{key}");
    }
    assert!(
        place
            .camelid("model inspect")
            .stdout
            .contains("vocabulary  1024 tokens")
    );
}

#[test]
fn a_checksum_is_held_to() {
    let (place, _) = place();
    let bytes = fs::read(place.path("coarse.gguf")).expect("a model");
    let right: String = Sha256::digest(&bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let ran = place.camelid(&format!("model add coarse.gguf --sha256 {}", "0".repeat(64)));
    assert_eq!(ran.code, 4);
    assert!(ran.stderr.contains(&right), "{}", ran.stderr);
    assert_eq!(records(&place.camelid("model list --json").stdout).len(), 1);
    assert_eq!(
        place
            .camelid(&format!("model add coarse.gguf --sha256 {right}"))
            .code,
        0
    );
}

#[test]
fn damage_to_the_store_is_noticed() {
    let (place, root) = place();
    assert_eq!(place.camelid("model add coarse.gguf").code, 0);
    let stored = place.path("models").join(&root);
    let inspect = || place.camelid(&format!("model inspect {root}"));
    assert_eq!(inspect().code, 0);

    let mut bytes = fs::read(stored.join("model.gguf")).expect("the model");
    *bytes.last_mut().expect("a byte") ^= 1;
    fs::write(stored.join("model.gguf"), &bytes).expect("a file");
    let ran = inspect();
    assert_eq!(ran.code, 4);
    assert!(ran.stderr.contains("is damaged"), "{}", ran.stderr);

    fs::write(stored.join("about.json"), "{}").expect("a file");
    let ran = place.camelid("model list");
    assert_eq!(ran.code, 4);
    assert!(ran.stderr.contains("about.json"), "{}", ran.stderr);
}

#[test]
fn what_is_half_added_is_not_there() {
    let (place, _) = place();
    place.write("models/.adding-abc/model.gguf", "half a model");
    place.write("models/notes.txt", "mine");
    assert_eq!(records(&place.camelid("model list --json").stdout).len(), 1);
}
