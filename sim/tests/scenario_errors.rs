//! A scenario that cannot be loaded says where it is wrong and what to do.

mod support;

use camelid_sim::scenario::{LoadError, Scenario};
use proptest::prelude::*;
use std::path::{Path, PathBuf};
use support::SMALL;

/// What replaces what in a good scenario, the text that the error points at, and what message and
/// hint say.
const FAULTS: &[(&str, &str, &str, &str, &str)] = &[
    // Not TOML, or not this format.
    ("[run]", "[run", "[run", "", "not valid TOML"),
    (
        "peers = 2",
        "peers = 2\npears = 3",
        "pears",
        "unknown field",
        "remove the key",
    ),
    (
        "[run]",
        "[walk]\nfar = 1\n\n[run]",
        "walk",
        "unknown field",
        "remove the key",
    ),
    (
        "about = \"One job between four nodes.\"\n",
        "",
        "",
        "missing field `about`",
        "add the key",
    ),
    (
        "until_ms = 600_000\n",
        "",
        "[run]",
        "missing field `until_ms`",
        "add the key",
    ),
    (
        "name = \"relay\"",
        "",
        "[[nodes]]\n\n\n[[jobs]]",
        "missing field `name`",
        "add the key",
    ),
    // Numbers.
    (
        "loss_permille = 10",
        "loss_permille = -1",
        "-1",
        "negative",
        "not negative",
    ),
    (
        "loss_permille = 10",
        "loss_permille = 1.5",
        "1.5",
        "invalid type",
        "whole",
    ),
    (
        "loss_permille = 10",
        "loss_permille = \"10\"",
        "\"10\"",
        "invalid type",
        "whole",
    ),
    (
        "loss_permille = 10",
        "loss_permille = [9, 3]",
        "[9, 3]",
        "range is empty",
        "[low, high]",
    ),
    (
        "loss_permille = 10",
        "loss_permille = [9]",
        "[9]",
        "two numbers",
        "[low, high]",
    ),
    (
        "loss_permille = 10",
        "loss_permille = [1, 2, 3]",
        "[1, 2, 3]",
        "two numbers",
        "[low, high]",
    ),
    // Names.
    (
        "name = \"small\"",
        "name = \"So Small\"",
        "name",
        "bad name",
        "lower-case",
    ),
    (
        "name = \"small\"",
        "name = \"\"",
        "name",
        "bad name",
        "lower-case",
    ),
    (
        "name = \"relay\"",
        "name = \"miner\"",
        "[[nodes]]\nname = \"miner\"\n\n[[jobs]]",
        "two groups",
        "name of its own",
    ),
    (
        "[\"worker\"]",
        "[\"boss\"]",
        "\"boss\"",
        "unknown variant `boss`",
        "",
    ),
    (
        "name = \"relay\"",
        "name = \"relay\"\nstrategy = \"nap\"",
        "[[nodes]]\nname = \"relay\"",
        "unknown strategy",
        "never-cosign",
    ),
    (
        "client = \"client\"",
        "client = \"customer\"",
        "[[jobs]]",
        "no group of clients",
        "role \"client\"",
    ),
    (
        "client = \"client\"",
        "client = \"worker\"",
        "[[jobs]]",
        "no group of clients",
        "role \"client\"",
    ),
    (
        "start_ms = 1_000",
        "start_ms = 1_000\nspec = \"v9\"",
        "[[jobs]]",
        "unknown spec",
        "v1-repaired",
    ),
    (
        "[expect]",
        "[[faults]]\nkind = \"crash\"\nfor_ms = 1\nnodes = [\"moon\"]\n\n[expect]",
        "[[faults]]",
        "no node or group",
        "GROUP-NUMBER",
    ),
    (
        "[expect]",
        "[[faults]]\nkind = \"crash\"\nfor_ms = 1\nnodes = [\"relay-1\"]\n\n[expect]",
        "[[faults]]",
        "no node or group",
        "GROUP-NUMBER",
    ),
    (
        "[expect]",
        "[[faults]]\nkind = \"flood\"\nfor_ms = 1\nnodes = [\"relay\"]\n\n[expect]",
        "\"flood\"",
        "unknown variant `flood`",
        "",
    ),
    (
        "[expect]",
        "[expect]\nalways = [\"peace\"]",
        "[expect]",
        "unknown invariant",
        "coins-conserved",
    ),
    // What cannot be.
    (
        "heal_at_ms = 300_000",
        "heal_at_ms = 600_000",
        "heal_at_ms",
        "before the network heals",
        "smaller than until_ms",
    ),
    (
        "until_ms = 600_000",
        "until_ms = 999_999_999",
        "until_ms",
        "longer than a week",
        "smaller",
    ),
    (
        "peers = 2",
        "peers = 4",
        "[[nodes]]",
        "impossible topology: 4 nodes cannot have 4",
        "network.peers",
    ),
    (
        "peers = 2",
        "peers = 0",
        "[[nodes]]",
        "impossible topology",
        "network.peers",
    ),
    (
        "name = \"relay\"",
        "name = \"relay\"\ncount = 998",
        "[[nodes]]",
        "1001 nodes",
        "at most 1000",
    ),
    (
        "name = \"relay\"",
        "name = \"relay\"\ncount = 18446744073709551615",
        "",
        "",
        "",
    ),
    (
        "roles = [\"miner\"]",
        "roles = []",
        "[[nodes]]",
        "nobody mines",
        "role \"miner\"",
    ),
    (
        "start_ms = 1_000",
        "start_ms = 1_000\nmax_tokens = 5_000",
        "[[jobs]]",
        "max_tokens out of range",
        "1 to 4096",
    ),
    (
        "start_ms = 1_000",
        "start_ms = 1_000\nprompt_tokens = [0, 3]",
        "[[jobs]]",
        "prompt_tokens out of range",
        "1 to 4096",
    ),
    (
        "start_ms = 1_000",
        "start_ms = 1_000\ntemperature_milli = 10_001",
        "[[jobs]]",
        "temperature_milli",
        "0 to 10000",
    ),
    (
        "sometimes = [{ event = \"job-open\" }]",
        "sometimes = []",
        "[expect]",
        "`sometimes` is empty",
        "shows nothing",
    ),
];

