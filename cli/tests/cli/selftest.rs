//! `camelid rastic selftest`: the embedded model, and files that are no models.

use crate::support::Place;
use serde_json::Value;

#[test]
fn the_embedded_model_is_exact() {
    let ran = Place::new().camelid("rastic selftest --json");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let record: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(record["schema"], "camelid.rastic.selftest.v1");
    assert_eq!(
        (&record["positions"], &record["differing"]),
        (&64.into(), &0.into())
    );
    assert_eq!(
        (&record["exact"], &record["largest_difference_milli"]),
        (&true.into(), &0.into())
    );
}

/// Runs the self-test on a file of these bytes: exit 4, and a message with `part`.
fn refused(content: &[u8], part: &str) {
    let place = Place::new();
    place.write("bad.gguf", content);
    let ran = place.camelid("rastic selftest --model bad.gguf --json");
    assert_eq!((ran.code, ran.stdout.as_str()), (4, ""), "{}", ran.stderr);
    for part in ["bad.gguf: ", part, "hint: "] {
        assert!(ran.stderr.contains(part), "{part:?} is not in: {}", ran.stderr);
    }
    assert_eq!(ran.stderr.matches("bad.gguf").count(), 1, "{}", ran.stderr);
}

#[test]
fn an_absent_file() {
    let ran = Place::new().camelid("rastic selftest --model absent.gguf");
    assert_eq!(ran.code, 4, "{}", ran.stderr);
    assert!(ran.stderr.contains("absent.gguf: "), "{}", ran.stderr);
}

#[test]
fn other_files() {
    refused(b"", "GGUF");
    refused(b"PK\x03\x04 and so on", "GGUF");
    refused(b"GGUF\x03\x00\x00\x00\x01", "cut off");
}

/// A header without fault, and nothing behind it: only the library can tell.
#[test]
fn a_file_that_the_child_refuses() {
    let mut file = b"GGUF\x03\x00\x00\x00".to_vec();
    file.extend([0; 16]);
    refused(&file, "cannot be loaded");
}
