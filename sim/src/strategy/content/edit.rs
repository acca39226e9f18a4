//! Outputs forged without a model.

use super::{Forger, SHORTEST};
use camelid_core::model::TokenId;

/// C01 at its crudest: random tokens, as many as the model wrote, with its end.
pub(in crate::strategy) fn garbage(forger: &mut Forger<'_>) -> Option<Vec<TokenId>> {
    let manifest = forger.models.full.manifest();
    let allowed: Vec<TokenId> = (0..manifest.vocabulary)
        .filter(|token| !manifest.end_tokens.contains(token))
        .collect();
    let mut garbage = forger.honest.to_vec();
    for token in &mut garbage[..forger.text().len()] {
        *token = *forger.stream.pick(&allowed)?;
    }
    forger.forged(garbage)
}

/// C03: one interior token changed, and what follows left as it was.
pub(in crate::strategy) fn one_token(forger: &mut Forger<'_>) -> Option<Vec<TokenId>> {
    let (position, token) = forger.swap()?;
    let mut output = forger.honest.to_vec();
    *output.get_mut(position)? = token;
    Some(output)
}

/// C04: the first half, without an end token.
pub(in crate::strategy) fn truncation(forger: &mut Forger<'_>) -> Option<Vec<TokenId>> {
    let kept = forger.honest.len() / 2;
    (kept > 0).then(|| forger.honest[..kept].to_vec())
}

/// C05: an end token after the first half.
pub(in crate::strategy) fn early_end(forger: &mut Forger<'_>) -> Option<Vec<TokenId>> {
    let kept = forger.text().len() / 2;
    let end = forger.end_token()?;
    let output = forger.text()[..kept].iter().copied().chain([end]).collect();
    forger.forged(output)
}

/// C06: one token repeated up to the limit: after an output that ends by itself, or else in the
/// place of its second half.
pub(in crate::strategy) fn padding(forger: &mut Forger<'_>) -> Option<Vec<TokenId>> {
    let (_, junk) = forger.swap()?;
    let limit = usize::try_from(forger.job.max_tokens).ok()?;
    let text = forger.text();
    let kept = if text.len() < limit { text.len() } else { limit / 2 };
    let mut output = text[..kept].to_vec();
    output.resize(limit, junk);
    forger.forged(output)
}

/// C07: a quarter more tokens than were asked for.
pub(in crate::strategy) fn over_limit(forger: &mut Forger<'_>) -> Option<Vec<TokenId>> {
    let limit = usize::try_from(forger.job.max_tokens).ok()?;
    let output: Vec<TokenId> = forger
        .text()
        .iter()
        .copied()
        .cycle()
        .take(limit + limit / 4 + 1)
        .collect();
    (!output.is_empty()).then_some(output)
}

/// No output at all.
#[expect(clippy::unnecessary_wraps, reason = "it is a `Forge`")]
pub(in crate::strategy) fn empty(_forger: &mut Forger<'_>) -> Option<Vec<TokenId>> {
    Some(Vec::new())
}

/// C08: once the first half has begun to repeat itself, the rest is copied from there. It is not
/// even forged if the model would have gone on like that.
pub(in crate::strategy) fn repetition(forger: &mut Forger<'_>) -> Option<Vec<TokenId>> {
    let limit = usize::try_from(forger.job.max_tokens).ok()?;
    let computed = &forger.honest[..forger.honest.len() / 2];
    let period = period(computed)?;
    let mut output = computed.to_vec();
    while output.len() < limit {
        output.push(*output.get(output.len() - period)?);
    }
    Some(output)
}

/// The shortest run of tokens that the text ends with twice, if it is worth attacking.
fn period(text: &[TokenId]) -> Option<usize> {
    let repeats = |period: &usize| {
        let (before, last) = text.split_at(text.len() - period);
        before.ends_with(last)
    };
    (1..=text.len() / 2)
        .find(repeats)
        .filter(|_| text.len() >= SHORTEST)
}
