//! Drawing a token from scores, as a pure function of the prefix.

use super::fixed;
use super::sampling::Sampling;
use super::{Prediction, TokenId};
use crate::primitives::{JobId, tagged_hash};
use alloc::borrow::Cow;
use alloc::vec;
use alloc::vec::Vec;
use chacha20::ChaCha8;
use chacha20::cipher::{KeyIvInit, StreamCipher, StreamCipherSeek};
use core::cmp::Reverse;

/// A score of the model before softmax, in units of 2⁻²² thousandths: whole milli-logits are exact,
/// and so, but for tiny ones, are the 32-bit floats that models compute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Logit(i64);

/// A token the model would consider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Score {
    /// The token.
    pub token: TokenId,
    /// Its score.
    pub logit: Logit,
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

impl Logit {
    /// Units in a thousandth.
    pub const PER_MILLI: i64 = 1 << 22;

    /// The largest; larger ones, and smaller ones than its opposite, are cut to it. 2²⁰ logits.
    const MAX: i64 = (1_000 * Self::PER_MILLI) << 20;

    /// The score of `units` × 2⁻²² thousandths.
    pub const fn from_units(units: i64) -> Self {
        if units > Self::MAX {
            Self(Self::MAX)
        } else if units < -Self::MAX {
            Self(-Self::MAX)
        } else {
            Self(units)
        }
    }

    /// The score of `milli` thousandths.
    pub const fn from_milli(milli: i32) -> Self {
        Self::from_units(milli as i64 * Self::PER_MILLI)
    }
}

impl Draw {
    /// The token drawn at `position`, and how far `claimed` lies under it.
    ///
    /// `scores` are the tokens the model considers, each once; all others are excluded. The order
    /// of the rule: temperature, `top_k`, `top_p` over what is left, noise; the lowest id wins a tie.
    /// Without scores the prediction is token 0 with [`Prediction::NOT_FINITE`].
    pub fn predict(&self, position: usize, scores: &[Score], claimed: Option<TokenId>) -> Prediction {
        let allowed = self.allowed(scores);
        let mut noise = Noise::new(self, position, allowed.len());
        let scale = Scale::of(&self.sampling);
        let mut leaders = Leaders::default();
        let mut claimed_key = None;
        for score in allowed.iter() {
            let is_claimed = claimed == Some(score.token);
            // Most tokens are far behind, whatever their noise: neither noise nor logarithm then.
            if !is_claimed && !leaders.admit(scale.key(score.logit, fixed::GUMBEL_MAX_MILLI)) {
                continue;
            }
            let bits = noise.bits(score.token);
            if !is_claimed && !leaders.admit(scale.key(score.logit, fixed::gumbel_ceiling_milli(bits))) {
                continue;
            }
            let key = scale.key(score.logit, fixed::gumbel_milli(bits));
            leaders.enter((key, Reverse(score.token)));
            if is_claimed {
                claimed_key = Some(key);
            }
        }
        self.prediction(&leaders, claimed.map(|_| claimed_key))
    }

    /// What the two best tokens, and the claimed one's key (if the rule leaves it one) come to.
    fn prediction(&self, leaders: &Leaders, claimed: Option<Option<i64>>) -> Prediction {
        let Some((best, Reverse(token))) = leaders.first else {
            return Prediction {
                token: 0,
                gap_milli: Prediction::NOT_FINITE,
                runner_up: 0,
                margin_milli: Prediction::NOT_FINITE,
            };
        };
        let gap_milli = match claimed {
            None => 0,
            Some(key) => key.map_or(Prediction::EXCLUDED, |key| self.gap_milli(best, key)),
        };
        let (runner_up, margin_milli) = leaders
            .second
            .map_or((token, Prediction::EXCLUDED), |(key, Reverse(token))| {
                (token, self.gap_milli(best, key))
            });
        Prediction {
            token,
            gap_milli,
            runner_up,
            margin_milli,
        }
    }

