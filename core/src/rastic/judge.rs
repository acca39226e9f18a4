//! Comparing a claim with the model's predictions.

use super::claim::Claim;
use super::plan::{Check, Plan, Role};
use super::shape::shape_fault;
use super::spec::Spec;
use super::verdict::{InconclusiveReason, InvalidReason, Verdict};
use crate::model::{InferenceResult, NumericsProfile, Prediction};
use core::cmp::Ordering;

/// What one comparison says.
pub(super) enum Finding {
    Fine,
    Fault(InvalidReason),
    Doubt(InconclusiveReason),
}

/// The verdict on `claim`, given one prediction for each of `plan.positions`, in that order.
///
/// A claim whose shape is wrong is invalid whatever the predictions. Otherwise the lowest position
/// with a fault decides; without a fault, the lowest with a doubt. The exact profile compares
/// tokens only, a tolerant one gaps only. The paper knows no tolerance, so `V1AsWritten` always
/// compares tokens.
pub fn judge(
    plan: &Plan,
    claim: &Claim<'_>,
    profile: &NumericsProfile,
    predictions: &[Prediction],
) -> Verdict {
    if let Some((position, reason)) = shape_fault(plan.spec, claim) {
        return Verdict::Invalid { position, reason };
    }
    if let Err(reason) = check_evidence(plan, claim, profile, predictions) {
        return Verdict::Inconclusive { reason };
    }
    let mut doubt = None;
    for check in plan.checks() {
        match compare(*check, plan, claim, profile, predictions) {
            Finding::Fine => {}
            Finding::Fault(reason) => {
                return Verdict::Invalid {
                    position: check.position,
                    reason,
                };
            }
            Finding::Doubt(reason) => doubt = doubt.or(Some(reason)),
        }
    }
    match doubt {
        Some(reason) => Verdict::Inconclusive { reason },
        None => Verdict::Valid,
    }
}

/// [`judge`], straight from what the model's runner gave back. Anything but predictions is no
/// evidence.
pub fn judge_result(
    plan: &Plan,
    claim: &Claim<'_>,
    profile: &NumericsProfile,
    result: &InferenceResult,
) -> Verdict {
    match (result, shape_fault(plan.spec, claim)) {
        (_, Some((position, reason))) => Verdict::Invalid { position, reason },
        (InferenceResult::Predicted { predictions }, None) => judge(plan, claim, profile, predictions),
        (InferenceResult::Generated { .. } | InferenceResult::Failed { .. }, None) => Verdict::Inconclusive {
            reason: InconclusiveReason::NotRun,
        },
    }
}

fn check_evidence(
    plan: &Plan,
    claim: &Claim<'_>,
    profile: &NumericsProfile,
    predictions: &[Prediction],
) -> Result<(), InconclusiveReason> {
    if !plan.fits(claim) {
        return Err(InconclusiveReason::PlanMismatch);
    }
    if predictions.len() != plan.positions.len() {
        return Err(InconclusiveReason::PredictionCount);
    }
    profile.check().map_err(|_| InconclusiveReason::Profile)
}

fn compare(
    check: Check,
    plan: &Plan,
    claim: &Claim<'_>,
    profile: &NumericsProfile,
    predictions: &[Prediction],
) -> Finding {
    let prediction_at = |position: u32| {
        let index = plan.positions.binary_search(&position).ok()?;
        predictions.get(index)
    };
    let Some(prediction) = prediction_at(check.position) else {
        return Finding::Doubt(InconclusiveReason::PlanMismatch);
    };
    if check.role == Role::LastPredictionRepeats {
        return match prediction_at(claim.len()) {
            Some(next) if next.token == prediction.token => Finding::Fine,
            Some(_) => Finding::Fault(InvalidReason::LimitRule),
            None => Finding::Doubt(InconclusiveReason::PlanMismatch),
        };
    }
    if profile.exact || plan.spec == Spec::V1AsWritten {
        match claim.token(check.position) {
            Some(claimed) if claimed == prediction.token => Finding::Fine,
            Some(_) => Finding::Fault(InvalidReason::Mismatch),
            None => Finding::Doubt(InconclusiveReason::PlanMismatch),
        }
    } else {
        within_tolerance(profile, prediction.gap_milli)
    }
}

pub(super) fn within_tolerance(profile: &NumericsProfile, gap_milli: u32) -> Finding {
    if gap_milli == Prediction::NOT_FINITE {
        return Finding::Doubt(InconclusiveReason::NotFinite);
    }
    if gap_milli <= profile.tolerance_milli {
        return Finding::Fine;
    }
    match gap_milli.cmp(&profile.slash_tolerance_milli) {
        Ordering::Greater => Finding::Fault(InvalidReason::Mismatch),
        Ordering::Less | Ordering::Equal => Finding::Doubt(InconclusiveReason::BetweenTolerances),
    }
}
