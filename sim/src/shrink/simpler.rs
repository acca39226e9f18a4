//! What is simpler than a scenario, by one step. Each step makes one number of a scenario smaller or
//! brings one key back to its default, so that shrinking ends.

use super::Failing;
use crate::scenario::{NodeGroup, Range, Role, Scenario};
use toml::Spanned;

/// A kind of steps.
pub(super) struct Pass {
    /// All scenarios one step simpler, best first.
    pub(super) simpler: fn(&Failing) -> Vec<Scenario>,
    /// The jobs and the time that they have stay.
    pub(super) keeps_time: bool,
}

/// In this order.
pub(super) const PASSES: &[Pass] = &[
    pass(fewer_adversaries, true),
    pass(fewer_faults, true),
    pass(fewer_nodes, false),
    pass(fewer_jobs, false),
    pass(plainer_values, true),
    pass(less_time, false),
];

const fn pass(simpler: fn(&Failing) -> Vec<Scenario>, keeps_time: bool) -> Pass {
    Pass { simpler, keeps_time }
}

fn fewer_adversaries(failing: &Failing) -> Vec<Scenario> {
    let scenario = &failing.scenario;
    let dishonest = |index: &usize| {
        let group = scenario.nodes.get(*index).map(Spanned::get_ref);
        group.is_some_and(|group| group.strategy.is_some())
    };
    let mut simpler = Vec::new();
    for index in (0..scenario.nodes.len()).filter(dishonest) {
        simpler.push(without_group(scenario, index));
        simpler.push(changed(scenario, |scenario| {
            scenario.nodes[index].get_mut().strategy = None;
        }));
        simpler.extend(with_fewer_members(scenario, index));
    }
    simpler
}

fn fewer_faults(failing: &Failing) -> Vec<Scenario> {
    let scenario = &failing.scenario;
    let mut simpler = Vec::new();
    for index in 0..scenario.faults.len() {
        simpler.push(changed(scenario, |scenario| {
            scenario.faults.remove(index);
        }));
    }
    for (index, fault) in scenario.faults.iter().enumerate() {
        for victim in 0..fault.get_ref().nodes.len() {
            simpler.push(changed(scenario, |scenario| {
                scenario.faults[index].get_mut().nodes.remove(victim);
            }));
        }
        for for_ms in smaller(fault.get_ref().for_ms) {
            simpler.push(changed(scenario, |scenario| {
                scenario.faults[index].get_mut().for_ms = for_ms;
            }));
        }
    }
    simpler
}

fn fewer_nodes(failing: &Failing) -> Vec<Scenario> {
    let scenario = &failing.scenario;
    let groups = 0..scenario.nodes.len();
    let mut simpler: Vec<Scenario> = groups
        .clone()
        .map(|index| without_group(scenario, index))
        .collect();
    for index in groups {
        simpler.extend(with_fewer_members(scenario, index));
        for role in 0..scenario.nodes[index].get_ref().roles.len() {
            simpler.push(changed(scenario, |scenario| {
                scenario.nodes[index].get_mut().roles.remove(role);
            }));
        }
    }
    simpler
}

fn fewer_jobs(failing: &Failing) -> Vec<Scenario> {
    let scenario = &failing.scenario;
    let mut simpler = Vec::new();
    for index in 0..scenario.jobs.len() {
        simpler.push(changed(scenario, |scenario| {
            scenario.jobs.remove(index);
        }));
    }
    for (index, jobs) in scenario.jobs.iter().enumerate() {
        for count in smaller(jobs.get_ref().count) {
            simpler.push(changed(scenario, |scenario| {
                scenario.jobs[index].get_mut().count = count;
            }));
        }
    }
    simpler
}

/// Without one key that has a default and not its value.
fn plainer_values(failing: &Failing) -> Vec<Scenario> {
    let scenario = &failing.scenario;
    let same = scenario.to_toml();
    let simpler = scenario.without_each_key().into_iter();
    simpler.filter(|simpler| simpler.to_toml() != same).collect()
}

