//! Scenarios for tests.
#![allow(dead_code)] // each test binary uses its own part

use camelid_sim::scenario::Scenario;
use std::path::{Path, PathBuf};

/// Four nodes, one job, ten minutes: a run of a tenth of a second.
pub const SMALL: &str = r#"
name = "small"
about = "One job between four nodes."

[run]
until_ms = 600_000
heal_at_ms = 300_000

[network]
peers = 2
loss_permille = 10

[[nodes]]
name = "miner"
roles = ["miner"]

[[nodes]]
name = "worker"
roles = ["worker"]
coins = 4

[[nodes]]
name = "client"
roles = ["client"]
coins = 4

[[nodes]]
name = "relay"

[[jobs]]
client = "client"
start_ms = 1_000

[expect]
sometimes = [{ event = "job-open" }]
"#;

/// The scenario `text`.
pub fn parse(text: &str) -> Scenario {
    Scenario::parse(text, "test.toml").unwrap_or_else(|error| panic!("{error}"))
}

/// [`SMALL`] over so many virtual milliseconds.
pub fn small(until_ms: u64) -> Scenario {
    let until = format!("until_ms = {until_ms}\nheal_at_ms = {}", until_ms / 2);
    parse(&SMALL.replace("until_ms = 600_000\nheal_at_ms = 300_000", &until))
}

/// The workspace's folder of scenarios.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios")
}

/// All scenarios of the workspace that run toy models, by file name. Those of real models are tested with
/// the command line.
pub fn all() -> Vec<Scenario> {
    let mut paths = Vec::new();
    let mut folders = vec![folder()];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder).expect("a folder of scenarios");
        for path in entries.map(|entry| entry.expect("an entry").path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "toml") {
                paths.push(path);
            }
        }
    }
    paths.sort();
    let load = |path: &PathBuf| match Scenario::load(path) {
        Ok(scenario) => Some(scenario),
        Err(error) if error.needs_models => None,
        Err(error) => panic!("{error}"),
    };
    paths.iter().filter_map(load).collect()
}

/// `judge` for each scenario, on all cores.
pub fn for_all(judge: impl Fn(&Scenario) + Sync) {
    for_each(all().iter(), judge);
}

/// `judge` for each of these scenarios, on all cores.
pub fn for_each<'a>(scenarios: impl Iterator<Item = &'a Scenario>, judge: impl Fn(&Scenario) + Sync) {
    let scenarios: Vec<&Scenario> = scenarios.collect();
    let next = std::sync::atomic::AtomicUsize::new(0);
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(scenario) =
                    scenarios.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
                {
                    judge(scenario);
                }
            });
        }
    });
}
