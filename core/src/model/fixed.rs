//! Logarithm, exponential and Gumbel noise in fixed point, equal on every machine.
//!
//! `Q32` numbers are integers in units of 2⁻³².

/// ln 2 in Q32.
pub const LN_2_Q32: u64 = 2_977_044_472;

/// The binary logarithm of `x` in Q32, rounded down; 0 for `x = 0`.
pub fn log2_q32(x: u64) -> u64 {
    let Some(exponent) = x.checked_ilog2() else {
        return 0;
    };
    // The mantissa is in 1..2, with 63 bits behind the point. Squaring it doubles its logarithm,
    // whose integer part is then the next bit.
    let mut mantissa = u128::from(x) << (63 - exponent);
    let mut result = u64::from(exponent);
    for _ in 0..32 {
        mantissa = (mantissa * mantissa) >> 63;
        let bit = u64::from(mantissa >> 64 != 0);
        mantissa >>= bit;
        result = (result << 1) | bit;
    }
    result
}

/// 1000 ln `x`, rounded down; 0 for `x = 0`.
pub fn ln_milli(x: u64) -> u32 {
    let milli = (u128::from(log2_q32(x)) * u128::from(LN_2_Q32) * 1000) >> 64;
    u32::try_from(milli).unwrap_or(u32::MAX)
}

/// exp(−`milli` / 1000) in Q32.
pub fn exp_neg_q32(milli: u64) -> u64 {
    let x = (u128::from(milli) << 32) / 1000;
    let halvings = x / u128::from(LN_2_Q32);
    if halvings > 32 {
        return 0;
    }
    // The rest is under ln 2, where twelve terms of the series are exact to the last bits.
    let rest = i128::try_from(x % u128::from(LN_2_Q32)).unwrap_or(0);
    let (mut term, mut sum) = (1_i128 << 32, 1_i128 << 32);
    for k in 1..=12 {
        term = -((term * rest) >> 32) / k;
        sum += term;
    }
    u64::try_from(sum >> halvings).unwrap_or(0)
}

/// A standard Gumbel variate, −ln(−ln u), in thousandths, for `u = bits / 2⁶⁴`.
///
/// The best of several scores with such noise added is drawn with the probabilities that softmax
/// gives to the scores.
pub fn gumbel_milli(bits: u64) -> i64 {
    // −log₂ u, then −ln u. `bits | 1` keeps u off 0, rounding the logarithm down keeps it off 1.
    let minus_log2 = (64_u64 << 32) - log2_q32(bits | 1);
    let minus_ln = (u128::from(minus_log2) * u128::from(LN_2_Q32)) >> 32;
    let minus_ln = u64::try_from(minus_ln).unwrap_or(u64::MAX).max(1);
    // As an integer `minus_ln` is 2³² times too large.
    i64::from(ln_milli(1 << 32)) - i64::from(ln_milli(minus_ln))
}

/// The largest [`gumbel_milli`]: 32 ln 2, rounded up.
pub const GUMBEL_MAX_MILLI: i64 = 22_181;

/// At least [`gumbel_milli`] of the same bits, without a logarithm.
pub fn gumbel_ceiling_milli(bits: u64) -> i64 {
    // With k leading ones −ln u ≥ 1 − u ≥ 2⁻⁽ᵏ⁺¹⁾. One more ln 2 (0.694) makes up for rounding, that
    // may halve a −ln u of a few units.
    ((i64::from(bits.leading_ones()) + 2) * 694).min(GUMBEL_MAX_MILLI)
}
