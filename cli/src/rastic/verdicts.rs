//! What comes of claims under each specification, and in total.

use super::chance::{Chance, missed};
use super::replay::JudgedClaim;
use camelid_core::primitives::Amount;
use camelid_core::rastic::{Spec, Verdict};
use camelid_sim::trace::{Judgement, Odds, Rejudge, TracedClaim};
use std::ops::Range;

/// A way to judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variant {
    /// The specification.
    pub spec: Spec,
    /// Positions that it is told to draw; `None` where it draws none, or all.
    pub samples: Option<u32>,
}

impl Variant {
    /// Each of `specs`, in order and once, with each number of samples if it draws as many as it is
    /// told to.
    pub fn all(specs: &[Spec], samples: &Range<u32>) -> Vec<Self> {
        let mut variants = Vec::new();
        for spec in specs {
            let numbers: Vec<Option<u32>> = match spec {
                Spec::V1AsWritten => vec![Some(1)],
                Spec::V1Repaired => samples.clone().map(Some).collect(),
                Spec::V2 => vec![None],
            };
            variants.extend(numbers.into_iter().map(|samples| Self { spec: *spec, samples }));
        }
        let mut once: Vec<Self> = Vec::new();
        for variant in variants {
            if !once.contains(&variant) {
                once.push(variant);
            }
        }
        once
    }
}

/// A claim under a variant.
pub struct Judged {
    /// How it was judged.
    pub variant: Variant,
    /// What came of it.
    pub judgement: Judgement,
    /// The chance over all draws that it is found invalid.
    pub detection: Chance,
    /// The chance over all draws that nobody can tell.
    pub inconclusive: Chance,
    /// What its node is paid under the verdict of one draw.
    pub paid: Amount,
    /// What is slashed under that verdict.
    pub slashed: Amount,
}

impl Judged {
    /// Judges the claim on `bench`.
    pub fn new(claim: &TracedClaim, bench: &Rejudge<'_>, variant: Variant) -> Self {
        let judgement = bench.judge(variant.spec, variant.samples.unwrap_or_default());
        let (detection, inconclusive) = chances(&judgement.odds);
        let (paid, slashed) = judgement.paid_and_slashed(claim);
        Self {
            variant,
            judgement,
            detection,
            inconclusive,
            paid,
            slashed,
        }
    }
}

/// The chances that the claim is found invalid, and that nobody can tell. A fault that is drawn
/// decides, then a doubt.
fn chances(odds: &Odds) -> (Chance, Chance) {
    let Odds {
        fixed,
        positions,
        faults,
        doubts,
        samples,
    } = *odds;
    let no_fault = missed(positions, faults, samples);
    match fixed {
        Verdict::Invalid { .. } => (Chance::one(), Chance::zero()),
        Verdict::Inconclusive { .. } => (no_fault.clone().complement(), no_fault),
        Verdict::Valid => {
            let neither = missed(positions, faults + doubts, samples);
            (no_fault.clone().complement(), no_fault.without(&neither))
        }
    }
}

/// Sums over all claims under one variant.
#[derive(Clone, Debug, Default)]
pub struct Total {
    /// Claims found valid in one draw each.
    pub valid: u64,
    /// Claims found invalid.
    pub invalid: u64,
    /// Claims about which nobody can tell.
    pub inconclusive: u64,
    /// The sum of the chances of being found invalid.
    pub expected_invalid: f64,
    /// Units paid to the claims' nodes.
    pub paid: u64,
    /// Units slashed.
    pub slashed: u64,
    /// Mean of the units paid, over all draws.
    pub expected_paid: u64,
    /// Mean of the units slashed, over all draws, rounded down for each claim.
    pub expected_slashed: u64,
}

/// The sums under each variant.
pub struct Totals(pub Vec<(Variant, Total)>);

impl Totals {
    /// Adds the claims up.
    pub fn of(variants: &[Variant], claims: &[JudgedClaim<'_>]) -> Self {
        let total = |(index, variant): (usize, &Variant)| {
            let mut total = Total::default();
            for (claim, judged) in claims {
                if let Some(judged) = judged.get(index) {
                    total.add(claim, judged);
                }
            }
            (*variant, total)
        };
        Self(variants.iter().enumerate().map(total).collect())
    }
}

impl Total {
    fn add(&mut self, claim: &TracedClaim, judged: &Judged) {
        match judged.judgement.verdict {
            Verdict::Valid => self.valid += 1,
            Verdict::Invalid { .. } => self.invalid += 1,
            Verdict::Inconclusive { .. } => self.inconclusive += 1,
        }
        let (reward, stake) = (claim.terms.reward.units(), claim.terms.stake.units());
        self.expected_invalid += judged.detection.to_f64();
        self.paid += judged.paid.units();
        self.slashed += judged.slashed.units();
        self.expected_paid += reward - judged.detection.of(reward);
        self.expected_slashed += judged.detection.of(stake);
    }
}

/// The verdict's name in records and tables.
pub fn name(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Valid => "valid",
        Verdict::Invalid { .. } => "invalid",
        Verdict::Inconclusive { .. } => "inconclusive",
    }
}
