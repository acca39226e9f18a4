//! A fingerprint of scores that only somebody who ran the model can have.

use crate::model::Prediction;
use crate::primitives::{Hash256, tagged_hash};
use alloc::vec::Vec;

/// Hash over best token, runner-up and margin at each predicted position, in order.
///
/// Whoever echoes the claimed tokens, or hashes them as the paper's verifiers do, has the best tokens
/// at most (hole H4); runner-up and margin take the model. Machines with the same exact profile
/// compute the same root.
pub fn score_root(predictions: &[Prediction]) -> Hash256 {
    let scores: Vec<_> = predictions
        .iter()
        .map(|prediction| (prediction.token, prediction.runner_up, prediction.margin_milli))
        .collect();
    tagged_hash("camelid/score-root", &scores)
}
