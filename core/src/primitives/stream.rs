//! Deterministic random streams, one per purpose.

use super::hash::tagged_hash;
use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::Rng;

/// A stream of pseudo-random numbers named by a seed and a label.
///
/// Each purpose has its own stream, so that one draw more or less in one place does not shift the
/// others. It is no source of secrets: those are derived from keys.
#[derive(Clone, Debug)]
pub struct Stream(Pcg64Mcg);

impl Stream {
    /// The stream called `label` under `seed`.
    pub fn new(seed: u64, label: &str) -> Self {
        let hash = tagged_hash("camelid/stream", &(seed, label));
        let mut state = [0; 16];
        state.copy_from_slice(&hash.0[..16]);
        Self(Pcg64Mcg::new(u128::from_le_bytes(state)))
    }

    /// 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number in `0..bound`, unbiased; 0 when `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 {
            return 0;
        }
        // Lemire's method: the high half of a 128-bit product, redrawn in the short zone.
        let threshold = bound.wrapping_neg() % bound;
        loop {
            let product = u128::from(self.next_u64()) * u128::from(bound);
            let low = u64::try_from(product & u128::from(u64::MAX)).unwrap_or(0);
            if low >= threshold {
                return u64::try_from(product >> 64).unwrap_or(0);
            }
        }
    }

    /// A number in `low..=high`; `low` when the range is empty.
    pub fn range(&mut self, low: u64, high: u64) -> u64 {
        match high.checked_sub(low).and_then(|span| span.checked_add(1)) {
            Some(count) => low.saturating_add(self.below(count)),
            None if low > high => low,
            None => self.next_u64(),
        }
    }

    /// True with probability `permille` / 1000.
    pub fn chance(&mut self, permille: u32) -> bool {
        self.below(1000) < u64::from(permille)
    }

    /// One of `items`, or `None` when there are none.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        let index = self.below(items.len() as u64);
        items.get(usize::try_from(index).unwrap_or(0))
    }

    /// 32 random bytes.
    pub fn bytes32(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        self.0.fill_bytes(&mut bytes);
        bytes
    }
}
