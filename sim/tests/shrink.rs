//! Shrinking, against predicates instead of runs: what is needed for the failure is known.

mod support;

use camelid_sim::Violation;
use camelid_sim::scenario::{FaultKind, NodeGroup, Scenario};
use camelid_sim::shrink::{Failing, Shrunk, shrink};
use camelid_sim::swarm::{Term, broken_terms, draw};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// Enough for every scenario here.
const MAX_RUNS: u64 = 20_000;

/// What a scenario must have to fail.
#[derive(Clone, Debug)]
struct Cause {
    strategies: BTreeSet<String>,
    crashes: usize,
    partitions: usize,
    nodes: u64,
    jobs: u64,
    at_ms: u64,
}

impl Cause {
    /// Part of what is in `scenario`, as `part` says.
    fn in_part(scenario: &Scenario, part: u64) -> Self {
        let has = Self::all(scenario);
        let some = |count: usize, digit: u64| count.min(usize::try_from(part / digit % 3).unwrap_or(0));
        Self {
            strategies: has
                .strategies
                .into_iter()
                .enumerate()
                .filter(|(index, _)| part >> index & 1 == 1)
                .map(|(_, name)| name)
                .collect(),
            crashes: some(has.crashes, 10),
            partitions: some(has.partitions, 30),
            nodes: has.nodes * (part % 10) / 10,
            jobs: has.jobs * (part % 7) / 7,
            at_ms: has.at_ms * (part % 100 + 1) / 101,
        }
    }

    fn all(scenario: &Scenario) -> Self {
        let groups = || scenario.nodes.iter().map(AsRef::<NodeGroup>::as_ref);
        let faults = |kind| {
            let of_kind = scenario
                .faults
                .iter()
                .filter(|fault| fault.get_ref().kind == kind);
            of_kind.count()
        };
        Self {
            strategies: groups().filter_map(|group| group.strategy.clone()).collect(),
            crashes: faults(FaultKind::Crash),
            partitions: faults(FaultKind::Partition),
            nodes: groups().map(|group| group.count.high).sum(),
            jobs: scenario.jobs.iter().map(|jobs| jobs.get_ref().count.high).sum(),
            at_ms: scenario.run.until_ms,
        }
    }

    /// What goes wrong in `scenario`: the failure sought if it has all that is needed, and another one if it
    /// has no strategy.
    fn violations(&self, scenario: &Scenario) -> Vec<Violation> {
        let has = Self::all(scenario);
        let violation = |id: &str| Violation {
            id: id.into(),
            at_ms: self.at_ms,
            message: String::new(),
        };
        let mut violations = Vec::new();
        if has.strategies.is_empty() {
            violations.push(violation("something-else"));
        }
        let fails = self.strategies.is_subset(&has.strategies)
            && has.crashes >= self.crashes
            && has.partitions >= self.partitions
            && has.nodes >= self.nodes
            && has.jobs >= self.jobs
            && has.at_ms >= self.at_ms;
        if fails {
            violations.push(violation("sought"));
        }
        violations
    }

    fn shrink(&self, scenario: &Scenario, max_runs: u64) -> Shrunk {
        let failing = Failing {
            scenario: scenario.clone(),
            seed: 9,
            violation: self.violations(scenario).pop().expect("a failure"),
        };
        shrink(failing, max_runs, |scenario, _| self.violations(scenario))
    }
}

