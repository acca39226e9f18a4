//! Scenarios that run the model in the binary.

use crate::support::{Place, scenario};
use camelid_sim::trace::{Trace, replay};
use serde_json::Value;
use std::fs;
use std::path::Path;

fn scenarios() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/models");
    path.display().to_string()
}

#[test]
fn the_suite_holds_and_replays_without_the_model() {
    let place = Place::new();
    let ran = place.sim(&format!(
        "run {} --seeds 0..3 --json --trace-dir traces",
        scenarios()
    ));
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let runs: Vec<Value> = ran
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let mut replayed = 0;
    for run in runs.iter().filter(|run| run["schema"] == "camelid.sim.run.v1") {
        let name = format!(
            "traces/{}-{}.trace",
            run["scenario"].as_str().expect("a name"),
            run["seed"]
        );
        let trace = Trace::read(&fs::read(place.path(&name)).expect("a trace")).expect("a whole trace");
        // Nothing here could run the model.
        let done = replay(&trace).unwrap_or_else(|error| panic!("{name}: {error:?}"));
        assert_eq!(run["digest"], done.digest.to_string());
        replayed += 1;
    }
    assert_eq!(replayed, 12);
    let again = place.sim(&format!("run {} --seed 1 --json", scenarios()));
    for line in again.stdout.lines().filter(|line| line.contains("sim.run.v1")) {
        assert!(ran.stdout.contains(line), "the same run again: {line}");
    }
}

#[test]
fn models_that_cannot_be_had_are_named() {
    let place = Place::new();
    place.write("junk.gguf", "no model");
    for (model, says) in [
        ("kind = \"gguf\"\nfile = \"absent.gguf\"", "absent.gguf"),
        ("kind = \"gguf\"\nfile = \"junk.gguf\"", "junk.gguf"),
        ("kind = \"gguf\"\nfile = \"embedded\"\ncoarse = \"q1_7\"", "q1_7"),
        ("kind = \"gguf\"", "needs a file"),
        ("kind = \"hash\"\nfile = \"embedded\"", "has no file"),
    ] {
        let text = scenario("odd", r#"sometimes = [{ event = "job-open" }]"#);
        place.write(
            "odd.toml",
            text.replace(
                "[[nodes]]\nname = \"client\"",
                &format!("[model]\n{model}\n\n[[nodes]]\nname = \"client\""),
            ),
        );
        let ran = place.sim("run odd.toml --seed 0");
        assert_eq!(ran.code, 4, "{model}: {}", ran.stderr);
        assert!(
            ran.stderr.contains(says) && ran.stderr.contains("odd.toml:"),
            "{model}: {}",
            ran.stderr
        );
    }
}
