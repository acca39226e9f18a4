//! Outputs forged by running a model again, or another one.

use super::Forger;
use super::edit::interior;
use crate::claims::claim::Claim;
use crate::claims::generate::write;
use camelid_core::model::{Sampling, TokenId};

/// What the model writes after `prefix` when the terms of the claim are `change`d.
fn rewrite(forger: &Forger<'_>, prefix: &[TokenId], change: impl FnOnce(&mut Claim)) -> Option<Vec<TokenId>> {
    let mut terms = forger.claim().clone();
    change(&mut terms);
    write(forger.model, &terms, prefix, &mut |_| true).ok()
}

pub(super) fn substitution(forger: &mut Forger<'_>) -> Option<Vec<TokenId>> {
    let position = interior(forger)?;
    let mut prefix = forger.claim().output[..=position].to_vec();
    prefix[position] = forger.another(prefix[position]);
    rewrite(forger, &prefix, |_| {})
}

pub(super) fn other_model(forger: &mut Forger<'_>) -> Option<Vec<TokenId>> {
    write(forger.other?, forger.claim(), &[], &mut |_| true).ok()
}

pub(super) fn prompt_dropped(forger: &mut Forger<'_>) -> Option<Vec<TokenId>> {
    let kept = forger.claim().prompt.len().div_ceil(2);
    rewrite(forger, &[], |terms| terms.prompt.truncate(kept))
}

pub(super) fn wrong_seed(forger: &mut Forger<'_>) -> Option<Vec<TokenId>> {
    let seed = forger.stream.next_u64();
    rewrite(forger, &[], |terms| terms.seed = seed)
}

pub(super) fn wrong_temperature(forger: &mut Forger<'_>) -> Option<Vec<TokenId>> {
    let temperature_milli = if forger.claim().sampling.is_greedy() {
        1000
    } else {
        0
    };
    rewrite(forger, &[], |terms| {
        terms.sampling = Sampling {
            temperature_milli,
            ..Sampling::GREEDY
        };
    })
}
