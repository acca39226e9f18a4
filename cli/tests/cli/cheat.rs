//! A worker that cheats, played by the test: everybody else is a process of its own.

use super::guests::{bind, config, network, params};
use super::nodes::{Running, record, records, until};
use super::support::{Place, Ran};
use camelid_core::keys::SecretKey;
use camelid_core::model::LanguageModel;
use camelid_core::node::{Node, NodeConfig, WorkerConfig};
use camelid_inference_ggml::{EMBEDDED, Engine, GgmlInference, Model, Numerics, Shape};
use camelid_io::{Adapters, Driver, DriverConfig, MemoryStorage, TokioClock};
use camelid_sim::model::Models;
use camelid_sim::scenario::{Clock, NodeSetup};
use camelid_sim::strategy::Actor;
use serde_json::Value;
use std::fs;
use std::sync::Arc;
use tokio::runtime::Runtime;

/// Everybody but the cheat. One verifier holds all the tickets that a committee is drawn from.
const HONEST: [(&str, &str); 3] = [
    ("miner", "--hashes-per-second 512"),
    ("client", ""),
    ("verifier", "--tickets 8"),
];

/// The cheat's coins in each of two parts: the stake of one job, and too little besides for an appeal,
/// which would change nothing and take half a minute.
const COINS: u32 = 17;

fn key() -> SecretKey {
    SecretKey::from_bytes([0xce; 32]).expect("a number below the order")
}

/// A devnet in which the cheat has coins, too.
fn found(place: &Place) {
    for (role, flags) in HONEST {
        let made = place.camelid(&format!("node init --dir {role} --role {role} {flags}"));
        assert_eq!(made.code, 0, "{}", made.stderr);
    }
    let dirs = HONEST.map(|(role, _)| role);
    let founded = place.camelid(&format!("node genesis {}", dirs.join(" ")));
    assert_eq!(founded.code, 0, "{}", founded.stderr);
    let address = key().node_id();
    for dir in dirs {
        let file = format!("{dir}/genesis.toml");
        let genesis = fs::read_to_string(place.path(&file)).expect("a genesis");
        let coins = format!("\n[[allocations]]\naddress = \"{address}\"\ncoins = {COINS}\nparts = 2\n");
        place.write(&file, genesis + &coins);
    }
}

/// The model in the binary.
fn engine(place: &Place) -> Arc<Engine> {
    place.write("embedded.gguf", EMBEDDED);
    let model = Model::load(&place.path("embedded.gguf"), Numerics::Exact).expect("a model");
    Arc::new(Engine::new(Arc::new(model), Shape::default()).expect("it runs"))
}

/// The production worker behind the simulator's strategy that swaps a token of each output. It works for as
/// long as the runtime is kept.
fn cheat(place: &Place, seed: &str) -> Runtime {
    let runtime = Runtime::new().expect("threads");
    let inside = runtime.enter();
    let engine = engine(place);
    let mut config = NodeConfig {
        models: vec![engine.manifest().clone()],
        worker: Some(WorkerConfig { parallel_jobs: 2 }),
        ..config(params(place, "client"), key())
    };
    let (transport, address) = bind(&config);
    config.network = Some(network(address, seed.parse().expect("an address")));
    let model: Arc<dyn LanguageModel> = engine.clone();
    let setup = NodeSetup {
        name: "cheat".into(),
        group: "cheat".into(),
        config: config.clone(),
        models: Models {
            full: model.clone(),
            draft: model.clone(),
            coarse: model,
        },
        strategy: Some("edit".into()),
        level: 0,
        hash_power: 1,
        clock: Clock::default(),
    };
    let adapters = Adapters {
        transport: Box::new(transport),
        clock: Arc::new(TokioClock),
        storage: Box::new(MemoryStorage::new()),
        inference: Arc::new(GgmlInference::new([engine])),
    };
    let (driver, _) = Driver::new(
        Actor::new(Node::new(config), &setup),
        adapters,
        DriverConfig::default(),
    );
    runtime.spawn(driver.run());
    drop(inside);
    runtime
}

/// Asks for what the model would write without chance: any other token is wrong.
fn ask(place: &Place, flags: &str) -> Ran {
    let ran = place.camelid(&format!(
        "ask Once --template raw --max-tokens 16 --temperature-milli 0 --private --dir client {flags}"
    ));
    assert_eq!(ran.code, 5, "{}{}", ran.stdout, ran.stderr);
    for words in ["the output is not what was paid for", "a committee will judge it"] {
        assert!(ran.stderr.contains(words), "{words}: {}", ran.stderr);
    }
    ran
}

fn steps(why: &Value) -> Vec<&str> {
    let steps = why["evidence"].as_array().into_iter().flatten();
    steps.filter_map(|step| step["step"].as_str()).collect()
}

#[test]
fn who_is_cheated_gets_no_text_unless_it_insists_and_the_cheat_loses_its_stake() {
    let place = Place::new();
    found(&place);
    let (_miner, seed) = Running::start(&place, "miner", None);
    let (_client, _) = Running::start(&place, "client", Some(&seed));
    let (_verifier, _) = Running::start(&place, "verifier", Some(&seed));
    let _cheat = cheat(&place, &seed);
    until(&place, "wallet balance", "verifier", |balance| {
        let coins = |name: &str| balance[name].as_str().and_then(|coins| coins.parse::<f64>().ok());
        coins("spendable") < Some(1_921.0) && coins("unconfirmed") == Some(0.0)
    });

    let asked = ask(&place, "");
    assert_eq!(asked.stdout, "");
    let jobs = records(&place, "job list", "client");
    let job = jobs[0]["job"].as_str().expect("an id");
    let shown = record(&place, &format!("job show {job}"), "client");
    assert_eq!(shown["check"]["verdict"], "invalid", "{shown}");
    assert_eq!(shown["dispute"]["origin"], "claim", "{shown}");
    assert_eq!(shown["node"], key().node_id().to_string());
    let why = record(&place, &format!("job why {job}"), "client");
    assert!(steps(&why).contains(&"Invalid"), "{why}");

    let insisted = ask(&place, "--show-unverified");
    let text = insisted.stdout.trim_end();
    assert!(!text.is_empty());
    let jobs = records(&place, "job list", "client");
    let other = jobs[0]["job"].as_str().expect("an id");
    assert_ne!(other, job);
    let plain = |flags| {
        place
            .camelid(&format!("job show {other} --dir client {flags}"))
            .stdout
    };
    assert!(!plain("").contains(text));
    assert!(plain("--show-unverified").contains(text));

    let why = until(&place, &format!("job why {job}"), "client", |why| {
        !why["outcome"].is_null()
    });
    assert_eq!(why["outcome"], "slashed-invalid", "{why}");
    assert!(steps(&why).contains(&"VoteReveal"), "{why}");
}
