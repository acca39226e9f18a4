//! What crosses the inference boundary: token ids and milli-logit gaps, nothing else.

use super::finish::Finish;
use super::sampling::Sampling;
use super::text::Text;
use super::{MAX_TOKENS, PromptTokens, TokenId, Tokens};
use crate::primitives::{BoundedVec, JobId, ModelId};
use borsh::{BorshDeserialize, BorshSerialize};

/// Most positions of one output: one before each token and one after the last.
pub const MAX_POSITIONS: usize = MAX_TOKENS + 1;

/// Prefix lengths into `R = prompt ++ output`.
pub type Positions = BoundedVec<u32, MAX_POSITIONS>;

/// One prediction for each position asked for, in the same order.
pub type Predictions = BoundedVec<Prediction, MAX_POSITIONS>;

/// Work for whatever runs models.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum InferenceTask {
    /// Continue a prompt until an end token or the limit.
    Generate {
        /// Which model.
        model: ModelId,
        /// The job it is for; part of the sampling noise.
        job: JobId,
        /// The prompt.
        prompt: PromptTokens,
        /// Output tokens that are already there, normally none. The output starts with them.
        prefix: Tokens,
        /// Most tokens of the output, counting `prefix`.
        max_tokens: u32,
        /// Seed of the sampling noise.
        seed: u64,
        /// How to choose tokens.
        sampling: Sampling,
    },
    /// Say what the model would have written at certain positions of `R = prompt ++ output`, given
    /// what stands before them (teacher forcing).
    Predict {
        /// Which model.
        model: ModelId,
        /// The job the output claims to be for; part of the sampling noise.
        job: JobId,
        /// The prompt.
        prompt: PromptTokens,
        /// The output in question.
        output: Tokens,
        /// Position `L` asks for the token at `R[L]`, predicted from `R[..L]`. `L` may be the
        /// length of `R`, where nothing is claimed.
        positions: Positions,
        /// Seed of the sampling noise.
        seed: u64,
        /// How tokens are chosen.
        sampling: Sampling,
    },
}

/// What came of an [`InferenceTask`].
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum InferenceResult {
    /// Of `Generate`.
    Generated {
        /// All tokens of the output, the given prefix included.
        output: Tokens,
        /// Why it ends there.
        finish: Finish,
    },
    /// Of `Predict`.
    Predicted {
        /// One for each position asked for, in the same order.
        predictions: Predictions,
    },
    /// The task could not be run. This says nothing about the claim it was about.
    Failed {
        /// For people to read.
        reason: Text<128>,
    },
}

impl InferenceResult {
    /// A failure for `reason` (cut to 128 bytes).
    pub fn failed(reason: &str) -> Self {
        Self::Failed {
            reason: Text::truncated(reason),
        }
    }
}

/// What the model says about one position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Prediction {
    /// The token the model would have written.
    pub token: TokenId,
    /// How far the claimed token's score (divided by the temperature and with its noise, when
    /// there are any) lies under the best one: milli-logits, rounded up. 0 when it is the best, and
    /// 0 by convention where nothing is claimed; at most [`Prediction::EXCLUDED`];
    /// [`Prediction::NOT_FINITE`] when the scores have no such difference.
    pub gap_milli: u32,
    /// The token that the model would have written if not `token`; `token` again when the sampling
    /// rule leaves no other.
    pub runner_up: TokenId,
    /// How far the runner-up's score lies under the best one, in the units of `gap_milli`. Exact
    /// machines agree on it; nobody can guess it (see [`score_root`](crate::rastic::score_root)).
    pub margin_milli: u32,
}

impl Prediction {
    /// Gap of a token that the sampling rule excludes, and of one further off than can be said.
    pub const EXCLUDED: u32 = u32::MAX - 1;

    /// In place of a gap: a score was infinite or not a number.
    pub const NOT_FINITE: u32 = u32::MAX;
}