#[test]
fn every_fault_is_told_with_its_line() {
    for (from, to, place, message, hint) in FAULTS {
        assert_eq!(SMALL.matches(from).count(), 1, "{from:?} must occur once");
        let text = SMALL.replacen(from, to, 1);
        let error = Scenario::parse(&text, "bad.toml").expect_err(to);
        let start = text
            .find(place)
            .unwrap_or_else(|| panic!("{place:?} is not in the text"));
        let line = text[..start].matches('\n').count() + 1;
        assert!(
            error.message.contains(message),
            "{to}: {message:?} expected in {:?}",
            error.message
        );
        assert!(
            error.hint.contains(hint),
            "{to}: {hint:?} expected in {:?}",
            error.hint
        );
        assert!(!error.hint.is_empty(), "{to}: no hint");
        if !place.is_empty() {
            assert_eq!(error.line, Some(line), "{to}: {error}");
        }
        let shown = error.to_string();
        let head = format!(
            "bad.toml:{}:{}: ",
            error.line.unwrap_or(0),
            error.column.unwrap_or(0)
        );
        assert!(shown.starts_with(&head) && shown.contains("hint: "), "{shown}");
    }
}

#[test]
fn files_that_are_no_scenarios_are_told_apart() {
    let folder = std::env::temp_dir().join(format!("camelid-scenario-errors-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder for bad files");
    let write = |name: &str, bytes: &[u8]| -> PathBuf {
        let path = folder.join(name);
        std::fs::write(&path, bytes).expect("a bad file");
        path
    };
    let cases = [
        (folder.join("absent.toml"), "cannot be read", "check the path"),
        (write("empty.toml", b""), "is empty", "complete example"),
        (write("blank.toml", b" \n\n"), "is empty", "complete example"),
        (write("binary.toml", &[0xff, 0xfe, 0, 1]), "not text", "TOML file"),
        (
            write("large.toml", &vec![b'#'; (1 << 20) + 1]),
            "larger than 1 MiB",
            "short TOML file",
        ),
        (folder.clone(), "cannot be read", ""),
    ];
    for (path, message, hint) in cases {
        let LoadError {
            file,
            line,
            message: said,
            hint: advice,
            ..
        } = Scenario::load(&path).expect_err(message);
        assert_eq!((Path::new(&file), line), (&*path, None));
        assert!(said.contains(message), "{file}: {said}");
        assert!(advice.contains(hint) && !advice.is_empty(), "{file}: {advice}");
    }
    std::fs::remove_dir_all(&folder).expect("the folder is ours");
}

proptest! {
    #[test]
    fn no_text_makes_the_loader_panic(text in "(\\PC|\n){0,200}") {
        let _ = Scenario::parse(&text, "any.toml");
    }

    /// Near-misses reach deeper than noise does.
    #[test]
    fn no_edit_makes_the_loader_panic(at in any::<prop::sample::Index>(), cut in 0..40usize, insert in "[\\[\\]={}\"0-9a-z,\n-]{0,12}") {
        let at = at.index(SMALL.len());
        let end = (at + cut).min(SMALL.len());
        let text = [&SMALL[..at], &insert, &SMALL[end..]].concat();
        let _ = Scenario::parse(&text, "any.toml");
    }
}
