//! Scenarios that cannot be loaded: exit 4, and words that help.

use crate::support::{Place, sound};

/// Runs `content` as a scenario: it must not load, and the message must hold each of `parts`.
fn refused(content: impl AsRef<[u8]>, parts: &[&str]) {
    let place = Place::new();
    place.write("bad.toml", content);
    let ran = place.sim("run bad.toml --seeds 0..2");
    assert_eq!(ran.code, 4, "{}", ran.stderr);
    assert_eq!(ran.stdout, "", "nothing runs");
    for part in parts.iter().chain(&["bad.toml", "hint: "]) {
        assert!(ran.stderr.contains(part), "{part:?} is not in: {}", ran.stderr);
    }
}

/// The sound scenario with `from` replaced.
fn changed(from: &str, to: &str) -> String {
    let sound = sound("a");
    assert!(sound.contains(from));
    sound.replacen(from, to, 1)
}

#[test]
fn an_absent_file() {
    let place = Place::new();
    let ran = place.sim("run absent.toml");
    assert_eq!(ran.code, 4);
    assert!(
        ran.stderr.contains("absent.toml: cannot be read"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("hint: "), "{}", ran.stderr);
}

#[test]
fn an_empty_file() {
    refused("", &["is empty"]);
    refused(" \n\n", &["is empty"]);
}

#[test]
fn a_binary_file() {
    refused([0x7f, b'E', b'L', b'F', 0xff, 0, 0], &["not text"]);
    refused([0, 1, 2, 3], &["bad.toml:1:"]);
}

#[test]
fn an_unknown_key() {
    refused(
        changed("heal_at_ms = 0", "heal_at_ms = 0\nheel = 1"),
        &["bad.toml:8:1", "heel"],
    );
}

#[test]
fn bad_numbers() {
    refused(changed("1_800_000", "-5"), &["bad.toml:6:"]);
    refused(changed("1_800_000", "1.5"), &["bad.toml:6:"]);
    refused(changed("1_800_000", "99999999999999999999"), &["bad.toml:6:"]);
    refused(changed("peers = 1", "peers = [3, 1]"), &["bad.toml:10:", "range"]);
    refused(changed("1_800_000", "0"), &["bad.toml:"]);
}

#[test]
fn an_impossible_topology() {
    refused(
        changed("peers = 1", "peers = 3"),
        &["bad.toml:12:", "impossible topology"],
    );
}

#[test]
fn two_scenarios_with_one_name() {
    let place = Place::new();
    place.write("all/a.toml", sound("same"));
    place.write("all/b.toml", sound("same"));
    let ran = place.sim("run all");
    assert_eq!(ran.code, 4, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("all/a.toml") && ran.stderr.contains("all/b.toml"),
        "{}",
        ran.stderr
    );
    // One file named twice is one scenario.
    assert_eq!(place.sim("run all/a.toml ./all/a.toml --seed 0").code, 0);
}

#[test]
fn a_directory_without_scenarios() {
    let place = Place::new();
    place.write("empty/notes.txt", "");
    for verb in ["run", "list"] {
        let ran = place.sim(&format!("{verb} empty"));
        assert_eq!(ran.code, 4, "{}", ran.stderr);
        assert!(ran.stderr.contains("empty: holds no scenario"), "{}", ran.stderr);
    }
}

#[test]
fn nothing_runs_when_one_of_many_is_bad() {
    let place = Place::new();
    place.write("all/a.toml", sound("a"));
    place.write("all/b.toml", "name = ");
    place.write("all/c.toml", "");
    let ran = place.sim("run all --json");
    assert_eq!((ran.code, ran.stdout.as_str()), (4, ""));
    assert!(
        ran.stderr.contains("b.toml:1:") && ran.stderr.contains("c.toml"),
        "{}",
        ran.stderr
    );
}
