//! Judging by what others say of each position, without predictions of one's own
//! (`docs/src/protocol.md`, "Outsourced checks").

use super::claim::Claim;
use super::judge::{Finding, within_tolerance};
use super::plan::{Plan, Role};
use super::shape::shape_fault;
use super::verdict::{InconclusiveReason, InvalidReason, Verdict};
use crate::model::{NumericsProfile, Prediction, TokenId};

/// Does the model write `claimed` where it gave `prediction`? `None` when the profile leaves it open.
pub fn matches(profile: &NumericsProfile, claimed: TokenId, prediction: &Prediction) -> Option<bool> {
    if profile.exact {
        return Some(claimed == prediction.token);
    }
    match within_tolerance(profile, prediction.gap_milli) {
        Finding::Fine => Some(true),
        Finding::Fault(_) => Some(false),
        Finding::Doubt(_) => None,
    }
}

/// The verdict on `claim` when all that is known is whether the token at a position is the model's:
/// `decided(position)`, or `None` where that is open.
///
/// As in [`judge`](super::judge): a wrong shape decides, then the lowest position with a fault, then
/// any doubt. The paper's rule for outputs of full length compares two predictions with each other
/// (hole H3); yes and no about single tokens do not carry that, so it stays in doubt.
pub fn judge_matches(plan: &Plan, claim: &Claim<'_>, decided: impl Fn(u32) -> Option<bool>) -> Verdict {
    if let Some((position, reason)) = shape_fault(plan.spec, claim) {
        return Verdict::Invalid { position, reason };
    }
    if !plan.fits(claim) {
        let reason = InconclusiveReason::PlanMismatch;
        return Verdict::Inconclusive { reason };
    }
    let answer = |role, position| match role {
        Role::LastPredictionRepeats => None,
        Role::Boundary | Role::Interior | Role::End => decided(position),
    };
    let answers = || {
        plan.checks()
            .iter()
            .map(|check| (check.position, answer(check.role, check.position)))
    };
    let fault = answers().find(|(_, answer)| *answer == Some(false));
    if let Some((position, _)) = fault {
        let reason = InvalidReason::Mismatch;
        return Verdict::Invalid { position, reason };
    }
    if answers().any(|(_, answer)| answer.is_none()) {
        let reason = InconclusiveReason::NoMajority;
        return Verdict::Inconclusive { reason };
    }
    Verdict::Valid
}
