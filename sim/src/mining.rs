//! How long searches for a block take.

use crate::model::fixed;
use camelid_core::block::CompactTarget;
use camelid_core::primitives::Stream;

/// Mean time to meet `bits`, where meeting `known` takes `known_ms`: in proportion to the expected
/// number of hashes. Saturates.
pub(crate) fn mean_search_ms(bits: CompactTarget, known: CompactTarget, known_ms: u64) -> u64 {
    if bits == known {
        return known_ms;
    }
    let hashes = |bits: CompactTarget| bits.target().map_or(u128::MAX, |target| target.work().hashes());
    let product = u128::from(known_ms).saturating_mul(hashes(bits));
    let mean = product.checked_div(hashes(known)).unwrap_or(u128::MAX);
    u64::try_from(mean).unwrap_or(u64::MAX)
}

/// An exponentially distributed time with this mean: `-mean × ln(u)` in fixed point.
pub(crate) fn exponential(stream: &mut Stream, mean_ms: u64) -> u64 {
    let bits = u128::from((64u64 << 32) - fixed::log2_q32(stream.next_u64().max(1)));
    u64::try_from((u128::from(mean_ms) * bits * u128::from(fixed::LN_2_Q32)) >> 64).unwrap_or(u64::MAX)
}
