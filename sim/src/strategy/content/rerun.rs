//! Outputs forged by running a model again, or another one.

use super::{Forger, Job};
use camelid_core::committee::challenge_stream;
use camelid_core::model::{Sampling, TokenId};
use camelid_core::params::ChallengeSource;
use camelid_core::primitives::Hash256;
use camelid_core::rastic::{Claim, Spec, plan};

/// Tokens that are tried before an attack is given up.
const TRIES: usize = 16;

/// C01: one interior token swapped, and the model goes on from there: exactly one position does not
/// follow from those before it.
pub(in crate::strategy) fn substitution(forger: &mut Forger<'_>) -> Option<Vec<TokenId>> {
    let (position, token) = forger.swap()?;
    let prefix = [&forger.honest[..position], &[token]].concat();
    forger.job.write(&*forger.models.full, &prefix)
}

/// B01: one interior token swapped where the paper's challenge will not look, if the challenge hangs on
/// the job id.
pub(in crate::strategy) fn foreseen_challenge(forger: &mut Forger<'_>) -> Option<Vec<TokenId>> {
    let seed = Hash256([0; 32]);
    (0..TRIES).find_map(|_| {
        let output = substitution(forger)?;
        let swapped = forger.honest.iter().zip(&output).position(|(a, b)| a != b)?;
        let claim = Claim {
            prompt: &forger.job.prompt,
            output: &output,
            max_tokens: forger.job.max_tokens,
            end_tokens: &forger.models.full.manifest().end_tokens,
            vocabulary: forger.models.full.manifest().vocabulary,
        };
        let mut stream = challenge_stream(ChallengeSource::Job, &forger.job.id, &seed);
        let checked = plan(Spec::V1AsWritten, &claim, 1, &mut stream).positions;
        let position = u32::try_from(forger.job.prompt.len() + swapped).ok()?;
        (!checked.contains(&position)).then_some(output)
    })
}

/// C02: the beginning of one honest run and the end of another. The second is what the model writes
/// after a token that is not in the first; noise hangs on the position, so each part keeps its own.
pub(in crate::strategy) fn splice(forger: &mut Forger<'_>) -> Option<Vec<TokenId>> {
    let other = substitution(forger)?;
    let fork = forger
        .honest
        .iter()
        .zip(&other)
        .take_while(|(a, b)| a == b)
        .count();
    let shorter = forger.honest.len().min(other.len());
    // The second part has at least two tokens, so that its end is not at the seam.
    let seam = forger
        .stream
        .range(fork as u64 + 1, (shorter as u64).saturating_sub(2));
    let seam = usize::try_from(seam).ok()?;
    let output = [forger.honest.get(..seam)?, other.get(seam..)?].concat();
    forger.forged(output)
}

/// C09: first and last token are the model's, those between a draft model's.
pub(in crate::strategy) fn draft_between_honest_ends(forger: &mut Forger<'_>) -> Option<Vec<TokenId>> {
    let first = forger.honest.first()?;
    let draft = forger.job.write(&*forger.models.draft, &[*first])?;
    let (_, before_last) = draft.split_last()?;
    // At the limit this adds one token; else the model goes on until it ends the output.
    let output = forger.job.write(&*forger.models.full, before_last)?;
    forger.forged(output)
}

/// C10: a smaller model.
pub(in crate::strategy) fn smaller_model(forger: &mut Forger<'_>) -> Option<Vec<TokenId>> {
    let output = forger.job.write(&*forger.models.draft, &[])?;
    forger.forged(output)
}

/// C11: a coarsely quantized copy of the model.
pub(in crate::strategy) fn quantized_model(forger: &mut Forger<'_>) -> Option<Vec<TokenId>> {
    let output = forger.job.write(&*forger.models.coarse, &[])?;
    forger.forged(output)
}

/// C12: shortcuts that only tell in late positions: from the middle on, a draft model writes.
pub(in crate::strategy) fn late_draft(forger: &mut Forger<'_>) -> Option<Vec<TokenId>> {
    let half = &forger.honest[..forger.honest.len() / 2];
    let output = forger.job.write(&*forger.models.draft, half)?;
    forger.forged(output)
}

/// C13: the second half of the prompt is dropped.
pub(in crate::strategy) fn prompt_cut(forger: &mut Forger<'_>) -> Option<Vec<TokenId>> {
    let kept = forger.job.prompt.len().div_ceil(2);
    let job = Job {
        prompt: forger.job.prompt[..kept].to_vec(),
        ..forger.job.clone()
    };
    let output = job.write(&*forger.models.full, &[])?;
    forger.forged(output)
}

/// C16: noise of another seed.
pub(in crate::strategy) fn wrong_seed(forger: &mut Forger<'_>) -> Option<Vec<TokenId>> {
    let job = Job {
        seed: forger.stream.next_u64(),
        ..forger.job.clone()
    };
    let output = job.write(&*forger.models.full, &[])?;
    forger.forged(output)
}

/// C16: always the best token, whatever temperature was asked for.
pub(in crate::strategy) fn wrong_temperature(forger: &mut Forger<'_>) -> Option<Vec<TokenId>> {
    let job = Job {
        sampling: Sampling::GREEDY,
        ..forger.job.clone()
    };
    let output = job.write(&*forger.models.full, &[])?;
    forger.forged(output)
}

/// R01: the answer to an earlier job with the same prompt and parameters. It is not even forged if
/// the model would have written the same.
pub(in crate::strategy) fn replay(forger: &mut Forger<'_>) -> Option<Vec<TokenId>> {
    let asked = |job: &Job| (job.prompt.clone(), job.max_tokens, job.seed, job.sampling);
    let wanted = asked(forger.job);
    forger
        .earlier
        .iter()
        .find(|(job, _)| job.id != forger.job.id && asked(job) == wanted)
        .map(|(_, output)| output.clone())
}
