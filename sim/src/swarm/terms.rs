//! The terms under which the protocol promises its invariants.
//!
//! A node that is cut off for longer than a counter window is slashed however honest it is, and miners
//! that are split for an hour disagree by an hour: that is no bug. A scenario within these terms has no
//! such excuse. `docs/src/swarm.md` gives the reasons for the figures.

use crate::scenario::{Fault, NodeGroup, Role, Scenario};
use camelid_core::params::Params;
use std::collections::BTreeSet;

/// Blocks' worth of time after healing.
pub(super) const QUIET_BLOCKS: u64 = 50;
/// Honest hash power for each unit of dishonest hash power.
pub(super) const HONEST_POWER: u64 = 3;
/// Depth by which honest nodes may differ without any fault.
pub(super) const CALM_DEPTH: u64 = 8;
/// The longest latency is this fraction of the target spacing.
pub(super) const LATENCIES_PER_BLOCK: u64 = 40;
/// Most packets lost, in thousandths.
pub(super) const MAX_LOSS_PERMILLE: u64 = 100;

/// Something that a scenario must keep to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Term {
    /// All faults are over when the network heals, and the run goes on for long enough to recover.
    QuietEnd,
    /// Faults are together so short that a node can answer a claim in time.
    ShortFaults,
    /// `agreement_depth` allows for the blocks that a split can cost.
    Depth,
    /// Three quarters of the hash power are honest.
    HonestPower,
    /// Dishonest groups come last: then the honest nodes of the ring are connected without them.
    HonestPath,
    /// Latency is short against the block spacing.
    Latency,
    /// Not too many packets are lost.
    Loss,
}

/// Whether a scenario keeps to a term.
type Check = fn(&Scenario) -> bool;

const CHECKS: [(Term, Check); 7] = [
    (Term::QuietEnd, has_quiet_end),
    (Term::ShortFaults, has_short_faults),
    (Term::Depth, has_depth),
    (Term::HonestPower, has_honest_power),
    (Term::HonestPath, has_honest_path),
    (Term::Latency, has_short_latency),
    (Term::Loss, loses_little),
];

/// The terms that `scenario` does not keep to; empty for one from a swarm.
pub fn broken_terms(scenario: &Scenario) -> BTreeSet<Term> {
    let broken = CHECKS.iter().filter(|(_, holds)| !holds(scenario));
    broken.map(|(term, _)| *term).collect()
}

fn has_quiet_end(scenario: &Scenario) -> bool {
    let run = &scenario.run;
    let quiet_ms = run.until_ms.saturating_sub(run.heal_at_ms);
    faults(scenario).all(|fault| ends_by_ms(fault).is_some_and(|end| end <= run.heal_at_ms))
        && quiet_ms >= QUIET_BLOCKS * spacing_ms(scenario)
}

fn has_short_faults(scenario: &Scenario) -> bool {
    faults_ms(scenario) <= tolerated_ms(scenario)
}

fn has_depth(scenario: &Scenario) -> bool {
    u64::from(scenario.expect.get_ref().agreement_depth) >= least_depth(scenario)
}

fn has_honest_power(scenario: &Scenario) -> bool {
    let (honest, dishonest) = powers(scenario);
    honest >= HONEST_POWER.saturating_mul(dishonest)
}

fn has_honest_path(scenario: &Scenario) -> bool {
    groups(scenario).map(|group| group.strategy.is_some()).is_sorted()
}

fn has_short_latency(scenario: &Scenario) -> bool {
    scenario.network.latency_ms.high <= spacing_ms(scenario) / LATENCIES_PER_BLOCK
}

fn loses_little(scenario: &Scenario) -> bool {
    scenario.network.loss_permille.high <= MAX_LOSS_PERMILLE
}

/// Milliseconds between blocks.
pub(super) fn spacing_ms(scenario: &Scenario) -> u64 {
    let spacing_s = scenario.chain.spacing_s.unwrap_or(Params::simnet().spacing_s);
    u64::from(spacing_s) * 1_000
}

/// How long all faults may last together: half the counter window, less ten blocks, so that the claim
/// is still answered when blocks come fast.
pub(super) fn tolerated_ms(scenario: &Scenario) -> u64 {
    let counter = scenario.chain.deliver_counter;
    let counter = counter.unwrap_or(Params::simnet().jobs.deliver_counter);
    u64::from(counter).saturating_sub(10) * spacing_ms(scenario) / 2
}

/// How long all faults last together, at most.
pub(super) fn faults_ms(scenario: &Scenario) -> u64 {
    let lasting = faults(scenario).map(|fault| fault.for_ms.high);
    lasting.fold(0, u64::saturating_add)
}

/// The least `agreement_depth`: a split may cost all blocks of its time.
pub(super) fn least_depth(scenario: &Scenario) -> u64 {
    CALM_DEPTH + faults_ms(scenario).div_ceil(spacing_ms(scenario))
}

/// Honest hash power at least, and dishonest at most.
pub(super) fn powers(scenario: &Scenario) -> (u64, u64) {
    let miners = || groups(scenario).filter(|group| group.roles.contains(&Role::Miner));
    let honest = miners().filter(|group| group.strategy.is_none());
    let dishonest = miners().filter(|group| group.strategy.is_some());
    (
        honest.map(|group| group.count.low * group.hash_power.low).sum(),
        dishonest
            .map(|group| group.count.high * group.hash_power.high)
            .sum(),
    )
}

/// When a fault is over at the latest, if that is sure.
fn ends_by_ms(fault: &Fault) -> Option<u64> {
    let begins_by = match (&fault.on, fault.before_ms) {
        (_, Some(before_ms)) => before_ms,
        (None, None) => fault.at_ms.high,
        (Some(_), None) => return None,
    };
    Some(begins_by.saturating_add(fault.for_ms.high))
}

fn groups(scenario: &Scenario) -> impl Iterator<Item = &NodeGroup> {
    scenario.nodes.iter().map(AsRef::as_ref)
}

fn faults(scenario: &Scenario) -> impl Iterator<Item = &Fault> {
    scenario.faults.iter().map(AsRef::as_ref)
}
