//! A model as the protocol sees it.

use crate::chunks::{Chunks, read_chunks};
use crate::gguf::Header;
use crate::{EngineError, Model, Numerics, Sequence, Shape};
use camelid_core::model::{Draw, LanguageModel, Logit, Manifest, Prediction, Score, TokenId, golden_root};
use camelid_core::primitives::{BoundedVec, Hash256, tagged_hash};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// A model with its manifest, ready for [`run_task`](camelid_core::model::run_task).
///
/// It may be used from several threads at once; each call takes a sequence of its own, and goes on
/// from what that sequence remembers.
#[derive(Debug)]
pub struct Engine {
    model: Arc<Model>,
    manifest: Manifest,
    shape: Shape,
    /// Seats that nobody uses at the moment, the last used at the end.
    idle: Mutex<Vec<Seat>>,
}

/// What one caller at a time needs.
#[derive(Debug)]
struct Seat {
    sequence: Sequence,
    /// Room for the scores of one position.
    candidates: Vec<Score>,
}

impl Engine {
    /// Loads the file at `path` with exact numerics and [tests](crate::self_test) that they are.
    ///
    /// # Errors
    /// [`EngineError`] when the file cannot be loaded or run, or the test fails.
    pub fn open(path: &Path, shape: Shape) -> Result<Self, EngineError> {
        let engine = Self::new(Arc::new(Model::load(path, Numerics::Exact)?), shape)?;
        let comparison = crate::self_test(&engine.model)?;
        match comparison.differing {
            0 => Ok(engine),
            _ => Err(EngineError::SelfTest(comparison)),
        }
    }

    /// The engine of a loaded model, without a test.
    ///
    /// # Errors
    /// [`EngineError`] when the model's file cannot be read or the model cannot be run.
    pub fn new(model: Arc<Model>, shape: Shape) -> Result<Self, EngineError> {
        let chunks = read_chunks(model.path()).map_err(|error| EngineError::File {
            path: model.path().to_owned(),
            error,
        })?;
        let mut engine = Self {
            manifest: manifest(&model, &chunks)?,
            idle: Mutex::new(vec![Seat::new(&model, shape)?]),
            model,
            shape,
        };
        engine.manifest.golden = golden_root(&engine);
        Ok(engine)
    }

    /// The model.
    pub fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// [`LanguageModel::predict_each`], or why there are no predictions. Position 0 has no prefix to
    /// predict from: its prediction is [`NOT_FINITE`](Prediction::NOT_FINITE).
    ///
    /// # Errors
    /// [`EngineError`] when the tokens do not fit the model or the library fails.
    pub fn try_predict_each(
        &self,
        draw: &Draw,
        tokens: &[TokenId],
        positions: &[u32],
    ) -> Result<Vec<Prediction>, EngineError> {
        let position = |position: u32| tokens.len().min(position as usize);
        let mut prefixes: Vec<usize> = positions.iter().map(|&at| position(at)).collect();
        prefixes.sort_unstable();
        prefixes.dedup();
        prefixes.retain(|prefix| *prefix > 0);
        let mut predictions = Vec::with_capacity(prefixes.len());
        self.with_seat(|seat| {
            seat.sequence.scores(tokens, &prefixes, |prefix, logits| {
                let claimed = tokens.get(prefix).copied();
                predictions.push(predict(draw, prefix, logits, claimed, &mut seat.candidates));
            })
        })?;
        let found = |at: u32| prefixes.binary_search(&position(at)).ok();
        let prediction = |at: &u32| found(*at).and_then(|index| predictions.get(index).copied());
        Ok(positions
            .iter()
            .map(|at| prediction(at).unwrap_or(NOTHING))
            .collect())
    }

    /// Lends an idle seat, or a new one.
    fn with_seat<T>(&self, work: impl FnOnce(&mut Seat) -> Result<T, EngineError>) -> Result<T, EngineError> {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let found = idle().pop();
        let mut seat = match found {
            Some(seat) => seat,
            None => Seat::new(&self.model, self.shape)?,
        };
        let result = work(&mut seat);
        idle().push(seat);
        result
    }
}

impl Seat {
    fn new(model: &Arc<Model>, shape: Shape) -> Result<Self, EngineError> {
        Ok(Self {
            sequence: Sequence::new(model, shape)?,
            candidates: Vec::new(),
        })
    }
}

/// A failure of the library leaves a prediction [`NOT_FINITE`](Prediction::NOT_FINITE), which decides
/// nothing; [`Engine::try_predict_each`] says what it was.
impl LanguageModel for Engine {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn predict(&self, draw: &Draw, prefix: &[TokenId], claimed: Option<TokenId>) -> Prediction {
        let mut prediction = NOTHING;
        let done = self.with_seat(|seat| {
            seat.sequence.scores(prefix, &[prefix.len()], |position, logits| {
                prediction = predict(draw, position, logits, claimed, &mut seat.candidates);
            })
        });
        done.map_or(NOTHING, |()| prediction)
    }

    fn predict_each(&self, draw: &Draw, tokens: &[TokenId], positions: &[u32]) -> Vec<Prediction> {
        self.try_predict_each(draw, tokens, positions)
            .unwrap_or_else(|_| vec![NOTHING; positions.len()])
    }
}

/// The prediction of whoever has no scores.
const NOTHING: Prediction = Prediction {
    token: 0,
    gap_milli: Prediction::NOT_FINITE,
    runner_up: 0,
    margin_milli: Prediction::NOT_FINITE,
};

/// What `draw` makes of the scores of all tokens. A token that the model excludes with −∞ is not
/// considered; any other score that is no number spoils the prediction.
pub(crate) fn predict(
    draw: &Draw,
    position: usize,
    logits: &[f32],
    claimed: Option<TokenId>,
    candidates: &mut Vec<Score>,
) -> Prediction {
    candidates.clear();
    for (token, &logit) in (0..).zip(logits) {
        if logit == f32::NEG_INFINITY {
            continue;
        }
        if !logit.is_finite() {
            return NOTHING;
        }
        candidates.push(Score {
            token,
            logit: to_logit(logit),
        });
    }
    draw.predict(position, candidates, claimed)
}

/// The float in units of 2⁻²² thousandths. A float's 24 bits times 125 fit a double, so the product
/// is exact; what is left behind the point is cut.
#[allow(clippy::cast_possible_truncation)] // saturates
fn to_logit(logit: f32) -> Logit {
    const UNITS: f64 = (1000 * Logit::PER_MILLI) as f64;
    Logit::from_units((f64::from(logit) * UNITS) as i64)
}

fn manifest(model: &Model, chunks: &Chunks) -> Result<Manifest, EngineError> {
    Ok(Manifest {
        chunk_root: chunks.root,
        chunks: chunks.count,
        bytes: chunks.bytes,
        tokenizer: tokenizer(model.header()),
        vocabulary: model.vocabulary(),
        end_tokens: BoundedVec::from_vec(model.end_tokens()).unwrap_or_default(),
        context: model.context(),
        profile: model.numerics().profile()?,
        golden: Hash256::default(),
    })
}

/// Hash of all metadata about tokens and templates.
fn tokenizer(header: &Header) -> Hash256 {
    let entries: Vec<_> = header
        .metadata
        .iter()
        .filter(|(key, _)| key.starts_with("tokenizer."))
        .map(|(key, value)| (key, value.kind as u32, value.array, &value.bytes))
        .collect();
    tagged_hash("camelid/gguf-tokenizer", &entries)
}
