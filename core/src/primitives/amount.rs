//! Money.

use borsh::{BorshDeserialize, BorshSerialize};
use core::fmt;

/// Units in one coin.
pub const COIN: u64 = 100_000_000;

/// A sum of money in units of 10⁻⁸ coin, at most [`Amount::MAX`].
///
/// There are no operators: every sum and difference says what happens at the edge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize)]
pub struct Amount(u64);

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// More than all coins that can ever be issued (100 million coins plus a genesis allocation of
    /// as much again), and small enough that four of them still fit in a `u64`.
    pub const MAX: Self = Self(400_000_000 * COIN);

    /// `units` if that is at most [`Amount::MAX`].
    pub const fn from_units(units: u64) -> Option<Self> {
        if units <= Self::MAX.0 {
            Some(Self(units))
        } else {
            None
        }
    }

    /// `coins` whole coins if that is at most [`Amount::MAX`].
    pub const fn from_coins(coins: u64) -> Option<Self> {
        match coins.checked_mul(COIN) {
            Some(units) => Self::from_units(units),
            None => None,
        }
    }

    /// The sum in units.
    pub const fn units(self) -> u64 {
        self.0
    }

    /// `self + other`, or `None` above [`Amount::MAX`].
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(units) => Self::from_units(units),
            None => None,
        }
    }

    /// `self - other`, or `None` below zero.
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(units) => Some(Self(units)),
            None => None,
        }
    }

    /// `self × factor`, or `None` above [`Amount::MAX`].
    pub const fn checked_mul(self, factor: u64) -> Option<Self> {
        match self.0.checked_mul(factor) {
            Some(units) => Self::from_units(units),
            None => None,
        }
    }

    /// The sum of `amounts`, or `None` above [`Amount::MAX`].
    pub fn checked_sum(amounts: impl IntoIterator<Item = Self>) -> Option<Self> {
        amounts.into_iter().try_fold(Self::ZERO, Self::checked_add)
    }

    /// True for [`Amount::ZERO`].
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for Amount {
    /// Coins with eight decimals, as in `12.50000000`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:08}", self.0 / COIN, self.0 % COIN)
    }
}

impl BorshDeserialize for Amount {
    fn deserialize_reader<R: borsh::io::Read>(reader: &mut R) -> borsh::io::Result<Self> {
        let units = u64::deserialize_reader(reader)?;
        Self::from_units(units)
            .ok_or_else(|| borsh::io::Error::new(borsh::io::ErrorKind::InvalidData, "amount out of range"))
    }
}
