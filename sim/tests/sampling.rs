//! Drawing tokens from scores in fixed point, held against floats and against the probabilities it
//! should have.

use camelid_core::model::{Prediction, Sampling};
use camelid_core::primitives::{JobId, tagged_hash};
use camelid_sim::model::{Draw, Logit, Score, fixed};
use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use std::cmp::Reverse;

const JOB: JobId = JobId([7; 32]);
const WARM: Sampling = Sampling {
    temperature_milli: 1000,
    ..Sampling::GREEDY
};

fn score(token: u32, milli: i32) -> Score {
    Score {
        token,
        logit: Logit::from_milli(milli),
    }
}

#[test]
fn noise_draws_with_the_probabilities_of_softmax() {
    // Weights 1 : 2 : 4 at temperature 1; ln 2 = 0.693.
    let scores: Vec<Score> = (0..)
        .zip([0, 693, 1386])
        .map(|(token, milli)| score(token, milli))
        .collect();
    let counts = |sampling: Sampling| {
        let mut counts = [0_u32; 3];
        for seed in 0..7000 {
            let draw = Draw {
                seed,
                job: JOB,
                sampling,
            };
            counts[draw.predict(5, &scores, None).token as usize] += 1;
        }
        counts
    };
    // Five standard deviations of a binomial draw are at most 5 × sqrt(7000 / 4) = 210.
    let near = |counts: [u32; 3], expected: [u32; 3]| {
        for (count, expected) in counts.into_iter().zip(expected) {
            assert!(count.abs_diff(expected) < 210, "{counts:?} is not {expected}");
        }
    };
    near(counts(WARM), [1000, 2000, 4000]);
    // Half the temperature squares the weights: 1 : 4 : 16.
    near(
        counts(Sampling {
            temperature_milli: 500,
            ..WARM
        }),
        [333, 1333, 5333],
    );
    near(counts(Sampling { top_k: 2, ..WARM }), [0, 2333, 4667]);
    // 4/7 = 0.571, 6/7 = 0.857.
    assert_eq!(
        counts(Sampling {
            top_p_milli: 500,
            ..WARM
        }),
        [0, 0, 7000]
    );
    assert_eq!(
        counts(Sampling {
            top_p_milli: 850,
            ..WARM
        })[0],
        0
    );
    near(
        counts(Sampling {
            top_p_milli: 870,
            ..WARM
        }),
        [1000, 2000, 4000],
    );
}

#[test]
fn the_greedy_rule_takes_the_lowest_of_equals() {
    let scores = vec![(5, 100), (3, 100), (4, 90)];
    let scores: Vec<Score> = scores
        .into_iter()
        .map(|(token, milli)| score(token, milli))
        .collect();
    let draw = Draw {
        seed: 1,
        job: JOB,
        sampling: Sampling::GREEDY,
    };
    // The other of the equals is the runner-up, by nothing.
    for (claimed, gap_milli) in [(3, 0), (4, 10), (9, Prediction::EXCLUDED)] {
        let expected = Prediction {
            token: 3,
            gap_milli,
            runner_up: 5,
            margin_milli: 0,
        };
        assert_eq!(draw.predict(0, &scores, Some(claimed)), expected);
    }
    let alone = draw.predict(0, &scores[..1], None);
    assert_eq!((alone.runner_up, alone.margin_milli), (5, Prediction::EXCLUDED));
}

/// The rule without its short cuts: every token's key, sorted.
fn draw_slowly(draw: &Draw, position: usize, scores: &[Score], claimed: Option<u32>) -> Prediction {
    // Two tokens at a time decide the same contest, and leave nothing to skip.
    let beats = |a: &Score, b: &Score| draw.predict(position, &[*a, *b], None).token == a.token;
    let mut order: Vec<Score> = scores.to_vec();
    order.sort_by(|a, b| {
        if beats(a, b) {
            std::cmp::Ordering::Less
        } else {
            std::cmp::Ordering::Greater
        }
    });
    let pair = |other: &Score| draw.predict(position, &[order[0], *other], Some(other.token));
    Prediction {
        token: order[0].token,
        gap_milli: claimed.map_or(0, |claimed| {
            let claimed = order.iter().find(|score| score.token == claimed);
            claimed.map_or(Prediction::EXCLUDED, |score| {
                match score.token == order[0].token {
                    true => 0,
                    false => pair(score).gap_milli,
                }
            })
        }),
        runner_up: order[1].token,
        margin_milli: pair(&order[1]).gap_milli,
    }
}

