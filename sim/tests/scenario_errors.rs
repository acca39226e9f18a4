//! A scenario that cannot be loaded says where it is wrong and what to do.

mod support;

use camelid_core::keys::SharedVerifier;
use camelid_sim::scenario::{LoadError, Scenario, Setup};
use camelid_sim::{MemoVerifier, run};
use proptest::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::Arc;
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
        "roles = [\"worker\"]",
        "roles = [\"worker\"]\nstrategy = \"erase-open\"",
        "strategy",
        "needs a role",
        "\"client\"",
    ),
    (
        "start_ms = 1_000",
        "start_ms = 1_000\nmax_tokens = 5_000",
        "max_tokens",
        "max_tokens out of range",
        "1 to 4096",
    ),
    (
        "start_ms = 1_000",
        "start_ms = 1_000\nprompt_tokens = [0, 3]",
        "prompt_tokens",
        "prompt_tokens out of range",
        "1 to 4096",
    ),
    (
        "start_ms = 1_000",
        "start_ms = 1_000\ntemperature_milli = 10_001",
        "temperature_milli",
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
    (
        "sometimes = [{ event = \"job-open\" }]",
        "sometimes = [{ event = \"job-open\" }]\ninvariants_only = true",
        "invariants_only",
        "something is expected beside the invariants",
        "remove the key",
    ),
    (
        "[expect]",
        "[[faults]]\nkind = \"crash\"\nfor_ms = 1\nnodes = [\"relay\"]\nbefore_ms = 604_800_001\n\n[expect]",
        "before_ms",
        "before_ms out of range",
        "0 to 604800000",
    ),
    // A comment that speaks of the key is not the key.
    (
        "name = \"small\"",
        "# the name\nname = \"So Small\"",
        "name = \"So",
        "bad name",
        "lower-case",
    ),
    (
        "until_ms = 600_000",
        "# until_ms is long\nuntil_ms = 999_999_999",
        "until_ms = 9",
        "longer than a week",
        "smaller",
    ),
];

