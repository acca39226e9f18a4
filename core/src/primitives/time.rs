//! Points on the three clocks: the driver's, the headers' and the chain's.

use borsh::{BorshDeserialize, BorshSerialize};
use core::fmt;

/// The driver's clock in milliseconds. Its zero is the driver's choice, but the live adapter and
/// the simulator both count from the Unix epoch, so that it can be compared with a [`Timestamp`].
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize,
)]
pub struct Time(pub u64);

impl Time {
    /// `self` plus `ms` milliseconds, saturating.
    pub const fn after_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Whole seconds, saturating at the end of a header's 32 bits.
    pub fn timestamp(self) -> Timestamp {
        Timestamp(u32::try_from(self.0 / 1000).unwrap_or(u32::MAX))
    }
}

/// A header's time: seconds since the Unix epoch.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize,
)]
pub struct Timestamp(pub u32);

impl Timestamp {
    /// `self` plus `seconds`, wide enough for any sum.
    pub const fn plus_seconds(self, seconds: u64) -> u64 {
        (self.0 as u64).saturating_add(seconds)
    }
}

/// Number of a block, counted from the genesis block, which has 0.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize,
)]
pub struct Height(pub u32);

impl Height {
    /// `self` plus `blocks`, saturating.
    pub const fn plus(self, blocks: u32) -> Self {
        Self(self.0.saturating_add(blocks))
    }

    /// `self` minus `blocks`, saturating at the genesis block.
    pub const fn minus(self, blocks: u32) -> Self {
        Self(self.0.saturating_sub(blocks))
    }

    /// Blocks from `earlier` to `self`, 0 if `earlier` is not earlier.
    pub const fn since(self, earlier: Self) -> u32 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for Height {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
