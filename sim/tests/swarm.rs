//! Drawn scenarios are scenarios like others, and keep to the terms.

mod support;

use camelid_sim::scenario::{FaultKind, NodeGroup, Range, Role, Scenario};
use camelid_sim::swarm::{Term, broken_terms, draw};
use camelid_sim::{run, strategy};
use std::collections::BTreeSet;
use toml::Spanned;

const SEEDS: u64 = 1_000;

fn drawn(seed: u64) -> Scenario {
    draw(seed).unwrap_or_else(|error| panic!("{error}")).scenario
}

#[test]
fn every_seed_draws_a_scenario_that_loads_and_keeps_the_terms() {
    for seed in 0..SEEDS {
        let scenario = drawn(seed);
        assert_eq!(scenario.name, format!("swarm-{seed}"));
        assert_eq!(broken_terms(&scenario), BTreeSet::new(), "{}", scenario.text);
        let again = Scenario::parse(&scenario.text, "again.toml").expect("its own text");
        assert_eq!(again.to_toml(), scenario.to_toml());
        assert_eq!(drawn(seed).text, scenario.text);
    }
}

/// Each feature is in some scenarios and not in all; so is each strategy, fault and role.
#[test]
fn scenarios_differ() {
    let (mut texts, mut features, mut strategies) = (BTreeSet::new(), Vec::new(), BTreeSet::new());
    let (mut crashes, mut partitions, mut triggered) = (0, 0, 0);
    for seed in 0..SEEDS {
        let drawn = draw(seed).expect("a scenario");
        features.extend(drawn.features);
        for group in &drawn.scenario.nodes {
            strategies.extend(group.get_ref().strategy.clone());
        }
        for fault in &drawn.scenario.faults {
            let fault = fault.get_ref();
            crashes += u64::from(fault.kind == FaultKind::Crash);
            partitions += u64::from(fault.kind == FaultKind::Partition);
            triggered += u64::from(fault.on.is_some());
        }
        texts.insert(drawn.scenario.text);
    }
    assert_eq!(texts.len() as u64, SEEDS);
    let names: BTreeSet<&str> = features.iter().copied().collect();
    for name in names {
        let count = features.iter().filter(|other| **other == name).count();
        assert!((30..900).contains(&count), "{name} in {count} of {SEEDS}");
    }
    assert!(crashes > 100 && partitions > 100 && triggered > 100);
    let all: BTreeSet<String> = strategy::names().map(String::from).collect();
    assert_eq!(strategies, all);
}

#[test]
fn a_written_scenario_runs_as_the_drawn_one() {
    for seed in [3, 4] {
        let scenario = drawn(seed);
        let short = scenario.to_short_toml().expect("a text");
        assert!(short.len() < scenario.text.len(), "{short}");
        let written =
            Scenario::parse(&short, "short.toml").unwrap_or_else(|error| panic!("{error}\n{short}"));
        assert_eq!(written.to_toml(), scenario.to_toml());
        let (first, second) = (run(&scenario, seed).report, run(&written, seed).report);
        assert_eq!(first.digest, second.digest);
        assert_eq!(first.violations, []);
    }
}

/// Whatever the library holds survives being written, too.
#[test]
fn library_scenarios_survive_being_written_and_all_show_something() {
    for scenario in support::all() {
        let written = scenario
            .rewritten("again")
            .unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(written.to_toml(), scenario.to_toml());
        assert!(!scenario.expect.get_ref().invariants_only, "{}", scenario.name);
    }
}

#[test]
fn each_term_can_be_broken() {
    let broken_by = |change: fn(&mut Scenario)| {
        let mut scenario = drawn(0);
        change(&mut scenario);
        broken_terms(&scenario).into_iter().collect::<Vec<Term>>()
    };
    assert_eq!(broken_by(|_| {}), []);
    assert_eq!(
        broken_by(|scenario| scenario.run.until_ms = scenario.run.heal_at_ms + 1),
        [Term::QuietEnd]
    );
    assert_eq!(
        broken_by(|scenario| scenario.expect.get_mut().agreement_depth = 0),
        [Term::Depth]
    );
    assert_eq!(
        broken_by(|scenario| scenario.network.latency_ms.high = 3_600_000),
        [Term::Latency]
    );
    assert_eq!(
        broken_by(|scenario| {
            scenario.network.loss_permille.high = 1_000;
            scenario.expect.get_mut().agreement_depth = 100;
        }),
        [Term::Loss]
    );
    assert_eq!(
        broken_by(|scenario| scenario.nodes[0].get_mut().clock_ahead_ms.high = 3_600_000),
        [Term::Clocks]
    );
    let no_time_for_evidence = |scenario: &mut Scenario| {
        scenario.faults.clear();
        scenario.chain.audit_permille = Some(1_000);
        scenario.chain.commit = Some(8);
    };
    assert_eq!(broken_by(no_time_for_evidence), [Term::Evidence]);
    let evidence_takes_many_hops = |scenario: &mut Scenario| {
        scenario.faults.clear();
        scenario.chain.audit_permille = Some(1_000);
        scenario.chain.commit = Some(60);
        scenario.network.peers = Range::fixed(2);
        scenario.nodes[0].get_mut().count = Range::fixed(20);
    };
    assert_eq!(broken_by(evidence_takes_many_hops), [Term::Evidence]);
    let captured = |scenario: &mut Scenario| {
        let colluder = NodeGroup {
            name: "colluder".into(),
            roles: vec![Role::Verifier],
            strategy: Some("colluding-verifier".into()),
            tickets: Range::fixed(2),
            ..scenario.nodes[0].get_ref().clone()
        };
        scenario.nodes.push(Spanned::new(0..0, colluder));
    };
    assert_eq!(broken_by(captured), [Term::HonestSeats]);
    let all_dishonest = |scenario: &mut Scenario| {
        for group in &mut scenario.nodes {
            if group.get_ref().roles.contains(&Role::Miner) {
                group.get_mut().strategy = Some("never-cosign".into());
            }
        }
    };
    assert_eq!(
        broken_by(all_dishonest),
        [Term::Depth, Term::HonestPower, Term::HonestPath]
    );
}