/// A line that replaces another one, the key that the error points at, and the limits that the
/// hint names.
const LIMITS: &[(&str, &str, &str, &str)] = &[
    (
        "loss_permille = 10",
        "loss_permille = [0, 1_001]",
        "loss_permille",
        "0 to 1000",
    ),
    (
        "loss_permille = 10",
        "duplicate_permille = 1_001",
        "duplicate_permille",
        "0 to 1000",
    ),
    (
        "loss_permille = 10",
        "reorder_permille = 1_001",
        "reorder_permille",
        "0 to 1000",
    ),
    (
        "loss_permille = 10",
        "latency_ms = [0, 604_800_001]",
        "latency_ms",
        "0 to 604800000",
    ),
    (
        "loss_permille = 10",
        "disk_ms = 604_800_001",
        "disk_ms",
        "0 to 604800000",
    ),
    (
        "roles = [\"miner\"]",
        "roles = [\"miner\"]\nlevel = 1_001",
        "level",
        "0 to 1000",
    ),
    (
        "roles = [\"miner\"]",
        "roles = [\"miner\"]\nclock_ahead_ms = 604_800_001",
        "clock_ahead_ms",
        "0 to 604800000",
    ),
    (
        "roles = [\"miner\"]",
        "roles = [\"miner\"]\nclock_behind_ms = 604_800_001",
        "clock_behind_ms",
        "0 to 604800000",
    ),
    ("[run]", "chain.spacing_s = 0\n[run]", "spacing_s", "1 to 86400"),
    (
        "[run]",
        "chain.spacing_s = 86_401\n[run]",
        "spacing_s",
        "1 to 86400",
    ),
    (
        "[run]",
        "chain.maturity = 10_081\n[run]",
        "maturity",
        "0 to 10080",
    ),
    ("[run]", "chain.challenge = 0\n[run]", "challenge", "1 to 10080"),
    (
        "[run]",
        "[chain]\nchallenge = 10_081\n[run]",
        "challenge",
        "1 to 10080",
    ),
    (
        "[run]",
        "[chain]\ndeliver_counter = 0\n[run]",
        "deliver_counter",
        "1 to 10080",
    ),
    (
        "[run]",
        "[chain]\ndeliver_counter = 10_081\n[run]",
        "deliver_counter",
        "1 to 10080",
    ),
    (
        "[run]",
        "[chain]\nmin_age_s = 604_801\n[run]",
        "min_age_s",
        "0 to 604800",
    ),
    ("[run]", "[model]\norder = [0, 3]\n[run]", "order", "1 to 6"),
    ("[run]", "[model]\norder = 7\n[run]", "order", "1 to 6"),
    (
        "[run]",
        "[model]\nhard_permille = 1_001\n[run]",
        "hard_permille",
        "0 to 1000",
    ),
    (
        "[run]",
        "[model]\nend_permille = 1_001\n[run]",
        "end_permille",
        "0 to 1000",
    ),
    (
        "[run]",
        "[model]\njitter_milli = 10_001\n[run]",
        "jitter_milli",
        "0 to 10000",
    ),
    (
        "[run]",
        "[model]\ntolerance_milli = 10_001\n[run]",
        "tolerance_milli",
        "0 to 10000",
    ),
    (
        "[run]",
        "[model]\ntoken_ms = 604_800_001\n[run]",
        "token_ms",
        "0 to 604800000",
    ),
    (
        "name = \"relay\"",
        "name = \"relay\"\nhash_power = 0",
        "hash_power",
        "1 to 1000000",
    ),
    (
        "name = \"relay\"",
        "name = \"relay\"\nhash_power = 1_000_001",
        "hash_power",
        "1 to 1000000",
    ),
    (
        "name = \"relay\"",
        "name = \"relay\"\n coins= 257",
        " coins=",
        "0 to 256",
    ),
    (
        "name = \"relay\"",
        "name = \"relay\"\ncoin_value = 0",
        "coin_value",
        "1 to 1000000",
    ),
    (
        "name = \"relay\"",
        "name = \"relay\"\ncoin_value = 1_000_001",
        "coin_value",
        "1 to 1000000",
    ),
    (
        "start_ms = 1_000",
        "start_ms = 604_800_001",
        "start_ms",
        "0 to 604800000",
    ),
    (
        "start_ms = 1_000",
        "start_ms = 0\nevery_ms = 604_800_001",
        "every_ms",
        "0 to 604800000",
    ),
    (
        "start_ms = 1_000",
        "start_ms = 0\nsamples = 4_097",
        "samples",
        "0 to 4096",
    ),
    (
        "start_ms = 1_000",
        "start_ms = 0\nreward_units = 40_000_000_000_000_001",
        "reward_units",
        "0 to 40000000000000000",
    ),
    (
        "start_ms = 1_000",
        "start_ms = 0\nengage_fee_units = 40_000_000_000_000_001",
        "engage_fee_units",
        "0 to 40000000000000000",
    ),
    (
        "start_ms = 1_000",
        "start_ms = 0\ndeadline_blocks = 10_081",
        "deadline_blocks",
        "0 to 10080",
    ),
    (
        "[expect]",
        "[[faults]]\nkind = \"crash\"\nnodes = [\"relay\"]\nfor_ms = 604_800_001\n[expect]",
        "for_ms",
        "0 to 604800000",
    ),
    (
        "[expect]",
        "[[faults]]\nkind = \"crash\"\nnodes = [\"relay\"]\nfor_ms = 1\nat_ms = 604_800_001\n[expect]",
        "at_ms = 6",
        "0 to 604800000",
    ),
    (
        "[expect]",
        "[expect]\neventually = [{ event = \"job-open\", at_least = 0 }]",
        "at_least",
        "1 to 10000",
    ),
    (
        "[expect]",
        "[expect]\neventually = [{ event = \"job-open\", at_least = 10_001 }]",
        "at_least",
        "1 to 10000",
    ),
    (
        "[expect]",
        "[expect]\neventually = [{ event = \"job-open\", by_ms = 600_001 }]",
        "by_ms",
        "0 to 600000",
    ),
];

