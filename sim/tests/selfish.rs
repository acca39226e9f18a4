//! What selfish mining earns, beside the formula of Eyal and Sirer ("Majority is not enough: Bitcoin mining
//! is vulnerable", 2014, equation 8).

mod support;

use camelid_core::keys::SharedVerifier;
use camelid_core::script::key_hash_script;
use camelid_core::tx::Lock;
use camelid_sim::MemoVerifier;
use camelid_sim::scenario::Setup;
use camelid_sim::world::World;
use std::sync::Arc;
use support::parse;

/// Blocks of the honest miner's chain in so many runs, and how many of them the attacker made, which has
/// `attacker` of 100 parts of the hash power.
fn measure(runs: u64, attacker: u64) -> (u64, u64) {
    let honest = 100 - attacker;
    let scenario = parse(&format!(
        r#"
name = "selfish"
about = "An honest and a selfish miner."

[run]
until_ms = 28_800_000
heal_at_ms = 0

[network]
peers = 1
latency_ms = 1
disk_ms = 0

[[nodes]]
name = "honest"
roles = ["miner"]
hash_power = {honest}

[[nodes]]
name = "selfish"
roles = ["miner"]
strategy = "selfish-mining"
hash_power = {attacker}

[expect]
sometimes = [{{ event = "attack:selfish-mining" }}]
"#
    ));
    let verifier: SharedVerifier = Arc::new(MemoVerifier::new());
    let (mut blocks, mut own) = (0, 0);
    for seed in 0..runs {
        let setup = Setup::draw(&scenario, seed, &verifier);
        let machines = World::new(&setup, Vec::new(), false).run().machines;
        let chain = machines[0].node().expect("it is up").chain();
        let reward = Lock::Script(key_hash_script(&machines[1].id().0));
        for block in chain.active().iter().skip(1).filter_map(|hash| chain.block(hash)) {
            blocks += 1;
            own += u64::from(block.transactions[0].outputs[0].lock == reward);
        }
    }
    (blocks, own)
}

/// The selfish miner's share of the blocks, if ties are always won by the others.
fn formula(a: f64) -> f64 {
    (4.0 * a * a * (1.0 - a).powi(2) - a.powi(3)) / (1.0 - a * (1.0 + (2.0 - a) * a))
}

#[test]
fn selfish_mining_pays_above_a_third_and_only_there() {
    compare(1);
}

#[test]
#[ignore = "minutes"]
fn selfish_mining_pays_above_a_third_and_only_there_in_many_blocks() {
    compare(10);
}

fn compare(runs: u64) {
    for attacker in [20, 42] {
        let (blocks, own) = measure(runs, attacker);
        let power = attacker as f64 / 100.0;
        let (share, expected) = (own as f64 / blocks as f64, formula(power));
        // Blocks come in bunches, which widens the binomial's deviation; twice is on the safe side.
        let deviation = 2.0 * (expected * (1.0 - expected) / blocks as f64).sqrt();
        assert!(
            (share - expected).abs() < 3.0 * deviation,
            "{attacker} % of the hash power made {own} of {blocks} blocks, {:.1} % expected",
            100.0 * expected
        );
        assert_eq!(share > power, attacker > 33, "{own} of {blocks}");
        assert!(blocks > runs * 200, "{blocks} blocks");
    }
}
