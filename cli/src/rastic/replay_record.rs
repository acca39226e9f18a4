//! The records of `camelid rastic replay --json` and the rows of `--csv`. Scripts depend on the keys
//! and their order; new keys go to the end.

use super::replay::JudgedClaim;
use super::stake::in_coins;
use super::verdicts::{Judged, Totals, name};
use camelid_core::rastic::Verdict;
use camelid_sim::trace::{Source, TracedClaim, TracedClaims};
use serde::Serialize;
use std::path::Path;

/// A claim.
#[derive(Serialize)]
pub struct ClaimRecord {
    schema: &'static str,
    trace: String,
    claim: usize,
    job: String,
    node: Option<String>,
    strategy: Option<String>,
    prompt_tokens: usize,
    output_tokens: usize,
    max_tokens: u32,
    reward: String,
    stake: String,
    /// The specification of the job.
    spec: &'static str,
    /// What the client found in the run.
    verdict: Option<&'static str>,
    /// How the job ended in the run.
    outcome: Option<String>,
    judgements: Vec<JudgementRecord>,
}

/// What comes of it under one specification and number of samples.
#[derive(Serialize)]
struct JudgementRecord {
    spec: &'static str,
    samples: Option<u32>,
    verdict: &'static str,
    position: Option<u32>,
    reason: Option<String>,
    evidence: &'static str,
    positions: u32,
    bad: u32,
    detection: f64,
    inconclusive: f64,
    paid: String,
    slashed: String,
}

impl ClaimRecord {
    /// Claim `number`.
    pub fn new(
        trace: &Path,
        traced: &TracedClaims,
        number: usize,
        (claim, judged): &JudgedClaim<'_>,
    ) -> Self {
        let node = traced.node_of(claim);
        Self {
            schema: "camelid.rastic.replay.v1",
            trace: trace.display().to_string(),
            claim: number,
            job: claim.job.to_string(),
            node: node.map(|node| node.name.clone()),
            strategy: node.and_then(|node| node.strategy.clone()),
            prompt_tokens: claim.prompt.len(),
            output_tokens: claim.output.len(),
            max_tokens: claim.terms.max_tokens,
            reward: claim.terms.reward.to_string(),
            stake: claim.terms.stake.to_string(),
            spec: claim.terms.spec.name(),
            verdict: claim.verdict.as_ref().map(name),
            outcome: claim.outcome.map(|outcome| outcome.to_string()),
            judgements: judged.iter().map(JudgementRecord::from).collect(),
        }
    }
}

impl From<&Judged> for JudgementRecord {
    fn from(judged: &Judged) -> Self {
        let judgement = &judged.judgement;
        Self {
            spec: judged.variant.spec.name(),
            samples: judged.variant.samples,
            verdict: name(&judgement.verdict),
            position: match judgement.verdict {
                Verdict::Invalid { position, .. } => Some(position),
                _ => None,
            },
            reason: reason(&judgement.verdict),
            evidence: match judgement.source {
                Source::Recorded => "recorded",
                Source::Model => "model",
            },
            positions: judgement.odds.positions,
            bad: judgement.odds.faults,
            detection: judged.detection.to_f64(),
            inconclusive: judged.inconclusive.to_f64(),
            paid: judged.paid.to_string(),
            slashed: judged.slashed.to_string(),
        }
    }
}

/// Why a verdict is not valid.
pub fn reason(verdict: &Verdict) -> Option<String> {
    match verdict {
        Verdict::Valid => None,
        Verdict::Invalid { reason, .. } => Some(reason.to_string()),
        Verdict::Inconclusive { reason } => Some(reason.to_string()),
    }
}

/// The last record.
#[derive(Serialize)]
pub struct SummaryRecord {
    schema: &'static str,
    trace: String,
    jobs: usize,
    claims: usize,
    totals: Vec<TotalRecord>,
}

#[derive(Serialize)]
struct TotalRecord {
    spec: &'static str,
    samples: Option<u32>,
    valid: u64,
    invalid: u64,
    inconclusive: u64,
    expected_invalid: f64,
    paid: String,
    slashed: String,
    expected_paid: String,
    expected_slashed: String,
}

impl SummaryRecord {
    /// The sums over all claims.
    pub fn new(trace: &Path, traced: &TracedClaims, totals: &Totals) -> Self {
        let totals = totals.0.iter().map(|(variant, total)| TotalRecord {
            spec: variant.spec.name(),
            samples: variant.samples,
            valid: total.valid,
            invalid: total.invalid,
            inconclusive: total.inconclusive,
            expected_invalid: total.expected_invalid,
            paid: in_coins(&total.paid.into()),
            slashed: in_coins(&total.slashed.into()),
            expected_paid: in_coins(&total.expected_paid.into()),
            expected_slashed: in_coins(&total.expected_slashed.into()),
        });
        Self {
            schema: "camelid.rastic.replay.summary.v1",
            trace: trace.display().to_string(),
            jobs: traced.jobs,
            claims: traced.claims.len(),
            totals: totals.collect(),
        }
    }
}

/// A claim under one specification and number of samples, flat.
#[derive(Serialize)]
pub struct CsvRow(
    String,
    usize,
    String,
    Option<String>,
    Option<String>,
    usize,
    usize,
    Option<&'static str>,
    Option<String>,
    JudgementRecord,
);

impl CsvRow {
    /// Names of the columns.
    pub const HEADINGS: &[&str] = &[
        "trace",
        "claim",
        "job",
        "node",
        "strategy",
        "prompt_tokens",
        "output_tokens",
        "recorded_verdict",
        "recorded_outcome",
        "spec",
        "samples",
        "verdict",
        "position",
        "reason",
        "evidence",
        "positions",
        "bad",
        "detection",
        "inconclusive",
        "paid",
        "slashed",
    ];

    /// Claim `number` as `judged`.
    pub fn new(
        trace: &Path,
        traced: &TracedClaims,
        number: usize,
        claim: &TracedClaim,
        judged: &Judged,
    ) -> Self {
        let node = traced.node_of(claim);
        Self(
            trace.display().to_string(),
            number,
            claim.job.to_string(),
            node.map(|node| node.name.clone()),
            node.and_then(|node| node.strategy.clone()),
            claim.prompt.len(),
            claim.output.len(),
            claim.verdict.as_ref().map(name),
            claim.outcome.map(|outcome| outcome.to_string()),
            judged.into(),
        )
    }
}