fn less_time(failing: &Failing) -> Vec<Scenario> {
    let scenario = &failing.scenario;
    let mut simpler = shorter_runs(failing);
    for (index, jobs) in scenario.jobs.iter().enumerate() {
        for start_ms in smaller(jobs.get_ref().start_ms) {
            simpler.push(changed(scenario, |scenario| {
                scenario.jobs[index].get_mut().start_ms = start_ms;
            }));
        }
    }
    for (index, fault) in scenario.faults.iter().enumerate() {
        for at_ms in smaller(fault.get_ref().at_ms) {
            simpler.push(changed(scenario, |scenario| {
                scenario.faults[index].get_mut().at_ms = at_ms;
            }));
        }
    }
    simpler
}

/// With an earlier end; or healed earlier, and the time after that as it is.
fn shorter_runs(failing: &Failing) -> Vec<Scenario> {
    let scenario = &failing.scenario;
    let (until_ms, heal_at_ms) = (scenario.run.until_ms, scenario.run.heal_at_ms);
    let healed_ms = until_ms - heal_at_ms;
    let healed_earlier = smaller(Range::fixed(heal_at_ms))
        .into_iter()
        .map(|heal| (heal.high + healed_ms, heal.high));
    let ended_earlier = [
        failing.violation.at_ms + 1,
        until_ms / 2,
        until_ms - until_ms.div_ceil(8),
    ]
    .map(|until| (until, heal_at_ms.min(until.saturating_sub(1))));
    healed_earlier
        .chain(ended_earlier)
        .filter(|(until, _)| *until < until_ms)
        .map(|(until_ms, heal_at_ms)| {
            changed(scenario, |scenario| {
                scenario.run.until_ms = until_ms;
                scenario.run.heal_at_ms = heal_at_ms;
            })
        })
        .collect()
}

/// Smaller ranges: nothing, the low end alone, half, and an eighth less.
fn smaller(range: Range) -> Vec<Range> {
    let mut smaller = vec![0, range.low, range.high / 2, range.high - range.high.div_ceil(8)];
    smaller.dedup();
    let fits = |value: &u64| *value < range.high;
    smaller.into_iter().filter(fits).map(Range::fixed).collect()
}

fn with_fewer_members(scenario: &Scenario, index: usize) -> Vec<Scenario> {
    let counts = smaller(scenario.nodes[index].get_ref().count);
    let fewer = counts.into_iter().filter(|count| count.high > 0).map(|count| {
        changed(scenario, |scenario| {
            scenario.nodes[index].get_mut().count = count;
        })
    });
    fewer.collect()
}

fn without_group(scenario: &Scenario, index: usize) -> Scenario {
    changed(scenario, |scenario| {
        scenario.nodes.remove(index);
    })
}

/// A changed copy, in which nothing speaks of what is no longer there.
fn changed(scenario: &Scenario, change: impl FnOnce(&mut Scenario)) -> Scenario {
    let mut scenario = scenario.clone();
    change(&mut scenario);
    let groups: Vec<NodeGroup> = scenario
        .nodes
        .iter()
        .map(|group| group.get_ref().clone())
        .collect();
    for fault in scenario.faults.iter_mut().map(Spanned::get_mut) {
        fault
            .nodes
            .retain(|name| groups.iter().any(|group| group.contains(name)));
    }
    scenario.faults.retain(|fault| !fault.get_ref().nodes.is_empty());
    let is_client = |group: &NodeGroup, name: &str| group.name == name && group.roles.contains(&Role::Client);
    scenario.jobs.retain(|jobs| {
        groups
            .iter()
            .any(|group| is_client(group, &jobs.get_ref().client))
    });
    let least: u64 = groups.iter().map(|group| group.count.low).sum();
    let peers = &mut scenario.network.peers;
    peers.high = peers.high.min(least.saturating_sub(1));
    peers.low = peers.low.min(peers.high);
    scenario
}