/// `scenario` without each adversary, fault, group and table of jobs, as far as that is a scenario within the
/// terms.
fn without_each_element(scenario: &Scenario) -> Vec<Scenario> {
    let mut fewer = Vec::new();
    for index in 0..scenario.nodes.len() {
        let mut without = scenario.clone();
        let name = without.nodes.remove(index).into_inner().name;
        without.jobs.retain(|jobs| jobs.get_ref().client != name);
        fewer.push(without);
        let mut honest = scenario.clone();
        if honest.nodes[index].get_mut().strategy.take().is_some() {
            fewer.push(honest);
        }
    }
    for index in 0..scenario.faults.len() {
        let mut without = scenario.clone();
        without.faults.remove(index);
        fewer.push(without);
    }
    for index in 0..scenario.jobs.len() {
        let mut without = scenario.clone();
        without.jobs.remove(index);
        fewer.push(without);
    }
    let idle = BTreeSet::from([Term::QuietEnd]);
    let loaded = fewer.iter().filter_map(|fewer| fewer.rewritten("fewer").ok());
    loaded
        .filter(|fewer| broken_terms(fewer).is_subset(&idle))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_is_left_fails_alike_and_has_nothing_to_spare(seed in 0..2_000u64, part in any::<u32>()) {
        let scenario = draw(seed).expect("a scenario").scenario;
        let cause = Cause::in_part(&scenario, part.into());
        let shrunk = cause.shrink(&scenario, MAX_RUNS);
        let small = &shrunk.failing.scenario;
        prop_assert!(shrunk.finished && shrunk.runs < MAX_RUNS);
        prop_assert_eq!(&shrunk.failing.violation.id, "sought");
        let ids: Vec<String> = cause.violations(small).into_iter().map(|found| found.id).collect();
        prop_assert!(ids.contains(&"sought".into()), "{}", small.text);
        for fewer in without_each_element(small) {
            let still = cause.violations(&fewer).iter().any(|found| found.id == "sought");
            prop_assert!(!still, "{}\nis smaller than\n{}", fewer.text, small.text);
        }
        // A file like others, within the terms.
        let idle = BTreeSet::from([Term::QuietEnd]);
        prop_assert!(broken_terms(small).is_subset(&idle));
        let short = small.to_short_toml().expect("a text");
        prop_assert_eq!(Scenario::parse(&short, "short.toml").expect("a scenario").to_toml(), small.to_toml());
        // Time goes, too.
        prop_assert!(small.run.until_ms <= cause.at_ms + 1);
    }

    #[test]
    fn it_takes_no_more_runs_than_it_may(seed in 0..2_000u64, part in any::<u32>(), max_runs in 0..60u64) {
        let scenario = draw(seed).expect("a scenario").scenario;
        let cause = Cause::in_part(&scenario, part.into());
        let shrunk = cause.shrink(&scenario, max_runs);
        prop_assert!(shrunk.runs <= max_runs);
        let id = &shrunk.failing.violation.id;
        prop_assert_eq!(id, "sought");
        prop_assert!(cause.violations(&shrunk.failing.scenario).iter().any(|found| found.id == *id));
    }
}

/// What fails for want of jobs or time is not to be had by taking them away.
#[test]
fn an_expectation_keeps_the_jobs_and_the_time() {
    let scenario = support::parse(support::SMALL);
    let violation = Violation {
        id: "eventually:job-settled".into(),
        at_ms: 600_000,
        message: String::new(),
    };
    let failing = Failing {
        scenario,
        seed: 0,
        violation: violation.clone(),
    };
    let shrunk = shrink(failing, MAX_RUNS, |_, _| vec![violation.clone()]);
    let Failing { scenario, .. } = shrunk.failing;
    assert_eq!(scenario.run.until_ms, 600_000);
    assert_eq!((scenario.jobs.len(), scenario.nodes.len()), (1, 4));
    assert_eq!(scenario.network.loss_permille.high, 0);
}

/// A failure that depends on the seed is followed to other seeds.
#[test]
fn other_seeds_are_tried() {
    let scenario = draw(1).expect("a scenario").scenario;
    let violation = Violation {
        id: "sought".into(),
        at_ms: 0,
        message: String::new(),
    };
    let before = scenario.text.clone();
    let failing = Failing {
        scenario,
        seed: 1,
        violation: violation.clone(),
    };
    let shrunk = shrink(failing, MAX_RUNS, |_, seed| {
        if seed == 2 {
            vec![violation.clone()]
        } else {
            Vec::new()
        }
    });
    assert_eq!(shrunk.failing.seed, 2);
    assert!(shrunk.failing.scenario.text.len() < before.len());
}
