//! Runs a scenario while one expectation watches, and prints the first seed at which it fails.
//!
//! Arguments: scenario file, id of an invariant or an expectation, seeds. It lives as an example in a
//! copy of `sim` that has a bug planted in it.

use camelid_sim::invariant;
use camelid_sim::run;
use camelid_sim::scenario::Scenario;
use std::panic::catch_unwind;
use std::path::Path;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().expect("a scenario file");
    let id = arguments.next().expect("an id");
    let mut scenario = Scenario::load(Path::new(&path)).expect("a scenario that loads");
    if id != "all" {
        // Alone, so that nothing else ends the run before it has seen the bug.
        let watch = invariant::IDS.contains(&id.as_str()).then(|| id.clone());
        scenario.expect.get_mut().always = Some(watch.into_iter().collect());
    }
    for seed in arguments {
        let seed: u64 = seed.parse().expect("a seed");
        let Ok(run) = catch_unwind(|| run(&scenario, seed)) else {
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