    /// The scores that the rule allows.
    fn allowed<'a>(&self, scores: &'a [Score]) -> Cow<'a, [Score]> {
        let Sampling {
            top_k, top_p_milli, ..
        } = self.sampling;
        if self.sampling.is_greedy() || (top_k == 0 && top_p_milli >= 1000) {
            return Cow::Borrowed(scores);
        }
        let mut scores = scores.to_vec();
        scores.sort_unstable_by_key(|score| (Reverse(score.logit), score.token));
        if top_k > 0 {
            scores.truncate(top_k as usize);
        }
        if top_p_milli < 1000 {
            let weights = self.weights(&scores);
            let enough = weights.iter().sum::<u64>() * u64::from(top_p_milli);
            let mut sum = 0;
            let kept = weights.iter().take_while(|&&weight| {
                let before = sum;
                sum += weight;
                before * 1000 < enough
            });
            let kept = kept.count();
            scores.truncate(kept);
        }
        // The order makes no difference but to how often the noise is read.
        scores.sort_unstable_by_key(|score| score.token);
        Cow::Owned(scores)
    }

    /// What softmax makes of sorted `scores`, but for a factor; the best has 2³².
    fn weights(&self, scores: &[Score]) -> Vec<u64> {
        let best = scores.first().map_or(0, |score| score.logit.0);
        let unit = u128::from(self.sampling.temperature_milli.max(1)) << 22;
        scores
            .iter()
            .map(|score| {
                let under_milli = u128::from(best.abs_diff(score.logit.0)) * 1000 / unit;
                fixed::exp_neg_q32(u64::try_from(under_milli).unwrap_or(u64::MAX))
            })
            .collect()
    }

    /// The difference of two keys in milli-logits at this temperature, rounded up.
    fn gap_milli(&self, best: i64, key: i64) -> u32 {
        let unit = u64::from(self.sampling.temperature_milli.max(1)) << 22;
        let gap = best.abs_diff(key).div_ceil(unit);
        u32::try_from(gap).map_or(Prediction::EXCLUDED, |gap| gap.min(Prediction::EXCLUDED))
    }
}

/// What scores and noise count for in a sum, a *key*: both times 1000 times the temperature (so that nothing is
/// divided), in units of a [`Logit`]; at temperature 0, the score alone.
struct Scale {
    logit: i64,
    gumbel_milli: i64,
}

impl Scale {
    fn of(sampling: &Sampling) -> Self {
        Self {
            logit: if sampling.is_greedy() { 1 } else { 1000 },
            gumbel_milli: i64::from(sampling.temperature_milli) * Logit::PER_MILLI,
        }
    }

    fn key(&self, logit: Logit, gumbel_milli: i64) -> i64 {
        logit.0 * self.logit + gumbel_milli * self.gumbel_milli
    }
}

/// A key and its token; the larger of two such pairs is drawn.
type Candidate = (i64, Reverse<TokenId>);

/// The two largest of the candidates that came by.
#[derive(Default)]
struct Leaders {
    first: Option<Candidate>,
    second: Option<Candidate>,
}

impl Leaders {
    /// Could a candidate of at most this key be among the first two?
    fn admit(&self, key: i64) -> bool {
        self.second.is_none_or(|(second, _)| key >= second)
    }

    fn enter(&mut self, candidate: Candidate) {
        if self.first.is_none_or(|first| candidate > first) {
            self.second = self.first.replace(candidate);
        } else if self.second.is_none_or(|second| candidate > second) {
            self.second = Some(candidate);
        }
    }
}

/// The noise of each token at one position: 64 bits a token, one after the other in a keystream of ChaCha
/// with 8 rounds (RFC 8439 has 20; nonce 0) under a hash of (seed, job, position).
///
/// Nothing is kept secret with it: everybody knows the key. The noise only has to look like noise.
struct Noise {
    /// `None` at temperature 0.
    stream: Option<ChaCha8>,
    /// A part of the keystream: so many tokens' as `last_index` plus one, a power of two.
    part: Vec<u8>,
    last_index: TokenId,
    /// The token that the part begins with, a multiple of its length.
    first: Option<TokenId>,
}

impl Noise {
    /// Bytes a token.
    const WIDTH: usize = 8;

    /// The noise at `position` of about `tokens` tokens that will be asked for in turn.
    fn new(draw: &Draw, position: usize, tokens: usize) -> Self {
        let stream = (!draw.sampling.is_greedy()).then(|| {
            let key = tagged_hash("camelid/noise", &(draw.seed, draw.job, position as u64));
            ChaCha8::new(&key.0.into(), &[0; 12].into())
        });
        // One of the cipher's blocks where few tokens of many are asked for, else as much as its
        // vector instructions like.
        let last_index: TokenId = if tokens < 512 { 7 } else { 511 };
        Self {
            stream,
            part: vec![0; (last_index as usize + 1) * Self::WIDTH],
            last_index,
            first: None,
        }
    }

    fn bits(&mut self, token: TokenId) -> u64 {
        let Some(stream) = &mut self.stream else {
            return 0;
        };
        let (first, index) = (token & !self.last_index, token & self.last_index);
        if self.first != Some(first) {
            stream.seek(u64::from(first) * Self::WIDTH as u64);
            stream.write_keystream(&mut self.part);
            self.first = Some(first);
        }
        let (words, _) = self.part.as_chunks();
        words
            .get(index as usize)
            .map_or(0, |&word| u64::from_le_bytes(word))
    }
}
