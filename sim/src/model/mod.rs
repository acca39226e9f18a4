//! Language models small enough to run thousands of nodes on: deterministic, synchronous, integers
//! only.
//!
//! [`HashModel`] costs a hash or two per token and has knobs for everything an attack depends on.
//! [`NgramModel`] has read a book, so that its cheap imitations agree with it about as often as
//! real draft models agree with real ones.

pub mod fixed;
mod hash;
mod ngram;
mod run;
mod sampler;
mod words;

use camelid_core::model::{InferenceTask, Manifest, Prediction, TokenId};
use camelid_core::primitives::Hash256;
use camelid_core::rastic::score_root;
use std::sync::Arc;

pub use hash::{HashModel, HashModelConfig};
pub use ngram::NgramModel;
pub use run::run_task;
pub use sampler::{Draw, Score};
pub use words::Words;

/// The models at hand on one machine.
#[derive(Clone)]
pub struct Models {
    /// The network's model, as this machine computes it.
    pub full: Arc<dyn LanguageModel>,
    /// A smaller one that agrees with it where the next token is easy to guess.
    pub draft: Arc<dyn LanguageModel>,
    /// A coarsely quantized copy, that differs where two tokens are about as good.
    pub coarse: Arc<dyn LanguageModel>,
}

/// Something that predicts the next token, the same way each time.
///
/// Call it through [`run_task`], which checks what comes from outside; an implementation may rely
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

/// The score root of the model's golden task, for its manifest.
fn golden(model: &dyn LanguageModel) -> Hash256 {
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
