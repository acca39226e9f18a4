//! Checking a claim against a model.

use super::claim::Claim;
use camelid_core::committee::challenge_stream;
use camelid_core::model::{
    InferenceResult, InferenceTask, LanguageModel as _, NumericsProfile, Prediction, run_task,
};
use camelid_core::params::ChallengeSource;
use camelid_core::primitives::{BoundedVec, Hash256, tagged_hash};
use camelid_core::rastic::{Plan, Spec, Verdict, judge_result, plan};
use camelid_inference_ggml::Engine;
use std::time::{Duration, Instant};

/// What claims are checked against, and how.
pub struct Bench<'a> {
    /// The model.
    pub model: &'a Engine,
    /// The specification.
    pub spec: Spec,
    /// Positions that `v1-repaired` draws.
    pub samples: u32,
    /// What positions are drawn from; nobody may know it before the claim is fixed.
    pub beacon: Hash256,
}

/// Which rule decides whether a token is the model's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// It is the very token that the model writes.
    Exact,
    /// Its score is about as good as the best one.
    Tolerance,
}

impl Rule {
    /// As records say it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Tolerance => "tolerance",
        }
    }
}

/// A claim that was checked.
pub struct Checked {
    /// Where, and what for.
    pub plan: Plan,
    /// What the model says at each of `plan.positions`; empty when it could not be run, or need not be.
    pub predictions: Vec<Prediction>,
    /// The outcome.
    pub verdict: Verdict,
    /// By which rule.
    pub rule: Rule,
    /// How long the model took.
    pub took: Duration,
}

impl Bench<'_> {
    /// The verdict on `claim`.
    pub fn check(&self, claim: &Claim) -> Checked {
        let profile = self.profile(claim);
        let checked = claim.checked(self.model.manifest());
        // As a committee draws: by beacon and job.
        let seed = tagged_hash("camelid/claim-challenge", &(self.beacon, claim.job));
        let mut stream = challenge_stream(ChallengeSource::Beacon, &claim.job, &seed);
        let plan = plan(self.spec, &checked, self.samples, &mut stream);
        let begun = Instant::now();
        let result = self.ask(claim, &plan.positions);
        Checked {
            took: begun.elapsed(),
            verdict: judge_result(&plan, &checked, &profile, &result),
            rule: self.rule(claim),
            predictions: match result {
                InferenceResult::Predicted { predictions } => predictions.into_vec(),
                InferenceResult::Generated { .. } | InferenceResult::Failed { .. } => Vec::new(),
            },
            plan,
        }
    }

    /// What the model says at `positions`.
    pub fn ask(&self, claim: &Claim, positions: &[u32]) -> InferenceResult {
        if positions.is_empty() {
            let predictions = BoundedVec::default();
            return InferenceResult::Predicted { predictions };
        }
        let (Some(prompt), Some(output), Some(positions)) = (
            BoundedVec::from_vec(claim.prompt.clone()),
            BoundedVec::from_vec(claim.output.clone()),
            BoundedVec::from_vec(positions.to_vec()),
        ) else {
            return InferenceResult::failed("the claim is too long");
        };
        let task = InferenceTask::Predict {
            model: self.model.manifest().id(),
            job: claim.job,
            prompt,
            output,
            positions,
            seed: claim.seed,
            sampling: claim.sampling,
        };
        run_task(self.model, &task)
    }

    /// What the model promises for outputs of the claim's profile: the same bits under its own profile, about
    /// the same scores under any other.
    pub fn profile(&self, claim: &Claim) -> NumericsProfile {
        if self.spec == Spec::V1AsWritten {
            return NumericsProfile::exact("the paper knows no tolerance");
        }
        let own = &self.model.manifest().profile;
        NumericsProfile {
            exact: own.exact && claim.profile.as_deref() == Some(own.name.as_str()),
            ..own.clone()
        }
    }

    fn rule(&self, claim: &Claim) -> Rule {
        if self.profile(claim).exact {
            Rule::Exact
        } else {
            Rule::Tolerance
        }
    }
}
