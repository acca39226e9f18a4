//! The terms under which the protocol promises its invariants.
//!
//! A node that is cut off for longer than a counter window is slashed however honest it is, and miners
//! that are split for an hour disagree by an hour: that is no bug. A scenario within these terms has no
//! such excuse. `docs/src/swarm.md` gives the reasons for the figures.

use crate::scenario::{Fault, NodeGroup, Role, Scenario};
use camelid_core::params::{CommitteeParams, Params};
use camelid_core::wire::MAX_HOPS;
use std::collections::BTreeSet;

/// Blocks' worth of time after healing.
pub(super) const QUIET_BLOCKS: u64 = 50;
/// Honest hash power for each unit of dishonest hash power.
pub(super) const HONEST_POWER: u64 = 3;
/// Depth by which honest nodes may differ without any fault.
pub(super) const CALM_DEPTH: u64 = 8;
/// Each such share of lost packets allows for a block more: where a ring hangs together by two links, and a
/// block by three packets over each, two branches of equal work can grow side by side for long.
const LOSS_PERMILLE_A_BLOCK: u64 = 20;
/// More of it if a miner may keep blocks to itself: with a quarter of the power, a secret branch that replaces
/// twenty blocks comes once in some millions of tries.
const SECRET_DEPTH: u64 = 12;
/// Blocks' worth of time by which a clock may be wrong.
pub(super) const MAX_SKEW_BLOCKS: u64 = 10;
/// Fewest blocks of a COMMIT window in which audited nodes must bring their evidence.
pub(super) const LEAST_AUDIT_COMMIT: u64 = 20;
/// Neighbours with which evidence takes few hops.
pub(super) const AUDIT_PEERS: u64 = 6;
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
    /// Clocks are right but for some blocks' worth of time.
    Clocks,
    /// Hostile tickets are no majority of a committee, even when all of them sit on it.
    HonestSeats,
    /// The evidence of an audited node can reach all seats in time.
    Evidence,
}

/// Whether a scenario keeps to a term.
type Check = fn(&Scenario) -> bool;

const CHECKS: [(Term, Check); 10] = [
    (Term::QuietEnd, has_quiet_end),
    (Term::ShortFaults, has_short_faults),
    (Term::Depth, has_depth),
    (Term::HonestPower, has_honest_power),
    (Term::HonestPath, has_honest_path),
    (Term::Latency, has_short_latency),
    (Term::Loss, loses_little),
    (Term::Clocks, has_fair_clocks),
    (Term::HonestSeats, has_honest_seats),
    (Term::Evidence, has_evidence),
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

fn has_fair_clocks(scenario: &Scenario) -> bool {
    let most_ms = MAX_SKEW_BLOCKS * spacing_ms(scenario);
    groups(scenario).all(|group| group.clock_ahead_ms.high.max(group.clock_behind_ms.high) <= most_ms)
}

fn has_honest_seats(scenario: &Scenario) -> bool {
    let [first, second] = committee(scenario).seats.map(u64::from);
    2 * bad_tickets(scenario) <= first.min(second)
}

fn has_evidence(scenario: &Scenario) -> bool {
    let honest = groups(scenario).filter(|group| group.strategy.is_none());
    let honest: u64 = honest.map(|group| group.count.high).sum();
    let in_reach = honest <= u64::from(MAX_HOPS) + 1
        || scenario.network.peers.low >= AUDIT_PEERS.min(honest.saturating_sub(1));
    let committee = committee(scenario);
    committee.audit_permille == 0 || (in_reach && u64::from(committee.commit) >= LEAST_AUDIT_COMMIT)
}

/// The rules for committees.
pub(super) fn committee(scenario: &Scenario) -> CommitteeParams {
    scenario.chain.params().committee
}

/// Tickets of dishonest nodes.
pub(super) fn bad_tickets(scenario: &Scenario) -> u64 {
    let judges = |group: &&NodeGroup| group.strategy.is_some() && group.roles.contains(&Role::Verifier);
    let hostile = groups(scenario).filter(judges);
    hostile.map(|group| group.count.high * group.tickets.high).sum()
}

/// Milliseconds between blocks.
pub(super) fn spacing_ms(scenario: &Scenario) -> u64 {
    let spacing_s = scenario.chain.spacing_s.unwrap_or(Params::simnet().spacing_s);
    u64::from(spacing_s) * 1_000
}

/// How long all faults may last together: half the counter window, less ten blocks, so that the claim
/// is still answered when blocks come fast. With audits also as much of the time that seats wait for
/// evidence.
pub(super) fn tolerated_ms(scenario: &Scenario) -> u64 {
    let params = scenario.chain.params();
    let counter = params.jobs.deliver_counter;
    let window = match params.committee.audit_permille {
        0 => counter,
        _ => counter.min(params.committee.commit / 4 * 3),
    };
    u64::from(window).saturating_sub(10) * spacing_ms(scenario) / 2
}

/// How long all faults last together, at most.
pub(super) fn faults_ms(scenario: &Scenario) -> u64 {
    let lasting = faults(scenario).map(|fault| fault.for_ms.high);
    lasting.fold(0, u64::saturating_add)
}

/// The least `agreement_depth`: a split may cost all blocks of its time.
pub(super) fn least_depth(scenario: &Scenario) -> u64 {
    let (_, dishonest) = powers(scenario);
    let secret = if dishonest == 0 { 0 } else { SECRET_DEPTH };
    let loss = scenario
        .network
        .loss_permille
        .high
        .div_ceil(LOSS_PERMILLE_A_BLOCK);
    CALM_DEPTH + secret + loss + faults_ms(scenario).div_ceil(spacing_ms(scenario))
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