/// The noise of a token as `docs/src/protocol.md` tells it, from another implementation of ChaCha.
fn noise(draw: &Draw, position: u64, token: u32) -> u64 {
    let key = tagged_hash("camelid/noise", &(draw.seed, draw.job, position));
    let mut stream = ChaCha8Rng::from_seed(key.0);
    // In words of four bytes.
    stream.set_word_pos(u128::from(token) * 2);
    stream.next_u64()
}

proptest! {
    #[test]
    fn the_token_with_the_best_sum_of_score_and_noise_is_drawn(
        milli in prop::collection::vec(-3_000..1_000, 1..700),
        stride in prop_oneof![Just(1_u32), 2..10_u32, 1_000..2_000_000_u32],
        position in 0_usize..100_000,
        seed: u64,
    ) {
        let milli: Vec<(u32, i32)> = (0..).map(|i| i * stride).zip(milli).collect();
        let scores: Vec<Score> = milli.iter().map(|&(token, milli)| score(token, milli)).collect();
        let draw = Draw { seed, job: JOB, sampling: WARM };
        let best = milli.iter().max_by_key(|&&(token, milli)| {
            let noise = fixed::gumbel_milli(noise(&draw, position as u64, token));
            (i64::from(milli) + noise, Reverse(token))
        });
        prop_assert_eq!(Some(draw.predict(position, &scores, None).token), best.map(|&(token, _)| token));
    }

    #[test]
    fn fixed_point_agrees_with_floats(x in 1_u64.., milli in 0_u64..40_000) {
        let log2 = fixed::log2_q32(x) as f64 / 2_f64.powi(32);
        prop_assert!((log2 - (x as f64).log2()).abs() < 1e-8);
        prop_assert!((f64::from(fixed::ln_milli(x)) - (x as f64).ln() * 1000.0).abs() < 1.01);
        let exp = fixed::exp_neg_q32(milli) as f64 / 2_f64.powi(32);
        prop_assert!((exp - (-(milli as f64) / 1000.0).exp()).abs() < 1e-8);
        let gumbel = -(-((x | 1) as f64 / 2_f64.powi(64)).ln()).ln() * 1000.0;
        // Close to 1 neither side has bits left.
        prop_assert!((fixed::gumbel_milli(x) as f64 - gumbel).abs() < 2.0 || x > u64::MAX - (1 << 44));
    }

    #[test]
    fn every_string_of_bits_gives_noise_under_its_ceiling(
        bits in prop_oneof![Just(0), Just(u64::MAX), any::<u64>(), any::<u64>().prop_map(|bits| !(bits >> (bits % 64)))],
    ) {
        let noise = fixed::gumbel_milli(bits);
        prop_assert!((-4000..=fixed::GUMBEL_MAX_MILLI).contains(&noise));
        prop_assert!(noise <= fixed::gumbel_ceiling_milli(bits));
        prop_assert!(fixed::gumbel_ceiling_milli(bits) <= fixed::GUMBEL_MAX_MILLI);
    }

    #[test]
    fn short_cuts_change_nothing(
        milli in prop::collection::vec(-30_000..5_000, 2..200),
        claimed in prop::option::of(0_u32..250),
        temperature_milli in prop_oneof![Just(0_u32), Just(1000), 1_u32..10_000],
        seed: u64,
    ) {
        let scores: Vec<Score> = (0..).zip(milli).map(|(token, milli)| score(token, milli)).collect();
        let draw = Draw { seed, job: JOB, sampling: Sampling { temperature_milli, ..Sampling::GREEDY } };
        let backwards: Vec<Score> = scores.iter().rev().copied().collect();
        let expected = draw_slowly(&draw, 9, &scores, claimed);
        prop_assert_eq!(draw.predict(9, &scores, claimed), expected);
        prop_assert_eq!(draw.predict(9, &backwards, claimed), expected);
    }
}
