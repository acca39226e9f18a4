//! Proof-of-work targets and the work they stand for.

use crate::primitives::BlockHash;
use borsh::{BorshDeserialize, BorshSerialize};
use core::fmt;
use k256::U256;
use k256::elliptic_curve::bigint::{NonZero, U512};

/// A target in Bitcoin's compact form: one byte of size, a sign bit, and 23 bits of mantissa.
#[derive(Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct CompactTarget(pub u32);

impl fmt::Debug for CompactTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#010x}", self.0)
    }
}

/// Why a target is no target, or is missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// The sign bit is set.
    #[error("the target is negative")]
    Negative,
    /// It does not fit in 256 bits.
    #[error("the target exceeds 256 bits")]
    Overflow,
    /// It is zero: no hash could meet it.
    #[error("the target is zero")]
    Zero,
    /// The hash is above it.
    #[error("the hash is above the target")]
    Missed,
}

impl CompactTarget {
    /// The 256-bit target.
    ///
    /// # Errors
    /// [`TargetError`] when it is negative, zero or too large.
    pub fn target(self) -> Result<Target, TargetError> {
        let size = self.0 >> 24;
        let mantissa = self.0 & 0x007f_ffff;
        let (shifted, low_bits) = match size {
            0..=3 => (mantissa >> (8 * (3 - size)), 0),
            _ => (mantissa, 8 * (size - 3)),
        };
        if shifted == 0 {
            return Err(TargetError::Zero);
        }
        if self.0 & 0x0080_0000 != 0 {
            return Err(TargetError::Negative);
        }
        if low_bits + (32 - shifted.leading_zeros()) > 256 {
            return Err(TargetError::Overflow);
        }
        Ok(Target(U256::from_u32(shifted).wrapping_shl_vartime(low_bits)))
    }
}

/// A number that a block's hash must not exceed; never zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target(U256);

impl Target {
    /// The target as 32 little-endian bytes, the byte order of a hash.
    pub fn to_le_bytes(self) -> [u8; 32] {
        self.0.to_le_bytes().into()
    }

    /// The canonical compact form, which rounds towards zero.
    pub fn to_compact(self) -> CompactTarget {
        let mut size = self.0.bits_vartime().div_ceil(8);
        let mut mantissa = match size {
            0..=3 => low_u32(&self.0) << (8 * (3 - size)),
            _ => low_u32(&self.0.wrapping_shr_vartime(8 * (size - 3))),
        };
        if mantissa & 0x0080_0000 != 0 {
            mantissa >>= 8;
            size += 1;
        }
        CompactTarget(mantissa | (size << 24))
    }

    /// The target as a number that can be multiplied.
    pub(super) fn widened(self) -> U512 {
        self.0.resize()
    }

    /// `number` as a target: at least 1, at most `limit`.
    pub(super) fn clamped(number: U512, limit: Self) -> Self {
        if number > limit.widened() {
            return limit;
        }
        let number: U256 = number.resize();
        Self(number.max(U256::ONE))
    }

    /// True when `hash`, read as a little-endian number, is at most the target.
    pub fn is_met_by(&self, hash: &BlockHash) -> bool {
        U256::from_le_slice(&hash.0) <= self.0
    }

    /// Expected number of hashes to meet it: `2^256 / (target + 1)`.
    pub fn work(&self) -> Work {
        // 2^256 / (t + 1) = ~t / (t + 1) + 1, which fits in 256 bits.
        let divisor = NonZero::new(self.0.wrapping_add(&U256::ONE));
        match Option::<NonZero<U256>>::from(divisor) {
            Some(divisor) => Work(
                self.0
                    .not()
                    .wrapping_div_vartime(&divisor)
                    .wrapping_add(&U256::ONE),
            ),
            None => Work(U256::ONE),
        }
    }
}

/// The low 32 bits of a number.
fn low_u32(number: &U256) -> u32 {
    let bytes: [u8; 32] = number.to_le_bytes().into();
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

/// An expected number of hashes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Work(U256);

impl Work {
    /// `self + other`, saturating (2^256 hashes are out of anybody's reach).
    pub fn plus(&self, other: &Self) -> Self {
        Self(self.0.saturating_add(&other.0))
    }

    /// `self - other`, not below nothing.
    pub fn minus(&self, other: &Self) -> Self {
        Self(self.0.saturating_sub(&other.0))
    }

    /// `count` times as much, saturating.
    pub fn times(&self, count: u32) -> Self {
        Self(self.0.saturating_mul(&U256::from_u32(count)))
    }

    /// As 32 little-endian bytes.
    pub fn to_le_bytes(self) -> [u8; 32] {
        self.0.to_le_bytes().into()
    }

    /// As a number of hashes, saturating.
    pub fn hashes(self) -> u128 {
        let bytes = self.to_le_bytes();
        let (low, high) = bytes.split_at(16);
        let fits = high.iter().all(|byte| *byte == 0);
        let low = low.try_into().map_or(u128::MAX, u128::from_le_bytes);
        if fits { low } else { u128::MAX }
    }
}
