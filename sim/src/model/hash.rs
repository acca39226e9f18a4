//! A model made of hashes.

use camelid_core::model::{
    Draw, LanguageModel, Logit, Manifest, NumericsProfile, Prediction, Score, TokenId, golden_root,
};
use camelid_core::primitives::{BoundedVec, Hash256, sha256, tagged_hash};

/// Tokens considered after each prefix, besides the end token.
const CANDIDATES: usize = 8;
/// Ids are bytes; 0 ends the output.
const VOCABULARY: u32 = 256;
const END: TokenId = 0;
const CONTEXT: u32 = 8192;
/// Score of the best token where it is easy to guess; the others are at most 2.55 there, and
/// anything up to 5.1 where it is hard.
const EASY_LOGIT_MILLI: i32 = 7_000;

/// What a [`HashModel`] is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashModelConfig {
    /// The language. Models of one language find the same contexts easy and agree on them.
    pub language: u64,
    /// The weights. Models of one language but different weights disagree where it is hard.
    pub weights: u64,
    /// How many tokens a prediction depends on.
    pub look_back: usize,
    /// Share of contexts, in thousandths, in which the next token is hard to guess.
    pub hard_permille: u16,
    /// Share of contexts, in thousandths, in which the text ends.
    pub end_permille: u16,
    /// How far each score that a machine computes may be off, in either direction, in milli-logits.
    pub jitter_milli: u16,
    /// The tolerance that the model declares, in milli-logits, with twice as much before anything
    /// is fraud; 0 declares the arithmetic exact.
    pub tolerance_milli: u32,
}

impl Default for HashModelConfig {
    /// A quarter of the contexts is hard; outputs are some 200 tokens long.
    fn default() -> Self {
        Self {
            language: 0,
            weights: 0,
            look_back: 4,
            hard_permille: 250,
            end_permille: 5,
            jitter_milli: 0,
            tolerance_milli: 0,
        }
    }
}

/// A model whose scores are hashes of the last few tokens: one hash per prediction, two where the
/// next token is hard to guess, plus one per candidate for noise.
#[derive(Clone, Debug)]
pub struct HashModel {
    config: HashModelConfig,
    manifest: Manifest,
    /// Scores are rounded to multiples of this many milli-logits.
    step_milli: i32,
    /// The machine that it runs on; decides how far its scores are off.
    machine: u64,
}

impl HashModel {
    /// The model that `config` describes.
    pub fn new(config: HashModelConfig) -> Self {
        let HashModelConfig {
            language,
            weights,
            look_back,
            hard_permille,
            end_permille,
            tolerance_milli,
            ..
        } = config;
        let fields = (language, weights, look_back as u64, hard_permille, end_permille);
        let manifest = Manifest {
            chunk_root: tagged_hash("camelid/hash-model", &fields),
            chunks: 0,
            bytes: 0,
            tokenizer: sha256(b"bytes"),
            vocabulary: VOCABULARY,
            end_tokens: BoundedVec::from_vec(vec![END]).unwrap_or_default(),
            context: CONTEXT,
            profile: profile(tolerance_milli),
            golden: Hash256::default(),
        };
        let mut model = Self {
            config,
            manifest,
            step_milli: 1,
            machine: 0,
        };
        model.manifest.golden = golden_root(&model);
        model
    }

    /// A model with other weights that agrees with this one wherever the next token is easy to
    /// guess, and by chance elsewhere: a smaller or quantized version of it, or a draft model.
    pub fn imitation(&self, weights: u64) -> Self {
        Self::new(HashModelConfig {
            weights,
            ..self.config
        })
    }

    /// This model with its scores rounded to multiples of `step_milli` (at least 1) milli-logits, as
    /// coarse quantization does: it differs where the best tokens are close to each other.
    pub fn quantized(&self, step_milli: u16) -> Self {
        let mut quantized = self.clone();
        quantized.step_milli = i32::from(step_milli.max(1));
        let fields = (self.manifest.chunk_root, step_milli);
        quantized.manifest.chunk_root = tagged_hash("camelid/hash-model-quantized", &fields);
        quantized
    }

    /// This model as the machine numbered `machine` computes it: the same weights and the same name,
    /// and each score off by up to `jitter_milli`, in a way of the machine's own.
    pub fn on_machine(&self, machine: u64) -> Self {
        Self {
            machine,
            ..self.clone()
        }
    }

    /// The tokens considered after `prefix`, with their logits in thousandths.
    fn scores(&self, prefix: &[TokenId]) -> Vec<(TokenId, i32)> {
        let context = &prefix[prefix.len().saturating_sub(self.config.look_back)..];
        let here = tagged_hash("camelid/hash-model-context", &(self.config.language, context));
        let [hard, end] = [word(&here, 0), word(&here, 2)];
        let mut scores = if hard % 1000 < self.config.hard_permille {
            let opinion = tagged_hash("camelid/hash-model-weights", &(self.config.weights, here));
            spread(&here, |index| i32::from(opinion.0[index]) * 20)
        } else {
            spread(&here, |index| match index {
                0 => EASY_LOGIT_MILLI,
                _ => i32::from(here.0[16 + index]) * 10,
            })
        };
        if end % 1000 < self.config.end_permille {
            scores.push((END, 2 * EASY_LOGIT_MILLI));
        }
        self.compute(&here, &mut scores);
        scores
    }

    /// Makes of exact scores what this model's arithmetic makes of them.
    fn compute(&self, here: &Hash256, scores: &mut [(TokenId, i32)]) {
        let width = i32::from(self.config.jitter_milli);
        if width > 0 {
            let error = tagged_hash("camelid/hash-model-machine", &(self.machine, here));
            for (index, (_, logit_milli)) in scores.iter_mut().enumerate() {
                *logit_milli += i32::from(word(&error, 2 * index)) % (2 * width + 1) - width;
            }
        }
        for (_, logit_milli) in scores {
            let nearest = (*logit_milli + self.step_milli / 2).div_euclid(self.step_milli);
            *logit_milli = nearest * self.step_milli;
        }
    }
}

fn profile(tolerance_milli: u32) -> NumericsProfile {
    let exact = NumericsProfile::exact("hash");
    if tolerance_milli == 0 {
        return exact;
    }
    NumericsProfile::tolerant("hash", tolerance_milli, tolerance_milli.saturating_mul(2)).unwrap_or(exact)
}

/// Different tokens, none of them the end token, with the given scores.
fn spread(hash: &Hash256, logit_milli: impl Fn(usize) -> i32) -> Vec<(TokenId, i32)> {
    let mut scores: Vec<(TokenId, i32)> = Vec::with_capacity(CANDIDATES + 1);
    for index in 0..CANDIDATES {
        let mut token = u32::from(hash.0[8 + index]);
        while token == END || scores.iter().any(|(other, _)| *other == token) {
            token = (token + 1) % VOCABULARY;
        }
        scores.push((token, logit_milli(index)));
    }
    scores
}

fn word(hash: &Hash256, at: usize) -> u16 {
    u16::from_le_bytes([hash.0[at], hash.0[at + 1]])
}

impl LanguageModel for HashModel {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn predict(&self, draw: &Draw, prefix: &[TokenId], claimed: Option<TokenId>) -> Prediction {
        let scores: Vec<Score> = self
            .scores(prefix)
            .into_iter()
            .map(|(token, logit_milli)| Score {
                token,
                logit: Logit::from_milli(logit_milli),
            })
            .collect();
        draw.predict(prefix.len(), &scores, claimed)
    }
}
