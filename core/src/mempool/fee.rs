//! Fees by size, and the floor that a full pool raises.

use crate::primitives::Amount;
use borsh::{BorshDeserialize, BorshSerialize};
use core::fmt;

/// Units per 1,000 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub struct FeeRate(pub u64);

impl FeeRate {
    /// No fee.
    pub const ZERO: Self = Self(0);

    /// A whole number of units for each byte.
    pub const fn per_byte(units: u64) -> Self {
        Self(units.saturating_mul(1_000))
    }

    /// What a fee of `units` is for `bytes`, rounded down.
    pub fn of(units: u64, bytes: usize) -> Self {
        let rate = u128::from(units) * 1_000 / bytes.max(1) as u128;
        Self(u64::try_from(rate).unwrap_or(u64::MAX))
    }

    /// The fee for `bytes`, rounded up; at most [`Amount::MAX`].
    pub fn fee(self, bytes: usize) -> Amount {
        let units = (u128::from(self.0) * bytes as u128).div_ceil(1_000);
        u64::try_from(units)
            .ok()
            .and_then(Amount::from_units)
            .unwrap_or(Amount::MAX)
    }

    /// The sum of two rates.
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl fmt::Display for FeeRate {
    /// As in `2.500 units/byte`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03} units/byte", self.0 / 1_000, self.0 % 1_000)
    }
}

/// What a pool that had to throw transactions out asks of newcomers. It counts blocks, not time: a
/// miner that takes the best lets the rest in again.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Floor(FeeRate);

/// With every block the floor loses this part of itself, a half in 44 blocks ...
const DECAY: u64 = 64;
/// ... and this part when the pool is less than half full, a half in 11 blocks.
const FAST_DECAY: u64 = 16;

impl Floor {
    pub(super) fn rate(self) -> FeeRate {
        self.0
    }

    /// Something that paid `rate` had to go. What comes in its place must pay more.
    pub(super) fn raise(&mut self, rate: FeeRate, increment: FeeRate) {
        self.0 = self.0.max(rate.plus(increment));
    }

    /// Blocks were connected. Below half of the increment there is no floor.
    pub(super) fn decay(&mut self, blocks: usize, is_half_empty: bool, increment: FeeRate) {
        let part = if is_half_empty { FAST_DECAY } else { DECAY };
        for _ in 0..blocks {
            self.0.0 -= self.0.0.div_ceil(part);
            if self.0.0 < increment.0 / 2 {
                self.0 = FeeRate::ZERO;
                return;
            }
        }
    }
}
