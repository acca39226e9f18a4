//! What the protocol knows of a language model: its name, how it is sampled, and the integers that
//! cross the boundary to whatever runs it.
//!
//! The core never runs a model. It hands out an [`InferenceTask`] and is given back an
//! [`InferenceResult`]; in between there may be floats, threads and accelerators, here there are
//! none.

mod finish;
mod inference;
mod manifest;
mod profile;
mod sampling;
mod text;

use crate::primitives::BoundedVec;

pub use finish::Finish;
pub use inference::{InferenceResult, InferenceTask, MAX_POSITIONS, Positions, Prediction, Predictions};
pub use manifest::{Manifest, ManifestError};
pub use profile::{NumericsProfile, ProfileError};
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
