//! What the protocol knows of a language model: its name, how it is sampled, and the integers that
//! cross the boundary to whatever runs it.
//!
//! The core never runs a model. It hands out an [`InferenceTask`] and is given back an
//! [`InferenceResult`]; in between there may be floats, threads and accelerators, here there are
//! none. What a task means is written here once, for every [`LanguageModel`]: [`run_task`] checks
//! it and asks for predictions, and [`Draw`] makes them of scores.

mod draw;
mod finish;
pub mod fixed;
mod inference;
mod language_model;
mod manifest;
mod profile;
mod run;
mod sampling;
mod text;

use crate::primitives::BoundedVec;

pub use draw::{Draw, Logit, Score};
pub use finish::Finish;
pub use inference::{InferenceResult, InferenceTask, MAX_POSITIONS, Positions, Prediction, Predictions};
pub use language_model::{LanguageModel, golden_root};
pub use manifest::{Manifest, ManifestError};
pub use profile::{NumericsProfile, ProfileError};
pub use run::{run_task, run_task_watched};
pub use sampling::{Sampling, SamplingError};
pub use text::Text;

/// A token by its number in the model's vocabulary. It means something only beside a [`Manifest`],
/// and any number may arrive from outside: compare it with [`Manifest::vocabulary`] before use.
pub type TokenId = u32;

/// Most tokens an output can have.
pub const MAX_TOKENS: usize = 4096;

/// Most tokens a rendered prompt can have.
pub const MAX_PROMPT_TOKENS: usize = 4096;

/// The tokens of an output.
pub type Tokens = BoundedVec<TokenId, MAX_TOKENS>;

/// The tokens of a prompt as the model sees it, template included.
pub type PromptTokens = BoundedVec<TokenId, MAX_PROMPT_TOKENS>;