/// As [`FAULTS`]: numbers that fit one by one and not together, and events that never happen.
const MORE_FAULTS: &[(&str, &str, &str, &str, &str)] = &[
    (
        "name = \"relay\"",
        "name = \"relay\"\ncount = 16\ncoins = 256",
        "coins = 256",
        "4104 genesis outputs",
        "at most 4096",
    ),
    (
        "name = \"relay\"",
        "name = \"relay\"\ncount = 2\ncoins = [0, 256]\ncoin_value = 1_000_000",
        "coin_value = 1_000_000",
        "512000400 coins",
        "at most 300000000",
    ),
    (
        "start_ms = 1_000",
        "start_ms = 1_000\ncount = [1, 10_001]",
        "count",
        "10001 jobs",
        "at most 10000",
    ),
    (
        "[expect]",
        "[[jobs]]\nclient = \"client\"\nstart_ms = 0\ncount = 10_000\n[expect]",
        "count",
        "10001 jobs",
        "at most 10000",
    ),
    (
        "[expect]",
        "[[jobs]]\nclient = \"client\"\nstart_ms = 0\ncount = 9_223_372_036_854_775_807\n[expect]",
        "count",
        "jobs",
        "at most 10000",
    ),
    (
        "[expect]",
        "[[faults]]\nkind = \"crash\"\nfor_ms = 1\nnodes = []\n[expect]",
        "nodes = []",
        "concerns nobody",
        "name groups or nodes",
    ),
    (
        "[expect]",
        "[[faults]]\nkind = \"crash\"\non = \"job-engadged\"\nfor_ms = 1\nnodes = [\"relay\"]\n[expect]",
        "on = ",
        "unknown event \"job-engadged\"",
        "job-engaged",
    ),
    // Faults do not set off faults.
    (
        "[expect]",
        "[[faults]]\nkind = \"crash\"\non = \"fault:crash\"\nfor_ms = 1\nnodes = [\"relay\"]\n[expect]",
        "on = ",
        "unknown event \"fault:crash\"",
        "attack:substitution",
    ),
    (
        "[expect]",
        "[expect]\neventually = [\n  { event = \"job-open\" },\n  { event = \"job-opened\" },\n]",
        "{ event = \"job-opened\"",
        "unknown event \"job-opened\"",
        "job-open",
    ),
    (
        "[expect]",
        "[expect]\nnever = [\n  \"job-slashed\",\n  \"job-changed\",\n]",
        "\"job-changed\"",
        "unknown event \"job-changed\"",
        "job-undone",
    ),
    (
        "sometimes = [{ event = \"job-open\" }]",
        "sometimes = [{ event = \"attack:nap\" }]",
        "sometimes",
        "unknown event \"attack:nap\"",
        "attack:never-cosign",
    ),
];

#[test]
fn every_fault_is_told_with_its_line() {
    for fault in FAULTS.iter().chain(MORE_FAULTS) {
        is_told(fault);
    }
}

#[test]
fn every_limit_is_told_with_its_line() {
    for (from, to, key, limit) in LIMITS {
        is_told(&(*from, *to, *key, "out of range", *limit));
    }
}

fn is_told((from, to, place, message, hint): &(&str, &str, &str, &str, &str)) {
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

/// In whatever order they stand in the file.
#[test]
fn a_fault_may_name_nodes_in_any_order() {
    let fault = "\n[[faults]]\nkind = \"crash\"\nfor_ms = 1\nnodes = [\"client\", \"worker-0\", \"miner\"]\n";
    support::parse(&[SMALL, fault].concat());
}

/// The limits leave nothing that overflows, or that has no place in the network's parameters.
#[test]
fn the_greatest_numbers_run() {
    const WEEK_MS: u64 = 604_800_000;
    let text = format!(
        r#"
        name = "greatest"
        about = "All that is allowed."
        run = {{ until_ms = 600_000, heal_at_ms = 599_999 }}
        network = {{ peers = 1, latency_ms = [0, {WEEK_MS}], disk_ms = [0, {WEEK_MS}], loss_permille = 1_000, duplicate_permille = 1_000, reorder_permille = 1_000 }}
        chain = {{ spacing_s = 86_400, maturity = 10_080, challenge = 10_080, deliver_counter = 10_080, min_age_s = 604_800 }}
        model = {{ kind = "ngram", order = 6, token_ms = {WEEK_MS} }}
        nodes = [
            {{ name = "rich", count = 1, coins = 256, coin_value = 1_000_000, roles = ["client"] }},
            {{ name = "miner", count = 15, coins = 256, coin_value = 10_000, hash_power = 1_000_000, roles = ["miner"] }},
        ]
        jobs = [{{ client = "rich", count = 10_000, start_ms = 0, every_ms = [0, {WEEK_MS}], reward_units = 40_000_000_000_000_000, engage_fee_units = 40_000_000_000_000_000, deadline_blocks = 10_080, samples = 4_096 }}]
        faults = [{{ kind = "partition", at_ms = 0, for_ms = {WEEK_MS}, nodes = ["rich"] }}]
        expect = {{ sometimes = [{{ event = "job-refused" }}] }}
        "#
    );
    let scenario = support::parse(&text);
    let verifier: SharedVerifier = Arc::new(MemoVerifier::new());
    let setup = Setup::draw(&scenario, 0, &verifier);
    assert_eq!(setup.params.allocations.len(), 4_096);
    assert_eq!(setup.jobs.len(), 10_000);
    assert_eq!(run(&scenario, 0).report.violations, []);
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
