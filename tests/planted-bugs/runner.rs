//! Runs a scenario while one expectation watches, and prints the first seed at which it fails.
//!
//! Arguments: scenario file, or `swarm` for the scenario that each seed draws; id of an invariant or an
//! expectation, or `all`; first seed and the one after the last. It lives as an example in a copy of
//! `sim` that has a bug planted in it.

use camelid_sim::scenario::Scenario;
use camelid_sim::{invariant, run, swarm};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().expect("a scenario");
    let id = arguments.next().expect("an id");
    let mut number = || -> u64 {
        let text = arguments.next().expect("a seed");
        text.parse().expect("a number")
    };
    let seeds = number()..number();
    for seed in seeds {
        let mut scenario = if path == "swarm" {
            swarm::draw(seed).expect("a scenario that loads").scenario
        } else {
            Scenario::load(Path::new(&path)).expect("a scenario that loads")
        };
        if id != "all" {
            // Alone, so that nothing else ends the run before it has seen the bug.
            let watch = invariant::IDS.contains(&id.as_str()).then(|| id.clone());
            scenario.expect.get_mut().always = Some(watch.into_iter().collect());
        }
        let Ok(run) = catch_unwind(AssertUnwindSafe(|| run(&scenario, seed))) else {
            println!("seed {seed}: panic");
            return;
        };
        let violations = run.report.violations;
        if let Some(found) = violations.iter().find(|violation| id == "all" || violation.id == id) {
            println!("seed {seed}: {}: {}", found.id, found.message);
            return;
        }
    }
}
