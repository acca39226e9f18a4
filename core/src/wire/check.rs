//! Asking a neighbour whether an output is the model's (`docs/src/protocol.md`, "Outsourced checks";
//! paper, 2.5.3).

use crate::model::{
    InferenceTask, MAX_POSITIONS, Manifest, Positions, PromptTokens, Sampling, SamplingError, Tokens,
};
use crate::primitives::{Amount, BoundedVec, Hash256, JobId, ModelId, tagged_hash};
use borsh::{BorshDeserialize, BorshSerialize};

/// One answer for each position asked about, in the same order: does the model write the token there?
///
/// Nothing but a bit leaves the checker: which token the model writes instead is not said, or checks
/// would be a way to get outputs for nothing (attack R06).
pub type Matches = BoundedVec<bool, MAX_POSITIONS>;

/// A client asks a neighbour about an output, or about one in which it planted an error.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct CheckRequest {
    /// The model.
    pub model: ModelId,
    /// The job; part of the sampling noise.
    pub job: JobId,
    /// The prompt.
    pub prompt: PromptTokens,
    /// The output in question.
    pub output: Tokens,
    /// Where: prefix lengths into `R = prompt ++ output`, ascending, each before a token of `R`.
    pub positions: Positions,
    /// Seed of the sampling noise.
    pub seed: u64,
    /// How tokens are chosen.
    pub sampling: Sampling,
    /// What the client will owe for the answer.
    pub fee: Amount,
}

/// What is wrong with a request that no honest client sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckRequestError {
    /// Nothing is asked, or there is nothing to predict from.
    #[error("a check of nothing")]
    Empty,
    /// Positions that are not ascending, or behind the output, or before the first token.
    #[error("a check of impossible positions")]
    Positions,
    /// A token that the model does not have.
    #[error("a check of a token outside the vocabulary")]
    Token,
    /// More than the model can look back on.
    #[error("a check of more tokens than the context holds")]
    Context,
    /// Sampling parameters out of range.
    #[error(transparent)]
    Sampling(#[from] SamplingError),
}

/// Why a check is not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, BorshSerialize, BorshDeserialize)]
pub enum CheckRefusal {
    /// The node checks for nobody.
    #[error("this node checks for nobody")]
    NotServed,
    /// The node does not have the model.
    #[error("the model is not known here")]
    Model,
    /// The fee is too low.
    #[error("the fee is too low")]
    Fee,
    /// The client owes as much as it may.
    #[error("the client owes too much")]
    Credit,
    /// Enough is going on already.
    #[error("too many checks are running")]
    Busy,
    /// The model could not be run, or its scores do not tell a match from an error.
    #[error("the model does not tell")]
    Undecided,
}

impl CheckRequest {
    /// Names the request in its answer.
    pub fn id(&self) -> Hash256 {
        tagged_hash("camelid/check-request", self)
    }

    /// Tokens that the model has to read, and that the fee is for: one pass goes over all of `R`,
    /// however few positions are asked about.
    pub fn tokens(&self) -> u64 {
        self.prompt.len() as u64 + self.output.len() as u64
    }

    /// Can `manifest`'s model be asked this?
    ///
    /// # Errors
    /// [`CheckRequestError`] for the first thing wrong.
    pub fn check(&self, manifest: &Manifest) -> Result<(), CheckRequestError> {
        if self.positions.is_empty() || self.prompt.is_empty() {
            return Err(CheckRequestError::Empty);
        }
        let ascending = self.positions.windows(2).all(|pair| pair[0] < pair[1]);
        let first = self.positions.first().is_some_and(|&first| first > 0);
        let last = self
            .positions
            .last()
            .is_some_and(|&last| u64::from(last) < self.tokens());
        if !(ascending && first && last) {
            return Err(CheckRequestError::Positions);
        }
        if self.tokens() > u64::from(manifest.context) {
            return Err(CheckRequestError::Context);
        }
        let mut tokens = self.prompt.iter().chain(self.output.iter());
        if tokens.any(|&token| token >= manifest.vocabulary) {
            return Err(CheckRequestError::Token);
        }
        Ok(self.sampling.check()?)
    }

    /// What the model has to do for it.
    pub fn task(&self) -> InferenceTask {
        InferenceTask::Predict {
            model: self.model,
            job: self.job,
            prompt: self.prompt.clone(),
            output: self.output.clone(),
            positions: self.positions.clone(),
            seed: self.seed,
            sampling: self.sampling,
        }
    }
}
