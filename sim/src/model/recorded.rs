//! Models that run elsewhere, and what they said.
//!
//! A scenario can name a model that the simulator does not have: a [`ModelSource`] brings it. What it
//! answers in a run is [recorded](Recording) into the trace, and a replay has it from [there](Recalled).

use camelid_core::model::{Draw, LanguageModel, Manifest, Prediction, TokenId};
use camelid_core::primitives::tagged_hash;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Brings the models that scenarios name.
pub trait ModelSource {
    /// The model in the GGUF file that `name` stands for, and a copy of it in the quantization `coarse`.
    ///
    /// # Errors
    /// Why they cannot be had.
    fn bring(&self, name: &str, coarse: &str) -> Result<Brought, SourceError>;
}

/// Why models cannot be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceError {
    /// This program cannot run such models at all.
    Unable,
    /// These cannot be had: in words, and what to do about it.
    Unavailable {
        /// What is wrong.
        message: String,
        /// What to do about it.
        hint: String,
    },
}

/// For a program that has no models but the simulator's own.
pub struct NoModels;

impl ModelSource for NoModels {
    fn bring(&self, _name: &str, _coarse: &str) -> Result<Brought, SourceError> {
        Err(SourceError::Unable)
    }
}

/// A model and a coarsely quantized copy.
#[derive(Clone)]
pub struct Brought {
    /// The network's model.
    pub full: Arc<dyn LanguageModel>,
    /// The copy.
    pub coarse: Arc<dyn LanguageModel>,
}

/// Brings itself, whatever is asked for: for a scenario that is loaded once more.
impl ModelSource for Brought {
    fn bring(&self, _name: &str, _coarse: &str) -> Result<Brought, SourceError> {
        Ok(self.clone())
    }
}

impl fmt::Debug for Brought {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids = [self.full.manifest().id(), self.coarse.manifest().id()];
        f.debug_tuple("Brought").field(&ids).finish()
    }
}

/// Names a question: the start of a hash over everything that the answer hangs on.
pub type Question = [u8; 16];

/// Predictions by question.
pub type Answers = BTreeMap<Question, Vec<Prediction>>;

/// A model that remembers what it said, and does not compute it again.
pub struct Recording {
    model: Arc<dyn LanguageModel>,
    answers: Mutex<Answers>,
}

impl Recording {
    /// Of `model`, which has said nothing yet.
    pub fn new(model: Arc<dyn LanguageModel>) -> Self {
        Self {
            model,
            answers: Mutex::default(),
        }
    }

    /// All that it was asked so far.
    pub fn answers(&self) -> Answers {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Answers> {
        // An answer is put in whole or not at all.
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LanguageModel for Recording {
    fn manifest(&self) -> &Manifest {
        self.model.manifest()
    }

    fn predict(&self, draw: &Draw, prefix: &[TokenId], claimed: Option<TokenId>) -> Prediction {
        predict_one(self, draw, prefix, claimed)
    }

    fn predict_each(&self, draw: &Draw, tokens: &[TokenId], positions: &[u32]) -> Vec<Prediction> {
        let question = question(draw, tokens, positions);
        if let Some(answer) = self.lock().get(&question) {
            return answer.clone();
        }
        let answer = self.model.predict_each(draw, tokens, positions);
        self.lock().insert(question, answer.clone());
        answer
    }
}

/// A model of which there is only what it once said. Asked anything else, it has no finite scores.
#[derive(Debug)]
pub struct Recalled {
    manifest: Manifest,
    answers: Answers,
}

impl Recalled {
    /// The model of `manifest` that said `answers`.
    pub fn new(manifest: Manifest, answers: Answers) -> Self {
        Self { manifest, answers }
    }
}

impl LanguageModel for Recalled {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn predict(&self, draw: &Draw, prefix: &[TokenId], claimed: Option<TokenId>) -> Prediction {
        predict_one(self, draw, prefix, claimed)
    }

    fn predict_each(&self, draw: &Draw, tokens: &[TokenId], positions: &[u32]) -> Vec<Prediction> {
        let answer = self.answers.get(&question(draw, tokens, positions));
        let answer = answer.filter(|answer| answer.len() == positions.len());
        answer.cloned().unwrap_or_else(|| vec![UNKNOWN; positions.len()])
    }
}

const UNKNOWN: Prediction = Prediction {
    token: 0,
    gap_milli: Prediction::NOT_FINITE,
    runner_up: 0,
    margin_milli: Prediction::NOT_FINITE,
};

/// The question about one position, asked as one about several.
fn predict_one(
    model: &dyn LanguageModel,
    draw: &Draw,
    prefix: &[TokenId],
    claimed: Option<TokenId>,
) -> Prediction {
    let tokens: Vec<TokenId> = prefix.iter().copied().chain(claimed).collect();
    let position = u32::try_from(prefix.len()).unwrap_or(u32::MAX);
    let answer = model.predict_each(draw, &tokens, &[position]);
    answer.first().copied().unwrap_or(UNKNOWN)
}

fn question(draw: &Draw, tokens: &[TokenId], positions: &[u32]) -> Question {
    let hash = tagged_hash(
        "camelid/model-question",
        &(draw.seed, draw.job, draw.sampling, tokens, positions),
    );
    let mut start = [0; 16];
    start.copy_from_slice(&hash.0[..16]);
    start
}
