//! Probabilities of sampling, computed exactly and rounded once.

use num_bigint::{BigInt, BigUint};
use num_rational::BigRational;

/// Largest number of positions or samples: it keeps every computation here under a few seconds.
pub const MOST: u32 = 1_000_000;

/// A probability as a fraction, not necessarily in lowest terms: the numbers can have millions of
/// digits, and dividing by their greatest common divisor would take longer than all else.
#[derive(Clone, Debug)]
pub struct Chance {
    numerator: BigUint,
    denominator: BigUint,
}

impl Chance {
    /// The impossible.
    pub fn zero() -> Self {
        Self {
            numerator: BigUint::ZERO,
            denominator: BigUint::from(1_u32),
        }
    }

    /// The certain.
    pub fn one() -> Self {
        Self::zero().complement()
    }

    /// The chance of the opposite.
    pub fn complement(self) -> Self {
        Self {
            numerator: &self.denominator - self.numerator,
            denominator: self.denominator,
        }
    }

    /// `self - other`, or zero.
    pub fn without(self, other: &Self) -> Self {
        let ours = self.numerator * &other.denominator;
        let theirs = &other.numerator * &self.denominator;
        Self {
            numerator: if ours > theirs {
                ours - theirs
            } else {
                BigUint::ZERO
            },
            denominator: self.denominator * &other.denominator,
        }
    }

    /// `floor(self × whole)`.
    pub fn of(&self, whole: u64) -> u64 {
        let share = &self.numerator * whole / &self.denominator;
        u64::try_from(share).unwrap_or(whole)
    }

    /// True when it is at least `other`.
    fn reaches(&self, other: &BigRational) -> bool {
        let numerator = BigInt::from(self.numerator.clone()) * other.denom();
        numerator >= BigInt::from(self.denominator.clone()) * other.numer()
    }

    /// The nearest `f64`, the even one between two. Correct for 0 and from 2⁻⁹⁰⁰ up.
    pub fn to_f64(&self) -> f64 {
        // A quotient of 64 or 65 bits, and a last bit that says whether anything is left over: more
        // than the 53 bits and the rest that rounding looks at.
        let bits = |number: &BigUint| i64::try_from(number.bits()).unwrap_or(i64::MAX);
        let shift = 64 + bits(&self.denominator) - bits(&self.numerator);
        let (shift, scaled) = match u32::try_from(shift) {
            Ok(shift) if self.numerator > BigUint::ZERO => (shift, &self.numerator << shift),
            _ => return 0.0,
        };
        let quotient = &scaled / &self.denominator;
        let exact = &quotient * &self.denominator == scaled;
        let quotient = u128::try_from(quotient).unwrap_or(u128::MAX);
        let rounded = (quotient | u128::from(!exact)) as f64;
        // A power of two changes no digit.
        rounded * 2_f64.powi(i32::try_from(shift).map_or(i32::MIN, |shift| -shift))
    }
}

/// The chance that none of `samples` different positions out of `positions`, all sets equally
/// likely, is one of the `bad` ones: `C(n-k, m) / C(n, m)`.
///
/// `bad` and `samples` are at most `positions`. They may change places without changing the
/// result, so it takes as many factors as the smaller one.
pub fn missed(positions: u32, bad: u32, samples: u32) -> Chance {
    let (fewer, more) = (bad.min(samples), bad.max(samples));
    match positions.checked_sub(more) {
        Some(others) if others >= fewer => Chance {
            numerator: falling(others, fewer),
            denominator: falling(positions, fewer),
        },
        _ => Chance::zero(),
    }
}

/// The chance that at least one of them is: `1 - C(n-k, m) / C(n, m)`.
pub fn detected(positions: u32, bad: u32, samples: u32) -> Chance {
    missed(positions, bad, samples).complement()
}

/// The chance that an honest output fails at one of `samples` positions, when each differs with
/// `ppm` millionths on its own: `1 - (1 - p)^m`.
pub fn falsely_rejected(ppm: u32, samples: u32) -> Chance {
    let same = BigRational::new((1_000_000 - i64::from(ppm)).into(), 1_000_000.into());
    let power = |number: &BigInt| number.magnitude().pow(samples);
    Chance {
        numerator: power(same.numer()),
        denominator: power(same.denom()),
    }
    .complement()
}

/// The fewest samples that detect with at least the chance `want`, or `None` when not even all
/// positions do.
pub fn samples_needed(positions: u32, bad: u32, want: &BigRational) -> Option<u32> {
    let enough = |samples: u32| detected(positions, bad, samples).reaches(want);
    // So many cannot all be good.
    let most = (positions - bad).saturating_add(1).min(positions);
    if enough(0) {
        return Some(0);
    }
    // Doubling first: the numbers grow with the number of samples tried.
    let (mut too_few, mut candidate) = (0, 1);
    while candidate < most && !enough(candidate) {
        (too_few, candidate) = (candidate, candidate * 2);
    }
    let mut fewest = candidate.min(most);
    if !enough(fewest) {
        return None;
    }
    while fewest - too_few > 1 {
        let middle = too_few + (fewest - too_few) / 2;
        if enough(middle) {
            fewest = middle;
        } else {
            too_few = middle;
        }
    }
    Some(fewest)
}

