//! The records of `--json`. Scripts depend on the keys and their order; new keys go to the end.

use super::minimal::{Minimal, Size};
use camelid_sim::scenario::NodeGroup;
use camelid_sim::swarm::Drawn;
use camelid_sim::trace::{Divergence, Replay};
use camelid_sim::{Outcome, RunReport};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;

/// One run.
#[derive(Serialize)]
pub struct RunRecord<'a> {
    schema: &'static str,
    scenario: &'a str,
    seed: u64,
    outcome: &'static str,
    digest: String,
    events: u64,
    virtual_ms: u64,
    jobs: JobsRecord,
    honest_slashed: u64,
    violations: Vec<ViolationRecord<'a>>,
    counts: &'a BTreeMap<String, u64>,
    drawn: BTreeMap<&'a str, u64>,
}

#[derive(Serialize)]
struct JobsRecord {
    opened: u64,
    settled: u64,
    slashed: u64,
    refunded: u64,
}

#[derive(Serialize)]
struct ViolationRecord<'a> {
    id: &'a str,
    at_ms: u64,
    message: &'a str,
}

impl<'a> From<&'a RunReport> for RunRecord<'a> {
    fn from(report: &'a RunReport) -> Self {
        let violations = report.violations.iter().map(|violation| ViolationRecord {
            id: &violation.id,
            at_ms: violation.at_ms,
            message: &violation.message,
        });
        Self {
            schema: "camelid.sim.run.v1",
            scenario: &report.scenario,
            seed: report.seed,
            outcome: match report.outcome {
                Outcome::Pass => "pass",
                Outcome::Fail => "fail",
            },
            digest: report.digest.to_string(),
            events: report.events,
            virtual_ms: report.virtual_ms,
            jobs: JobsRecord {
                opened: report.jobs.opened,
                settled: report.jobs.settled,
                slashed: report.jobs.slashed,
                refunded: report.jobs.refunded,
            },
            honest_slashed: report.honest_slashed,
            violations: violations.collect(),
            counts: &report.counts,
            drawn: report
                .drawn
                .iter()
                .map(|(name, value)| (&**name, *value))
                .collect(),
        }
    }
}

/// The last record of `sim run`.
#[derive(Serialize)]
pub struct SummaryRecord<'a> {
    /// `camelid.sim.summary.v1`.
    pub schema: &'static str,
    /// Number of scenarios.
    pub scenarios: usize,
    /// Number of runs that were finished.
    pub runs: u64,
    /// Runs whose expectations all held.
    pub passed: u64,
    /// The others.
    pub failed: u64,
    /// Events that scenarios promise and no run showed.
    pub never_happened: Vec<NeverRecord<'a>>,
    /// Whether the user stopped it before the end.
    pub interrupted: bool,
}

/// An event that happened in no run.
#[derive(Serialize)]
pub struct NeverRecord<'a> {
    /// The scenario that promises it.
    pub scenario: &'a str,
    /// The event.
    pub event: &'a str,
}

/// One run of a swarm.
#[derive(Serialize)]
pub struct SwarmRecord<'a> {
    schema: &'static str,
    seed: u64,
    features: &'a [&'static str],
    nodes: BTreeMap<&'a str, u64>,
    run: RunRecord<'a>,
    /// The scenario that was drawn, as TOML, if it failed.
    drawn: Option<&'a str>,
    minimal: Option<MinimalRecord>,
}

impl<'a> SwarmRecord<'a> {
    /// The run of what was drawn, and what a failure was shrunk to.
    pub fn new(drawn: &'a Drawn, report: &'a RunReport, minimal: Option<&Minimal>) -> Self {
        let groups = drawn.scenario.nodes.iter().map(AsRef::<NodeGroup>::as_ref);
        Self {
            schema: "camelid.sim.swarm.v1",
            seed: report.seed,
            features: &drawn.features,
            nodes: groups.map(|group| (&*group.name, group.count.high)).collect(),
            run: RunRecord::from(report),
            drawn: (report.outcome == Outcome::Fail).then_some(&*drawn.scenario.text),
            minimal: minimal.map(MinimalRecord::from),
        }
    }
}

/// The last record of `sim run --swarm`.
#[derive(Serialize)]
pub struct SwarmSummaryRecord {
    /// `camelid.sim.swarm.summary.v1`.
    pub schema: &'static str,
    /// Number of runs that were finished.
    pub runs: u64,
    /// Runs whose invariants all held.
    pub passed: u64,
    /// The others.
    pub failed: u64,
    /// How many runs violated each invariant.
    pub violations: BTreeMap<String, u64>,
    /// How many runs had each feature.
    pub features: BTreeMap<&'static str, u64>,
    /// Whether the user stopped it before the end.
    pub interrupted: bool,
}

/// A failing scenario that was made small.
#[derive(Serialize)]
pub struct MinimalRecord {
    schema: &'static str,
    scenario: String,
    trace: Option<String>,
    seed: u64,
    violation: String,
    runs: u64,
    finished: bool,
    before: SizeRecord,
    after: SizeRecord,
}

#[derive(Serialize)]
struct SizeRecord {
    adversaries: u64,
    faults: u64,
    nodes: u64,
    jobs: u64,
    until_ms: u64,
}

impl From<&Minimal> for MinimalRecord {
    fn from(minimal: &Minimal) -> Self {
        let size = |size: Size| SizeRecord {
            adversaries: size.adversaries,
            faults: size.faults,
            nodes: size.nodes,
            jobs: size.jobs,
            until_ms: size.until_ms,
        };
        Self {
            schema: "camelid.sim.shrink.v1",
            scenario: minimal.scenario.display().to_string(),
            trace: minimal.trace.as_ref().map(|trace| trace.display().to_string()),
            seed: minimal.seed,
            violation: minimal.violation.id.clone(),
            runs: minimal.runs,
            finished: minimal.finished,
            before: size(minimal.before),
            after: size(minimal.after),
        }
    }
}

/// One replay.
#[derive(Serialize)]
pub struct ReplayRecord {
    schema: &'static str,
    trace: String,
    outcome: &'static str,
    steps: u64,
    digest: String,
    divergence: Option<DivergenceRecord>,
}

#[derive(Serialize)]
struct DivergenceRecord {
    step: u64,
    at_ms: u64,
    node: String,
    input: String,
    what: &'static str,
}

impl ReplayRecord {
    /// A replay that agreed with its trace.
    pub fn equal(trace: &Path, replay: &Replay) -> Self {
        Self {
            schema: "camelid.sim.replay.v1",
            trace: trace.display().to_string(),
            outcome: "equal",
            steps: replay.steps,
            digest: replay.digest.to_string(),
            divergence: None,
        }
    }

    /// A replay that differed; `steps` and `digest` are what the trace says.
    pub fn diverged(trace: &Path, steps: u64, digest: String, divergence: Divergence) -> Self {
        Self {
            schema: "camelid.sim.replay.v1",
            trace: trace.display().to_string(),
            outcome: "diverged",
            steps,
            digest,
            divergence: Some(DivergenceRecord {
                step: divergence.step,
                at_ms: divergence.at.0,
                node: divergence.node,
                input: divergence.input,
                what: divergence.what,
            }),
        }
    }
}
