//! Drawing a token from scores, as a pure function of the prefix.

use super::fixed::{exp_neg_q32, gumbel_milli};
use camelid_core::model::{Prediction, Sampling, TokenId};
use camelid_core::primitives::{JobId, tagged_hash};
use std::cmp::Reverse;

/// A token the model would consider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Score {
    /// The token.
    pub token: TokenId,
    /// Its logit in thousandths.
    pub logit_milli: i32,
}

/// All that decides between tokens besides their scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draw {
    /// Seed of the noise.
    pub seed: u64,
    /// The job, so that no two jobs share noise.
    pub job: JobId,
    /// The rule.
    pub sampling: Sampling,
}

impl Draw {
    /// The token drawn at `position`, and how far `claimed` lies under it.
    ///
    /// `scores` are the tokens the model considers, each once; all others are excluded. The order
    /// of the rule: temperature, `top_k`, `top_p` over what is left, noise; the lowest id wins a
    /// tie. Without scores the prediction is token 0 with [`Prediction::NOT_FINITE`].
    pub fn predict(&self, position: usize, mut scores: Vec<Score>, claimed: Option<TokenId>) -> Prediction {
        self.cut(&mut scores);
        let keys: Vec<(i64, TokenId)> = scores
            .iter()
            .map(|score| (self.key(position, *score), score.token))
            .collect();
        let Some(&(best, token)) = keys.iter().max_by_key(|(key, token)| (*key, Reverse(*token))) else {
            return Prediction {
                token: 0,
                gap_milli: Prediction::NOT_FINITE,
                runner_up: 0,
                margin_milli: Prediction::NOT_FINITE,
            };
        };
        let gap_milli = match claimed {
            None => 0,
            Some(claimed) => keys
                .iter()
                .find(|(_, token)| *token == claimed)
                .map_or(Prediction::EXCLUDED, |(key, _)| self.gap_milli(best, *key)),
        };
        let others = keys.iter().filter(|(_, other)| *other != token);
        let second = others.max_by_key(|(key, token)| (*key, Reverse(*token)));
        let (runner_up, margin_milli) = second.map_or((token, Prediction::EXCLUDED), |(key, token)| {
            (*token, self.gap_milli(best, *key))
        });
        Prediction {
            token,
            gap_milli,
            runner_up,
            margin_milli,
        }
    }

    /// Leaves the tokens that the rule allows, best first.
    fn cut(&self, scores: &mut Vec<Score>) {
        scores.sort_unstable_by_key(|score| (Reverse(score.logit_milli), score.token));
        if self.sampling.is_greedy() {
            return;
        }
        if self.sampling.top_k > 0 {
            scores.truncate(self.sampling.top_k as usize);
        }
        if self.sampling.top_p_milli < 1000 {
            let weights = self.weights(scores);
            let enough = weights.iter().sum::<u64>() * u64::from(self.sampling.top_p_milli);
            let mut sum = 0;
            let kept = weights.iter().take_while(|&&weight| {
                let before = sum;
                sum += weight;
                before * 1000 < enough
            });
            let kept = kept.count();
            scores.truncate(kept);
        }
    }

    /// What softmax makes of sorted `scores`, but for a factor; the best has 2³².
    fn weights(&self, scores: &[Score]) -> Vec<u64> {
        let best = scores.first().map_or(0, |score| i64::from(score.logit_milli));
        let temperature = u64::from(self.sampling.temperature_milli.max(1));
        scores
            .iter()
            .map(|score| exp_neg_q32(best.abs_diff(i64::from(score.logit_milli)) * 1000 / temperature))
            .collect()
    }

    /// Score and noise of a token, times the temperature (so that nothing is rounded).
    fn key(&self, position: usize, score: Score) -> i64 {
        let logit = i64::from(score.logit_milli);
        if self.sampling.is_greedy() {
            return logit;
        }
        let position = position as u64;
        let hash = tagged_hash("camelid/noise", &(self.seed, self.job, position, score.token));
        let bits = hash.0.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        logit * 1000 + gumbel_milli(bits) * i64::from(self.sampling.temperature_milli)
    }

    /// The difference of two keys in milli-logits at this temperature, rounded up.
    fn gap_milli(&self, best: i64, key: i64) -> u32 {
        let unit = u64::from(self.sampling.temperature_milli.max(1));
        let gap = best.abs_diff(key).div_ceil(unit);
        u32::try_from(gap).map_or(Prediction::EXCLUDED, |gap| gap.min(Prediction::EXCLUDED))
    }
}
