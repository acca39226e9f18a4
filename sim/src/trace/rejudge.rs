//! Judging the claims of a trace again, under any specification.

use super::claims::{TracedClaim, TracedClaims};
use crate::model::{LanguageModel, run_task};
use camelid_core::model::{
    InferenceResult, InferenceTask, MAX_POSITIONS, NumericsProfile, Prediction, TokenId,
};
use camelid_core::primitives::{Amount, BoundedVec, Stream};
use camelid_core::rastic::{Claim, Plan, Role, Spec, Verdict, judge, judge_result, plan};
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

/// Where predictions come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The trace: an honest node had asked for all of them.
    Recorded,
    /// The trace's model, run again.
    Model,
}

/// What comes of a claim under one specification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The verdict for one draw of positions, which hangs on the seed of the trace and the job.
    pub verdict: Verdict,
    /// What decides over all draws.
    pub odds: Odds,
    /// Where the predictions come from.
    pub source: Source,
}

/// What decides how likely each verdict is when `samples` of `positions` are drawn without
/// replacement. V2 draws all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Odds {
    /// The verdict if nothing is wrong with what is drawn: that on the claim's shape and on the
    /// positions that are always checked.
    pub fixed: Verdict,
    /// `n`: positions that samples are drawn from.
    pub positions: u32,
    /// `k`: those among them that make the claim invalid.
    pub faults: u32,
    /// Those among them that make it inconclusive, if no fault is drawn.
    pub doubts: u32,
    /// `m`: how many are drawn.
    pub samples: u32,
}

impl Judgement {
    /// What the claim's node is paid, and what is slashed, if this verdict is the last word: reward
    /// and stake, or neither. Inconclusive settles for the node.
    pub fn paid_and_slashed(&self, claim: &TracedClaim) -> (Amount, Amount) {
        match self.verdict {
            Verdict::Valid | Verdict::Inconclusive { .. } => (claim.terms.reward, Amount::ZERO),
            Verdict::Invalid { .. } => (Amount::ZERO, claim.terms.stake),
        }
    }
}

/// A claim on the bench.
pub struct Rejudge<'a> {
    traced: &'a TracedClaim,
    model: &'a dyn LanguageModel,
    seed: u64,
    /// What the model says at every position, once it has been asked. Empty if it cannot run.
    asked: OnceCell<BTreeMap<u32, Prediction>>,
}

impl<'a> Rejudge<'a> {
    /// Puts one of `claims` on the bench.
    pub fn new(claims: &'a TracedClaims, traced: &'a TracedClaim) -> Self {
        Self {
            traced,
            model: claims.setup.model(),
            seed: claims.setup.seed,
            asked: OnceCell::new(),
        }
    }

    /// The verdict under `spec`, with `samples` positions to draw where it draws as many as it is
    /// told to.
    pub fn judge(&self, spec: Spec, samples: u32) -> Judgement {
        let (claim, profile) = (self.claim(), self.profile());
        let mut stream = Stream::new(self.seed, &format!("rastic-replay {}", self.traced.job));
        let plan = plan(spec, &claim, samples, &mut stream);
        let drawn = drawn_from(spec, &claim);
        let needed: BTreeSet<u32> = drawn.iter().chain(&plan.positions).copied().collect();
        let (source, known) = self.predictions(&needed);
        let Some(predictions) = at_each(known, &plan.positions) else {
            return self.without_model(&plan);
        };
        let fixed = judge(
            &plan,
            &claim,
            profile,
            &with_perfect_interior(&plan, &claim, &predictions),
        );
        let (faults, doubts) = self.count(spec, &drawn, known);
        let positions = count_u32(drawn.len());
        Judgement {
            verdict: judge(&plan, &claim, profile, &predictions),
            odds: Odds {
                fixed,
                positions,
                faults,
                doubts,
                samples: drawn_number(spec, samples).min(positions),
            },
            source,
        }
    }

