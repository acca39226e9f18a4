//! Running a scenario under a seed.

use crate::invariant;
use crate::report::{JobCounts, Outcome, RunReport};
use crate::scenario::{Scenario, Setup};
use crate::verifier::MemoVerifier;
use crate::world::{Machine, World};
use camelid_core::chain::Ledger;
use camelid_core::keys::{NodeId, SharedVerifier};
use camelid_core::primitives::JobId;
use camelid_core::tx::ActionKind;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A finished run.
#[derive(Clone, Debug)]
pub struct Run {
    /// What it came to.
    pub report: RunReport,
    /// Its trace.
    pub trace: Vec<u8>,
}

/// Runs `scenario` under `seed` and records it. The same arguments always give the same run.
pub fn run(scenario: &Scenario, seed: u64) -> Run {
    let (report, trace) = run_with(scenario, seed, &memo(), true);
    Run {
        report,
        trace: trace.unwrap_or_default(),
    }
}

/// What [`run`] reports, without its trace: for runs that are only judged, in two thirds of the time.
pub fn judge(scenario: &Scenario, seed: u64) -> RunReport {
    judge_with(scenario, seed, &memo())
}

/// [`judge`], with signatures checked by `verifier`.
pub fn judge_with(scenario: &Scenario, seed: u64, verifier: &SharedVerifier) -> RunReport {
    run_with(scenario, seed, verifier, false).0
}

fn memo() -> SharedVerifier {
    Arc::new(MemoVerifier::new())
}

fn run_with(
    scenario: &Scenario,
    seed: u64,
    verifier: &SharedVerifier,
    records: bool,
) -> (RunReport, Option<Vec<u8>>) {
    let setup = Setup::draw(scenario, seed, verifier);
    let chosen = scenario.expect.get_ref().always.clone();
    let ids = chosen.unwrap_or_else(|| invariant::IDS.iter().map(ToString::to_string).collect());
    let invariants = ids.iter().filter_map(|id| invariant::by_id(id)).collect();
    let remains = World::new(&setup, invariants, records).run();
    let violations = remains.violations().to_vec();
    let (jobs, honest_slashed) = count_jobs(&remains.machines);
    let report = RunReport {
        scenario: scenario.name.clone(),
        seed,
        outcome: if violations.is_empty() {
            Outcome::Pass
        } else {
            Outcome::Fail
        },
        digest: remains.digest,
        events: remains.steps,
        virtual_ms: remains.virtual_ms,
        jobs,
        honest_slashed,
        violations,
        counts: remains.observer.counts().clone(),
        drawn: setup.drawn.clone(),
    };
    (report, remains.trace)
}

/// Jobs on the longest honest chain, and how many of them slashed an honest node.
fn count_jobs(machines: &[Machine]) -> (JobCounts, u64) {
    let honest = machines
        .iter()
        .filter(|machine| machine.is_honest())
        .filter_map(Machine::node);
    let Some(node) = honest.max_by_key(|node| node.chain().height()) else {
        return (JobCounts::default(), 0);
    };
    let ledger: &Ledger = node.chain().ledger();
    let mut outcomes = Vec::new();
    ledger.each_job(|record| outcomes.extend(record.state.outcome().map(|outcome| (record.id, outcome))));
    let with = |test: fn(camelid_core::escrow::Outcome) -> bool| {
        outcomes.iter().filter(|(_, outcome)| test(*outcome)).count() as u64
    };
    let counts = JobCounts {
        opened: ledger.job_count(),
        settled: with(|outcome| !outcome.is_slash() && outcome != camelid_core::escrow::Outcome::Refunded),
        slashed: with(camelid_core::escrow::Outcome::is_slash),
        refunded: with(|outcome| outcome == camelid_core::escrow::Outcome::Refunded),
    };
    let workers = engaged_nodes(node);
    let is_honest = |id: &NodeId| {
        machines
            .iter()
            .any(|machine| machine.id() == *id && machine.is_honest())
    };
    let honest_slashed = outcomes
        .iter()
        .filter(|(_, outcome)| outcome.is_slash())
        .filter(|(job, _)| workers.get(job).is_some_and(is_honest));
    (counts, honest_slashed.count() as u64)
}

/// Who engaged in each job of a node's best chain.
fn engaged_nodes(node: &camelid_core::node::Node) -> BTreeMap<JobId, NodeId> {
    let chain = node.chain();
    let mut engaged = BTreeMap::new();
    for block in chain.active().iter().filter_map(|hash| chain.block(hash)) {
        engaged.extend(block.transactions.iter().filter_map(|transaction| {
            match &transaction.action.as_ref()?.kind {
                ActionKind::Engage { node_key, .. } => Some((transaction.job_id?, node_key.key_hash())),
                _ => None,
            }
        }));
    }
    engaged
}
