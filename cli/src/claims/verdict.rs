//! The records of `camelid rastic verify --json`. Scripts depend on the keys and their order; new keys go to
//! the end.

use super::bench::Checked;
use super::claim::Claim;
use super::label::Label;
use camelid_core::model::Prediction;
use camelid_core::rastic::{Spec, Verdict};
use serde::Serialize;
use std::collections::BTreeMap;

/// What came of one claim.
#[derive(Serialize)]
pub struct VerdictRecord {
    schema: &'static str,
    pub id: String,
    pub verdict: &'static str,
    pub positions_checked: usize,
    /// Index into prompt and output together.
    pub first_bad: Option<u32>,
    pub reason: Option<String>,
    pub rule: &'static str,
    /// Largest gap of a claimed token; null when nothing was predicted, or the sampling rule excludes the
    /// token, or its score is not finite.
    pub max_gap_milli: Option<u32>,
    /// Output tokens by the time that the model took; null when it was not run.
    pub tokens_per_second: Option<f64>,
}

impl VerdictRecord {
    /// Of `claim`.
    pub fn new(claim: &Claim, checked: &Checked) -> Self {
        let gaps = checked.predictions.iter().map(|prediction| prediction.gap_milli);
        let tokens = claim.output.len() as f64;
        Self {
            schema: "camelid.rastic.verdict.v1",
            id: claim.id.clone(),
            verdict: name(&checked.verdict),
            positions_checked: checked.predictions.len(),
            first_bad: match checked.verdict {
                Verdict::Invalid { position, .. } => Some(position),
                Verdict::Valid | Verdict::Inconclusive { .. } => None,
            },
            reason: reason(&checked.verdict),
            rule: checked.rule.name(),
            max_gap_milli: gaps.max().filter(|gap| *gap < Prediction::EXCLUDED),
            tokens_per_second: (!checked.predictions.is_empty())
                .then(|| (tokens / checked.took.as_secs_f64().max(1e-9) * 10.0).round() / 10.0),
        }
    }
}

/// `valid`, `invalid` or `inconclusive`.
pub const fn name(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Valid => "valid",
        Verdict::Invalid { .. } => "invalid",
        Verdict::Inconclusive { .. } => "inconclusive",
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

/// How many of each verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    pub claims: u64,
    pub valid: u64,
    pub invalid: u64,
    pub inconclusive: u64,
}

impl Tally {
    /// Counts one more.
    pub fn add(&mut self, verdict: &Verdict) {
        self.claims += 1;
        match verdict {
            Verdict::Valid => self.valid += 1,
            Verdict::Invalid { .. } => self.invalid += 1,
            Verdict::Inconclusive { .. } => self.inconclusive += 1,
        }
    }
}

/// The last record.
#[derive(Serialize)]
pub struct SummaryRecord {
    schema: &'static str,
    spec: &'static str,
    /// Positions that v1-repaired draws.
    samples: Option<u32>,
    /// What positions were drawn from, where any were.
    beacon: Option<String>,
    #[serde(flatten)]
    total: Tally,
    /// By what the claims are labelled.
    kinds: BTreeMap<String, Tally>,
}

impl SummaryRecord {
    /// Of everything that was checked.
    pub fn new(spec: Spec, samples: u32, beacon: Option<String>, total: Tally, kinds: &Kinds) -> Self {
        Self {
            schema: "camelid.rastic.verdict.summary.v1",
            spec: spec.name(),
            samples: (spec == Spec::V1Repaired).then_some(samples),
            beacon,
            total,
            kinds: kinds.0.clone(),
        }
    }
}

/// Tallies by label; claims without one do not count.
#[derive(Debug, Default)]
pub struct Kinds(pub BTreeMap<String, Tally>);

impl Kinds {
    /// Counts one more.
    pub fn add(&mut self, label: Option<&Label>, verdict: &Verdict) {
        if let Some(label) = label {
            self.0.entry(label.kind().into()).or_default().add(verdict);
        }
    }
}
