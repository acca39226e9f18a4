//! The target that the next block must meet.

use super::header::BlockHeader;
use super::target::{CompactTarget, Target};
use crate::params::Params;
use crate::primitives::Height;
use borsh::{BorshDeserialize, BorshSerialize};
use k256::elliptic_curve::bigint::U512;

/// How the target follows the network's hash power.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Difficulty {
    /// Not at all: the genesis target, for ever.
    Constant,
    /// By how far the chain is behind its schedule ([`asert`]), counted from the genesis block.
    Asert {
        /// Seconds behind schedule that double the target.
        half_life_s: u32,
        /// The easiest target.
        limit: CompactTarget,
    },
}

/// The target of a block that extends `parent`, a block at height `height`.
pub fn required_bits(params: &Params, parent: &BlockHeader, height: Height) -> CompactTarget {
    let Difficulty::Asert { half_life_s, limit } = params.difficulty else {
        return params.genesis_bits;
    };
    // Parameters with other targets are refused before any chain is made of them.
    let (Ok(anchor), Ok(limit)) = (params.genesis_bits.target(), limit.target()) else {
        return params.genesis_bits;
    };
    let elapsed_s = i128::from(parent.time.0) - i128::from(params.genesis_time.0);
    let schedule_s = i128::from(params.spacing_s) * i128::from(height.0);
    asert(anchor, elapsed_s - schedule_s, half_life_s, limit).to_compact()
}

/// `anchor × 2^(late_s / half_life_s)`, at least 1 and at most `limit`, for a chain that is `late_s`
/// seconds behind its schedule; a negative number of seconds is ahead of it.
///
/// This is the integer arithmetic of Bitcoin Cash's aserti3-2d (Bitcoin Cash specification
/// "2020-11-15-asert"): 16 binary digits of the exponent, cut off towards zero, and a cubic for the
/// fractional power of two, wrong by at most 0.013 %. There the anchor is measured by its parent's time; a
/// genesis block has none, and counts as if its parent had come one spacing before it. The product
/// is computed in 512 bits, so that any target can be an anchor.
pub fn asert(anchor: Target, late_s: i128, half_life_s: u32, limit: Target) -> Target {
    let late_s = late_s.clamp(-MAX_LATE_S, MAX_LATE_S);
    let exponent = (late_s << 16).checked_div(i128::from(half_life_s)).unwrap_or(0);
    let doublings = exponent >> 16;
    let fraction = (exponent & 0xffff).unsigned_abs();
    let cubic = 195_766_423_245_049 * fraction + 971_821_376 * fraction.pow(2) + 5_127 * fraction.pow(3);
    let factor = 65_536 + ((cubic + (1 << 47)) >> 48);
    let product = anchor.widened().wrapping_mul(&U512::from_u128(factor));
    // The factor has 16 binary digits behind the point.
    let shift = doublings - 16;
    let distance = u32::try_from(shift.unsigned_abs()).unwrap_or(u32::MAX);
    let bits = product.bits_vartime();
    let scaled = if shift < 0 {
        match distance < bits {
            true => product.wrapping_shr_vartime(distance),
            false => U512::ZERO,
        }
    } else if bits.saturating_add(distance) <= 256 {
        product.wrapping_shl_vartime(distance)
    } else {
        return limit;
    };
    Target::clamped(scaled, limit)
}

/// More seconds than any chain of 2^32 headers can be late or early; shifts by it overflow nothing.
const MAX_LATE_S: i128 = 1 << 80;
