//! Outputs forged without a model.

use super::Forger;
use camelid_core::model::{LanguageModel as _, TokenId};
use std::collections::BTreeMap;

/// Tokens that `repetition` repeats.
const PERIOD: usize = 8;

/// An interior position of the claim's output.
pub(super) fn interior(forger: &mut Forger<'_>) -> Option<usize> {
    let last = forger
        .claim()
        .output
        .len()
        .checked_sub(1)
        .filter(|last| *last >= 2)?;
    usize::try_from(forger.stream.range(1, last as u64 - 1)).ok()
}

pub(super) fn one_token(forger: &mut Forger<'_>) -> Option<Vec<TokenId>> {
    let position = interior(forger)?;
    let mut output = forger.claim().output.clone();
    output[position] = forger.another(output[position]);
    Some(output)
}

pub(super) fn splice(forger: &mut Forger<'_>) -> Option<Vec<TokenId>> {
    let beginning = forger.first_half()?;
    let ends: Vec<Vec<TokenId>> = forger
        .others()
        .filter_map(|other| other.output.get(beginning.len()..))
        .filter(|end| !end.is_empty())
        .map(<[TokenId]>::to_vec)
        .collect();
    let end = forger.stream.pick(&ends)?;
    Some([beginning, end.clone()].concat())
}

pub(super) fn truncation(forger: &mut Forger<'_>) -> Option<Vec<TokenId>> {
    forger.first_half()
}

pub(super) fn forged_end(forger: &mut Forger<'_>) -> Option<Vec<TokenId>> {
    let end = *forger.model.manifest().end_tokens.first()?;
    let mut output = forger.first_half()?;
    output.push(end);
    Some(output)
}

pub(super) fn padding(forger: &mut Forger<'_>) -> Option<Vec<TokenId>> {
    let mut output = forger.first_half()?;
    while output.len() < forger.claim().max_tokens as usize {
        let junk = forger.another(*output.last()?);
        output.push(junk);
    }
    Some(output)
}

pub(super) fn repetition(forger: &mut Forger<'_>) -> Option<Vec<TokenId>> {
    let mut output = forger.first_half()?;
    let period = output.len().min(PERIOD);
    while output.len() < forger.claim().max_tokens as usize {
        output.push(output[output.len() - period]);
    }
    Some(output)
}

/// The answer to the same prompt if another claim has it, else to any.
pub(super) fn cached(forger: &mut Forger<'_>) -> Option<Vec<TokenId>> {
    let own = forger.claim();
    let differing = || forger.others().filter(|other| other.output != own.output);
    let same_prompt = differing().find(|other| other.prompt == own.prompt);
    same_prompt
        .or_else(|| differing().next())
        .map(|other| other.output.clone())
}

/// Trigrams and bigrams of everything else in the file, and of the claim's own prompt. Longer texts than the
/// output do not come of it: between the honest ends as many tokens are drawn as the model wrote.
pub(super) fn ngram(forger: &mut Forger<'_>) -> Option<Vec<TokenId>> {
    let own = forger.claim();
    let (first, last) = (*own.output.first()?, *own.output.last()?);
    let interior = own.output.len().checked_sub(2).filter(|interior| *interior > 0)?;
    let end_tokens = &forger.model.manifest().end_tokens;
    let mut followers: BTreeMap<Vec<TokenId>, Vec<TokenId>> = BTreeMap::new();
    for text in forger
        .others()
        .map(super::Claim::tokens)
        .chain([own.prompt.clone()])
    {
        for (position, token) in text
            .iter()
            .enumerate()
            .filter(|(_, token)| !end_tokens.contains(token))
        {
            for length in 0..=position.min(2) {
                let context = text[position - length..position].to_vec();
                followers.entry(context).or_default().push(*token);
            }
        }
    }
    let mut text = [&own.prompt[..], &[first]].concat();
    for _ in 0..interior {
        let known = (0..=text.len().min(2))
            .rev()
            .find_map(|length| followers.get(&text[text.len() - length..]))?;
        text.push(*forger.stream.pick(known)?);
    }
    text.push(last);
    let prompt = forger.claim().prompt.len();
    Some(text.split_off(prompt))
}
