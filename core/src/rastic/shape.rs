//! What can be wrong with a claim that takes no model to see.

use super::claim::Claim;
use super::spec::Spec;
use super::verdict::InvalidReason;
use crate::model::Finish;

/// The fault that `spec` sees in the claim's shape alone, with its index into `R`.
///
/// No specification takes what is not a token: the model could not even be asked about it. The paper
/// asks only that a first output token exists. The repair also asks for an end: an end
/// token, or as many tokens as were asked for. `V2` holds the output to the limit and lets nothing
/// follow an end token.
pub fn shape_fault(spec: Spec, claim: &Claim<'_>) -> Option<(u32, InvalidReason)> {
    if claim.output.is_empty() {
        return Some((claim.prompt_len(), InvalidReason::EmptyOutput));
    }
    if let Some(fault) = no_token(claim) {
        return Some(fault);
    }
    match spec {
        Spec::V1AsWritten => None,
        Spec::V1Repaired => {
            let finished = claim.ends_with_end_token() || claim.output_len() == claim.max_tokens;
            (!finished).then(|| unfinished(claim))
        }
        Spec::V2 => over_limit(claim).or_else(|| early_end(claim)).or_else(|| {
            match Finish::derive(claim.output, claim.end_tokens, claim.max_tokens) {
                Some(_) => None,
                None => Some(unfinished(claim)),
            }
        }),
    }
}

fn no_token(claim: &Claim<'_>) -> Option<(u32, InvalidReason)> {
    let index = claim.output.iter().position(|&token| token >= claim.vocabulary)?;
    let position = claim.prompt_len().saturating_add(u32::try_from(index).ok()?);
    Some((position, InvalidReason::NoToken))
}

fn over_limit(claim: &Claim<'_>) -> Option<(u32, InvalidReason)> {
    let first_too_many = claim.prompt_len().saturating_add(claim.max_tokens);
    (claim.output_len() > claim.max_tokens).then_some((first_too_many, InvalidReason::OverLimit))
}

fn early_end(claim: &Claim<'_>) -> Option<(u32, InvalidReason)> {
    let (_, before_last) = claim.output.split_last()?;
    let end = before_last.iter().position(|&token| claim.is_end(token))?;
    let position = claim.prompt_len().saturating_add(u32::try_from(end).ok()?);
    Some((position, InvalidReason::EarlyEnd))
}

fn unfinished(claim: &Claim<'_>) -> (u32, InvalidReason) {
    (claim.len().saturating_sub(1), InvalidReason::Unfinished)
}