    fn claim(&self) -> Claim<'_> {
        self.traced.claim(self.model.manifest())
    }

    fn profile(&self) -> &NumericsProfile {
        &self.model.manifest().profile
    }

    /// Predictions at all of `positions` at least, if the model can run.
    fn predictions(&self, positions: &BTreeSet<u32>) -> (Source, &BTreeMap<u32, Prediction>) {
        let recorded = &self.traced.predictions;
        if positions.iter().all(|position| recorded.contains_key(position)) {
            return (Source::Recorded, recorded);
        }
        (Source::Model, self.asked.get_or_init(|| self.ask()))
    }

    /// Asks the model about every position, as many at a time as a task can hold.
    fn ask(&self) -> BTreeMap<u32, Prediction> {
        let traced = self.traced;
        let all: Vec<u32> = (0..=self.claim().len()).collect();
        let mut answers = BTreeMap::new();
        for positions in all.chunks(MAX_POSITIONS) {
            let task = InferenceTask::Predict {
                model: traced.terms.model,
                job: traced.job,
                prompt: traced.prompt.clone(),
                output: traced.output.clone(),
                positions: BoundedVec::from_vec(positions.to_vec()).unwrap_or_default(),
                seed: traced.terms.seed,
                sampling: traced.terms.sampling,
            };
            let InferenceResult::Predicted { predictions } = run_task(self.model, &task) else {
                return BTreeMap::new();
            };
            answers.extend(positions.iter().copied().zip(predictions.iter().copied()));
        }
        answers
    }

    /// The model cannot be run on this claim: only its shape can condemn it.
    fn without_model(&self, plan: &Plan) -> Judgement {
        let failed = InferenceResult::failed("the model cannot be run on this claim");
        let verdict = judge_result(plan, &self.claim(), self.profile(), &failed);
        Judgement {
            verdict,
            odds: Odds {
                fixed: verdict,
                positions: 0,
                faults: 0,
                doubts: 0,
                samples: 0,
            },
            source: Source::Model,
        }
    }

    /// How many of `positions` would make the claim invalid, and how many inconclusive.
    fn count(&self, spec: Spec, positions: &[u32], known: &BTreeMap<u32, Prediction>) -> (u32, u32) {
        let text = [&self.traced.prompt[..], &self.traced.output[..]].concat();
        // The paper knows no tolerance.
        let exact = NumericsProfile::exact("as written");
        let profile = if spec == Spec::V1AsWritten {
            &exact
        } else {
            self.profile()
        };
        let findings = positions.iter().filter_map(|position| {
            let prediction = known.get(position)?;
            Some(judge_token(&text, *position, profile, *prediction))
        });
        let (mut faults, mut doubts) = (0, 0);
        for finding in findings {
            match finding {
                Verdict::Valid => {}
                Verdict::Invalid { .. } => faults += 1,
                Verdict::Inconclusive { .. } => doubts += 1,
            }
        }
        (faults, doubts)
    }
}

/// Positions that `spec` draws from, or checks all of: its interior ones.
fn drawn_from(spec: Spec, claim: &Claim<'_>) -> Vec<u32> {
    match spec {
        Spec::V1AsWritten => (2..claim.len().saturating_sub(1)).collect(),
        Spec::V1Repaired | Spec::V2 => {
            (claim.prompt_len().saturating_add(1)..claim.len().saturating_sub(1)).collect()
        }
    }
}

/// How many of them it draws when told to draw `samples`.
fn drawn_number(spec: Spec, samples: u32) -> u32 {
    match spec {
        Spec::V1AsWritten => 1,
        Spec::V1Repaired => samples,
        Spec::V2 => u32::MAX,
    }
}

fn at_each(known: &BTreeMap<u32, Prediction>, positions: &[u32]) -> Option<Vec<Prediction>> {
    positions
        .iter()
        .map(|position| known.get(position).copied())
        .collect()
}

/// The predictions for `plan`, as if the model agreed with all that is checked as interior alone.
fn with_perfect_interior(plan: &Plan, claim: &Claim<'_>, predictions: &[Prediction]) -> Vec<Prediction> {
    let of_role = |interior: bool| -> BTreeSet<u32> {
        let checks = plan.checks().iter();
        let checks = checks.filter(|check| (check.role == Role::Interior) == interior);
        checks.map(|check| check.position).collect()
    };
    let (interior, others) = (of_role(true), of_role(false));
    let perfect = |(position, prediction): (&u32, &Prediction)| {
        let mut prediction = *prediction;
        if let Some(token) = claim.token(*position)
            && interior.contains(position)
            && !others.contains(position)
        {
            (prediction.token, prediction.gap_milli) = (token, 0);
        }
        prediction
    };
    plan.positions.iter().zip(predictions).map(perfect).collect()
}

/// The verdict on one token: on the claim that the model writes it, and nothing else, after what
/// stands before it.
fn judge_token(
    text: &[TokenId],
    position: u32,
    profile: &NumericsProfile,
    prediction: Prediction,
) -> Verdict {
    let (before, from) = text.split_at(text.len().min(position as usize));
    let claim = Claim {
        prompt: before,
        output: from.get(..1).unwrap_or_default(),
        max_tokens: 1,
        end_tokens: &[],
        vocabulary: u32::MAX,
    };
    // Nothing is drawn from one position.
    let plan = plan(Spec::V1Repaired, &claim, 0, &mut Stream::new(0, "nothing"));
    judge(&plan, &claim, profile, &[prediction])
}

fn count_u32(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
