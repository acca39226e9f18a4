//! What a model id stands for.

use super::TokenId;
use super::inference::InferenceTask;
use super::profile::{NumericsProfile, ProfileError};
use super::sampling::Sampling;
use crate::primitives::{BoundedVec, Hash256, JobId, ModelId, tagged_hash};
use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};

/// Tokens of prompt and of output in the golden task.
const GOLDEN: u32 = 16;

/// Everything two machines must share to compute the same tokens.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Manifest {
    /// Merkle root over the chunks of the weights (paper, section 3; RFC 6962).
    pub chunk_root: Hash256,
    /// Number of chunks.
    pub chunks: u32,
    /// Size of the weights in bytes.
    pub bytes: u64,
    /// Hash of the tokenizer's definition, its template included.
    pub tokenizer: Hash256,
    /// Number of tokens: ids are `0..vocabulary`.
    pub vocabulary: u32,
    /// The tokens after which the model stops.
    pub end_tokens: BoundedVec<TokenId, 16>,
    /// Most tokens, prompt and output together, that the model can look back on.
    pub context: u32,
    /// What the model promises about its arithmetic.
    pub profile: NumericsProfile,
    /// [`score_root`](crate::rastic::score_root) of the [golden task](Manifest::golden_task): a
    /// machine that computes another one cannot judge this model.
    pub golden: Hash256,
}

/// Why a manifest is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// There is no token to predict.
    #[error("the vocabulary is empty")]
    Vocabulary,
    /// An end token the model cannot produce.
    #[error("end token {0} is not in the vocabulary")]
    EndToken(TokenId),
    /// There is no prefix to predict from.
    #[error("the context is empty")]
    Context,
    /// The numerics profile is refused.
    #[error(transparent)]
    Profile(#[from] ProfileError),
}

impl Manifest {
    /// The model's name: a hash of everything in here.
    pub fn id(&self) -> ModelId {
        ModelId(tagged_hash("camelid/model", self).0)
    }

    /// The task whose score root is [`golden`](Self::golden): 16 fixed tokens of prompt and 16 of
    /// output, greedy, predicted at every position of the output. Tokens need not make sense to be
    /// scored.
    pub fn golden_task(&self) -> InferenceTask {
        let vocabulary = self.vocabulary.max(1);
        let token = |index: u32| (index.wrapping_mul(7_919).wrapping_add(13)) % vocabulary;
        let tokens = |range: core::ops::Range<u32>| range.map(token).collect::<Vec<_>>();
        InferenceTask::Predict {
            model: self.id(),
            job: JobId([0; 32]),
            prompt: BoundedVec::from_vec(tokens(0..GOLDEN)).unwrap_or_default(),
            output: BoundedVec::from_vec(tokens(GOLDEN..2 * GOLDEN)).unwrap_or_default(),
            positions: BoundedVec::from_vec((GOLDEN..2 * GOLDEN).collect()).unwrap_or_default(),
            seed: 0,
            sampling: Sampling::GREEDY,
        }
    }

    /// Can there be such a model?
    ///
    /// # Errors
    /// [`ManifestError`] for the first thing wrong.
    pub fn check(&self) -> Result<(), ManifestError> {
        if self.vocabulary == 0 {
            return Err(ManifestError::Vocabulary);
        }
        if let Some(&token) = self.end_tokens.iter().find(|&&token| token >= self.vocabulary) {
            return Err(ManifestError::EndToken(token));
        }
        if self.context == 0 {
            return Err(ManifestError::Context);
        }
        self.profile.check()?;
        Ok(())
    }
}
