//! Does the way of computing change the scores?

use crate::engine::predict;
use crate::{EngineError, Model, Sequence, Shape};
use camelid_core::model::{Draw, Sampling, TokenId};
use camelid_core::primitives::JobId;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Tokens that the self-test generates.
const SELF_TEST_TOKENS: usize = 64;
/// Tokens of its prompt.
const SELF_TEST_PROMPT: usize = 8;

/// How one sequence was generated token by token, and then computed again in one pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// Positions compared.
    pub positions: usize,
    /// Positions at which any score differed in any bit.
    pub differing: usize,
    /// Positions at which another token would have been drawn.
    pub redrawn: usize,
    /// The largest difference between two scores of a token, in milli-logits, rounded up.
    pub largest_milli: u32,
    /// Time that generating took, prompt included.
    pub generating: Duration,
    /// Time that computing again took, prompt included.
    pub verifying: Duration,
    /// The tokens generated.
    pub output: Vec<TokenId>,
}

/// Generates `count` tokens after `prompt` by `draw` in the one shape, computes them again in the
/// other, and compares the scores of all tokens at each position. End tokens do not end it.
///
/// # Errors
/// [`EngineError`] when the tokens do not fit the model or the library fails.
pub fn compare(
    model: &Arc<Model>,
    draw: &Draw,
    prompt: &[TokenId],
    count: usize,
    generator: Shape,
    verifier: Shape,
) -> Result<Comparison, EngineError> {
    let mut tokens = prompt.to_vec();
    let mut scores: Vec<Vec<f32>> = Vec::with_capacity(count);
    let mut candidates = Vec::new();
    let mut sequence = Sequence::new(model, generator)?;
    let start = Instant::now();
    for position in prompt.len()..prompt.len() + count {
        let mut next = 0;
        sequence.scores(&tokens, &[position], |position, logits| {
            next = predict(draw, position, logits, None, &mut candidates).token;
            scores.push(logits.to_vec());
        })?;
        tokens.push(next);
    }
    let generating = start.elapsed();
    drop(sequence);

    let mut comparison = Comparison {
        positions: count,
        differing: 0,
        redrawn: 0,
        largest_milli: 0,
        generating,
        verifying: Duration::ZERO,
        output: tokens[prompt.len()..].to_vec(),
    };
    let prefixes: Vec<usize> = (prompt.len()..tokens.len()).collect();
    let mut sequence = Sequence::new(model, verifier)?;
    let start = Instant::now();
    sequence.scores(&tokens, &prefixes, |position, logits| {
        let generated = &scores[position - prompt.len()];
        let drawn = predict(draw, position, logits, None, &mut candidates).token;
        comparison.redrawn += usize::from(drawn != tokens[position]);
        if !logits
            .iter()
            .map(|x| x.to_bits())
            .eq(generated.iter().map(|x| x.to_bits()))
        {
            comparison.differing += 1;
            let milli = largest_difference_milli(logits, generated);
            comparison.largest_milli = comparison.largest_milli.max(milli);
        }
    })?;
    comparison.verifying = start.elapsed();
    Ok(comparison)
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // saturates
fn largest_difference_milli(a: &[f32], b: &[f32]) -> u32 {
    let differences = a.iter().zip(b).map(|(a, b)| (a - b).abs());
    (differences.fold(0.0, f32::max) * 1000.0).ceil() as u32
}

/// Generates 64 tokens and computes them again in one pass, with another number of threads and other
/// batches; in the exact profile not a bit may differ.
///
/// # Errors
/// As [`compare`].
pub fn self_test(model: &Arc<Model>) -> Result<Comparison, EngineError> {
    let vocabulary = model.vocabulary();
    let context = model.context() as usize;
    let prompt: Vec<TokenId> = (0..SELF_TEST_PROMPT.min(context))
        .map(|index| u32::try_from(index * 7_919 + 13).unwrap_or(0) % vocabulary)
        .collect();
    let draw = Draw {
        seed: 0,
        job: JobId([0; 32]),
        sampling: Sampling {
            temperature_milli: 1000,
            ..Sampling::GREEDY
        },
    };
    let count = SELF_TEST_TOKENS.min(context - prompt.len());
    // Not the other way round: threads that meet after each product of each token wait for each other
    // most of the time where cores are scarce.
    let generator = Shape { threads: 1, rows: 1 };
    let verifier = Shape { threads: 2, rows: 0 };
    compare(model, &draw, &prompt, count, generator, verifier)
}
