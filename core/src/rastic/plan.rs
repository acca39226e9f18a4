//! At which positions the model has to be asked.

use super::claim::Claim;
use super::shape::shape_fault;
use super::spec::Spec;
use crate::primitives::Stream;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;

/// What a position is checked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// The output's first token follows from the prompt.
    Boundary,
    /// A token follows from those before it.
    Interior,
    /// The last token follows from those before it.
    End,
    /// `V1AsWritten` at the limit: the prediction of the last token equals that of the token after
    /// it. This is the paper's formula; the two have no reason to be equal (hole H3).
    LastPredictionRepeats,
}

/// One comparison: a position and what it is checked for. A position may be checked for two things.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Check {
    /// Prefix length into `R = prompt ++ output`.
    pub position: u32,
    /// What for.
    pub role: Role,
}

/// The positions at which a claim is checked, and what for. Made by [`plan`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// By which specification.
    pub spec: Spec,
    /// Where the model has to be asked: prefix lengths into `R = prompt ++ output`, ascending,
    /// without repetition. Empty when the claim's shape alone condemns it.
    pub positions: Vec<u32>,
    checks: Vec<Check>,
    prompt_len: u32,
    output_len: u32,
}

impl Plan {
    /// The comparisons to make, by ascending position.
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// True when `claim` has the lengths the plan was made for.
    pub fn fits(&self, claim: &Claim<'_>) -> bool {
        (self.prompt_len, self.output_len) == (claim.prompt_len(), claim.output_len())
    }
}

/// Draws the positions at which `claim` is checked under `spec`.
///
/// `samples` is the number of interior positions `V1Repaired` draws, without replacement, or all of
/// them when there are fewer; the paper draws one whatever `samples` says, and `V2` draws nothing.
/// `stream` must not be known before the claim is fixed (hole H6).
pub fn plan(spec: Spec, claim: &Claim<'_>, samples: u32, stream: &mut Stream) -> Plan {
    let checks = match shape_fault(spec, claim) {
        Some(_) => BTreeSet::new(),
        None => match spec {
            Spec::V1AsWritten => checks_as_written(claim, stream),
            Spec::V1Repaired => checks_repaired(claim, samples, stream),
            Spec::V2 => checks_everywhere(claim),
        },
    };
    let mut positions: BTreeSet<u32> = checks.iter().map(|check| check.position).collect();
    if checks
        .iter()
        .any(|check| check.role == Role::LastPredictionRepeats)
    {
        positions.insert(claim.len());
    }
    Plan {
        spec,
        positions: positions.into_iter().collect(),
        checks: checks.into_iter().collect(),
        prompt_len: claim.prompt_len(),
        output_len: claim.output_len(),
    }
}

/// The paper's three conditions (section 2.5.2), its indices read as "predict `R[X]` from `R[..X]`":
///
/// 1. the boundary, `F(R[..A]) = R[A]`;
/// 2. `F(R[..X]) = R[X]` for one `X` in `2..=A+B-2`, which more often than not lies in the prompt
///    (hole H1); when that range is empty, nothing;
/// 3. if the last token is an end token, `F(R[..A+B-1]) = R[A+B-1]`; else if the limit is reached
///    (`B = T`: the paper says that `R` has length `T`, but `T` counts generated tokens),
///    `F(R[..A+B-1]) = F(R[..A+B])`; else nothing, for the paper has no third case.
fn checks_as_written(claim: &Claim<'_>, stream: &mut Stream) -> BTreeSet<Check> {
    let mut checks = BTreeSet::from([check(claim.prompt_len(), Role::Boundary)]);
    let highest = claim.len().saturating_sub(2);
    if highest >= 2 {
        let drawn = stream.range(2, u64::from(highest));
        let position = u32::try_from(drawn).unwrap_or(highest);
        checks.insert(check(position, Role::Interior));
    }
    let last = claim.len().saturating_sub(1);
    if claim.ends_with_end_token() {
        checks.insert(check(last, Role::End));
    } else if claim.output_len() == claim.max_tokens {
        checks.insert(check(last, Role::LastPredictionRepeats));
    }
    checks
}

/// First and last token of the output, and `samples` of those between. The last token is checked
/// against the model whether it ends the output or merely reaches the limit: otherwise it could be
/// anything in the second case.
fn checks_repaired(claim: &Claim<'_>, samples: u32, stream: &mut Stream) -> BTreeSet<Check> {
    let first = claim.prompt_len();
    let interior = claim.output_len().saturating_sub(2);
    let mut checks: BTreeSet<Check> = draw_distinct(interior, samples, stream)
        .into_iter()
        .map(|offset| check(first.saturating_add(1).saturating_add(offset), Role::Interior))
        .collect();
    checks.insert(check(first, Role::Boundary));
    checks.insert(check(claim.len().saturating_sub(1), Role::End));
    checks
}

fn checks_everywhere(claim: &Claim<'_>) -> BTreeSet<Check> {
    let (first, last) = (claim.prompt_len(), claim.len().saturating_sub(1));
    let mut checks: BTreeSet<Check> = (first.saturating_add(1)..last)
        .map(|position| check(position, Role::Interior))
        .collect();
    checks.insert(check(first, Role::Boundary));
    checks.insert(check(last, Role::End));
    checks
}

fn check(position: u32, role: Role) -> Check {
    Check { position, role }
}

/// `min(samples, count)` different numbers in `0..count`, every set of them equally likely: Floyd's
/// method (Bentley and Floyd, "A sample of brilliance", CACM 1987).
fn draw_distinct(count: u32, samples: u32, stream: &mut Stream) -> BTreeSet<u32> {
    let mut drawn = BTreeSet::new();
    for candidate in count.saturating_sub(samples)..count {
        let number = u32::try_from(stream.below(u64::from(candidate) + 1)).unwrap_or(candidate);
        if !drawn.insert(number) {
            drawn.insert(candidate);
        }
    }
    drawn
}