/// `top × (top - 1) × …`, `count` factors.
fn falling(top: u32, count: u32) -> BigUint {
    product(top - count, top)
}

/// The product of `above + 1 ..= top`. Halves first, so that long numbers meet numbers as long.
fn product(above: u32, top: u32) -> BigUint {
    if top - above <= 16 {
        return (above + 1..=top).map(BigUint::from).product();
    }
    let middle = above + (top - above) / 2;
    product(above, middle) * product(middle, top)
}

#[cfg(test)]
mod tests {
    use super::{Chance, detected, falsely_rejected, missed, samples_needed};
    use crate::decimal::Decimal;
    use num_bigint::BigUint;

    /// Sets of `samples` positions below `positions` that avoid those below `bad`, and all sets, by
    /// counting every set.
    fn count_sets(positions: u32, bad: u32, samples: u32) -> (u32, u32) {
        let sets = (0_u32..1 << positions).filter(|set| set.count_ones() == samples);
        let (all, clean): (Vec<u32>, Vec<bool>) = sets.map(|set| (set, set & ((1 << bad) - 1) == 0)).unzip();
        let clean = clean.into_iter().filter(|clean| *clean).count();
        (
            u32::try_from(clean).expect("few"),
            u32::try_from(all.len()).expect("few"),
        )
    }

    #[test]
    fn the_formula_counts_sets() {
        for positions in 0..=10 {
            for bad in 0..=positions {
                for samples in 0..=positions {
                    let (clean, all) = count_sets(positions, bad, samples);
                    let Chance {
                        numerator,
                        denominator,
                    } = missed(positions, bad, samples);
                    assert_eq!(
                        numerator * all,
                        denominator * clean,
                        "{positions} {bad} {samples}"
                    );
                }
            }
        }
    }

    #[test]
    fn fractions_round_as_the_standard_library_reads_decimals() {
        let rounded = |numerator: u64, denominator: u64| {
            let (numerator, denominator) = (BigUint::from(numerator), BigUint::from(denominator));
            Chance {
                numerator,
                denominator,
            }
            .to_f64()
        };
        let mut digits = 1_u64;
        for _ in 0..2_000 {
            digits = digits
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let below = digits % 1_000_000_000_000_000_000;
            let expected: f64 = format!("0.{below:018}").parse().expect("a number");
            assert_eq!(
                rounded(below, 1_000_000_000_000_000_000).to_bits(),
                expected.to_bits()
            );
        }
        // Between two doubles the even one, and a little more or less than that.
        let half = 1 << 53;
        assert_eq!(rounded(half + 1, half * 2), 0.5);
        assert_eq!(rounded(half + 3, half * 2), 0.500_000_000_000_000_2);
        assert_eq!((rounded(0, 7), rounded(7, 7)), (0.0, 1.0));
    }

    #[test]
    fn known_figures() {
        // One bad position of 254, one sample: k/n.
        assert_eq!(detected(254, 1, 1).to_f64(), 1.0 / 254.0);
        // 256 tokens at 0.1 %: 22.6 % of honest jobs fail (hole H13).
        assert!((falsely_rejected(1_000, 256).to_f64() - 0.226).abs() < 5e-4);
        assert_eq!(falsely_rejected(0, 1_000).to_f64(), 0.0);
        assert_eq!(falsely_rejected(1_000_000, 1).to_f64(), 1.0);
        assert_eq!(falsely_rejected(1_000_000, 0).to_f64(), 0.0);
        // Nearly everything bad: only the last few draws can be good.
        assert_eq!(detected(1_000_000, 999_999, 2).to_f64(), 1.0);
    }

    #[test]
    fn chances_are_money_rounded_down() {
        assert_eq!(detected(3, 1, 1).of(100), 33);
        assert_eq!(detected(3, 3, 1).of(u64::MAX), u64::MAX);
        assert_eq!(missed(4, 1, 1).without(&missed(4, 2, 1)).to_f64(), 0.25);
        assert_eq!((Chance::one().of(7), Chance::zero().of(7)), (7, 0));
    }

    #[test]
    fn the_fewest_samples_are_found() {
        let needed = |positions, bad, want: &str| {
            let want: Decimal = want.parse().expect("a decimal");
            samples_needed(positions, bad, &want.fraction())
        };
        // k = 1: the chance is m/n, and exactly a quarter is enough.
        assert_eq!(needed(100, 1, "0.25"), Some(25));
        assert_eq!(needed(100, 1, "0.250000000001"), Some(26));
        assert_eq!(needed(100, 1, "1"), Some(100));
        assert_eq!(needed(100, 30, "1"), Some(71));
        assert_eq!((needed(100, 0, "0"), needed(100, 0, "0.1")), (Some(0), None));
        assert_eq!((needed(0, 0, "0"), needed(0, 0, "1")), (Some(0), None));
        for (positions, bad, want) in [
            (50, 3, "0.5"),
            (200, 7, "0.99"),
            (13, 13, "0.7"),
            (31, 2, "0.999"),
        ] {
            let reached = |samples| {
                detected(positions, bad, samples).to_f64() >= want.parse::<f64>().expect("a number")
            };
            let by_trying = (0..=positions).find(|&samples| reached(samples));
            assert_eq!(
                needed(positions, bad, want),
                by_trying,
                "{positions} {bad} {want}"
            );
        }
    }
}
