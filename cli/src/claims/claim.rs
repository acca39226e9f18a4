//! A claim whose tokens are known.

use super::label::Label;
use crate::model::Template;
use camelid_core::model::{Finish, InferenceTask, Manifest, Sampling, TokenId};
use camelid_core::primitives::{BoundedVec, Hash256, JobId, ModelId};
use camelid_core::rastic;

/// What a node says: that `model`, under `profile`, continues `prompt` with `output`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Its name within the file.
    pub id: String,
    /// Merkle root of the model's file.
    pub model: Hash256,
    /// Id of the numerics profile that the output was computed under, if it is known.
    pub profile: Option<String>,
    /// The job, part of the sampling noise.
    pub job: JobId,
    /// The prompt's text, if it is known.
    pub text: Option<String>,
    /// How the prompt's text becomes tokens.
    pub template: Template,
    /// The prompt as the model saw it.
    pub prompt: Vec<TokenId>,
    /// The output.
    pub output: Vec<TokenId>,
    /// Seed of the sampling noise.
    pub seed: u64,
    /// How tokens are chosen.
    pub sampling: Sampling,
    /// Most tokens that the output may have.
    pub max_tokens: u32,
    /// What is known about the claim from elsewhere.
    pub label: Option<Label>,
}

impl Claim {
    /// The task of writing an output that starts with `prefix`; `None` when it cannot be that long.
    pub fn task(&self, model: ModelId, prefix: &[TokenId]) -> Option<InferenceTask> {
        Some(InferenceTask::Generate {
            model,
            job: self.job,
            prompt: BoundedVec::from_vec(self.prompt.clone())?,
            prefix: BoundedVec::from_vec(prefix.to_vec())?,
            max_tokens: self.max_tokens,
            seed: self.seed,
            sampling: self.sampling,
        })
    }

    /// The claim as the protocol's checks take it.
    pub fn checked<'a>(&'a self, manifest: &'a Manifest) -> rastic::Claim<'a> {
        rastic::Claim {
            prompt: &self.prompt,
            output: &self.output,
            max_tokens: self.max_tokens,
            end_tokens: &manifest.end_tokens,
            vocabulary: manifest.vocabulary,
        }
    }

    /// Why the output ends, if it ends for a reason.
    pub fn finish(&self, manifest: &Manifest) -> Option<Finish> {
        Finish::derive(&self.output, &manifest.end_tokens, self.max_tokens)
    }

    /// Prompt and output, one after the other.
    pub fn tokens(&self) -> Vec<TokenId> {
        [&self.prompt[..], &self.output].concat()
    }
}
