//! What computes scores, seen from here.

use super::{Draw, InferenceTask, Manifest, Prediction, TokenId};
use crate::primitives::Hash256;
use crate::rastic::score_root;
use alloc::vec::Vec;

/// Something that predicts the next token, the same way each time.
///
/// Call it through [`run_task`](super::run_task), which checks what comes from outside; an implementation may rely
/// on tokens being in the vocabulary and on prefixes no longer than the context.
pub trait LanguageModel: Send + Sync {
    /// What the model's id stands for.
    fn manifest(&self) -> &Manifest;

    /// The token after `prefix` (prompt and output so far), drawn by `draw`'s rule for the position
    /// `prefix.len()`, and how far `claimed` lies under it (0 when nothing is claimed).
    fn predict(&self, draw: &Draw, prefix: &[TokenId], claimed: Option<TokenId>) -> Prediction;

    /// The predictions at `positions`, each at most `tokens.len()`: at `L` the token after
    /// `tokens[..L]`, where `tokens[L]` is claimed if there is one.
    ///
    /// A model that predicts all positions in one pass does so here, with the same answers as
    /// [`predict`](Self::predict).
    fn predict_each(&self, draw: &Draw, tokens: &[TokenId], positions: &[u32]) -> Vec<Prediction> {
        positions
            .iter()
            .map(|&position| {
                let position = tokens.len().min(position as usize);
                self.predict(draw, &tokens[..position], tokens.get(position).copied())
            })
            .collect()
    }
}

/// The score root of `model`'s [golden task](Manifest::golden_task), for its manifest.
pub fn golden_root(model: &dyn LanguageModel) -> Hash256 {
    let InferenceTask::Predict {
        job,
        prompt,
        output,
        positions,
        seed,
        sampling,
        ..
    } = model.manifest().golden_task()
    else {
        return Hash256::default();
    };
    let draw = Draw { seed, job, sampling };
    score_root(&model.predict_each(&draw, &[&prompt[..], &output[..]].concat(), &positions))
}
