//! Language models small enough to run thousands of nodes on: deterministic, synchronous, integers
//! only.
//!
//! [`HashModel`] costs a hash or two per token and has knobs for everything an attack depends on.
//! [`NgramModel`] has read a book, so that its cheap imitations agree with it about as often as
//! real draft models agree with real ones. Real models are not in here: a [`ModelSource`] brings them.

mod hash;
mod ngram;
mod recorded;
mod words;

use std::sync::Arc;

pub use camelid_core::model::{Draw, LanguageModel, Logit, Score, fixed, run_task};
pub use hash::{HashModel, HashModelConfig};
pub use ngram::NgramModel;
pub use recorded::{Answers, Brought, ModelSource, NoModels, Question, Recalled, Recording, SourceError};
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
