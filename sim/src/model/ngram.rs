//! A model that has counted words.

use super::words::Words;
use camelid_core::model::{
    Draw, LanguageModel, Logit, Manifest, NumericsProfile, Prediction, Score, TokenId, fixed, golden_root,
};
use camelid_core::primitives::{BoundedVec, Hash256, MerkleTree};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Most tokens remembered after one context.
const CANDIDATES: usize = 64;
const CONTEXT: u32 = 8192;
/// Bytes of training text in a chunk of the "weights".
const CHUNK_BYTES: usize = 4096;

/// A word n-gram model: scores are logarithms of how often a word followed the last `order - 1`
/// ones in the training text, or as many of them as were ever seen together.
///
/// Models of different order trained on one text share its tokens, so that a lower order can serve
/// as a cheap imitation of a higher one.
#[derive(Clone, Debug)]
pub struct NgramModel {
    order: usize,
    words: Words,
    followers: BTreeMap<Vec<TokenId>, Vec<Score>>,
    manifest: Manifest,
}

impl NgramModel {
    /// The text that comes with the crate (`data/README.md` says from where).
    pub const TEXT: &str = include_str!("../../data/genesis.txt");

    /// Trains a model of `order` (at least 1) on `text`, one passage a line.
    pub fn train(order: usize, text: &str) -> Self {
        let order = order.max(1);
        let words = Words::of(text);
        let chunks = text.as_bytes().chunks(CHUNK_BYTES);
        let manifest = Manifest {
            chunks: u32::try_from(chunks.len()).unwrap_or(u32::MAX),
            chunk_root: MerkleTree::new(chunks).root(),
            bytes: text.len() as u64,
            tokenizer: words.hash(),
            vocabulary: u32::try_from(words.len()).unwrap_or(u32::MAX),
            end_tokens: BoundedVec::from_vec(vec![Words::END]).unwrap_or_default(),
            context: CONTEXT,
            profile: NumericsProfile::exact(&format!("{order}-gram")),
            golden: Hash256::default(),
        };
        let mut model = Self {
            order,
            followers: count_followers(order, text, &words),
            words,
            manifest,
        };
        model.manifest.golden = golden_root(&model);
        model
    }

    /// The words that stand for its tokens.
    pub fn words(&self) -> &Words {
        &self.words
    }

    /// What followed the longest end of `prefix` that the model remembers.
    fn scores(&self, prefix: &[TokenId]) -> Vec<Score> {
        let longest = (self.order - 1).min(prefix.len());
        (0..=longest)
            .rev()
            .find_map(|length| self.followers.get(&prefix[prefix.len() - length..]))
            .cloned()
            .unwrap_or_default()
    }
}

/// The words after each run of up to `order - 1` words, never across lines.
fn count_followers(order: usize, text: &str, words: &Words) -> BTreeMap<Vec<TokenId>, Vec<Score>> {
    let mut counts: BTreeMap<Vec<TokenId>, BTreeMap<TokenId, u64>> = BTreeMap::new();
    // Without a single line there would be nothing to predict.
    counts.entry(Vec::new()).or_default().insert(Words::END, 1);
    for line in text.lines() {
        let mut tokens = words.encode(line);
        tokens.push(Words::END);
        for (position, &token) in tokens.iter().enumerate() {
            for length in 0..order.min(position + 1) {
                let context = tokens[position - length..position].to_vec();
                *counts.entry(context).or_default().entry(token).or_default() += 1;
            }
        }
    }
    counts
        .into_iter()
        .map(|(context, counts)| (context, best_scores(&counts)))
        .collect()
}

fn best_scores(counts: &BTreeMap<TokenId, u64>) -> Vec<Score> {
    let mut scores: Vec<Score> = counts
        .iter()
        .map(|(&token, &count)| Score {
            token,
            logit: Logit::from_milli(i32::try_from(fixed::ln_milli(count)).unwrap_or(i32::MAX)),
        })
        .collect();
    scores.sort_unstable_by_key(|score| (Reverse(score.logit), score.token));
    scores.truncate(CANDIDATES);
    scores
}

impl LanguageModel for NgramModel {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn predict(&self, draw: &Draw, prefix: &[TokenId], claimed: Option<TokenId>) -> Prediction {
        draw.predict(prefix.len(), &self.scores(prefix), claimed)
    }
}
