//! Coins that can be spent, and what spending costs.

use camelid_core::primitives::Amount;
use camelid_core::script::Script;
use camelid_core::tx::{Lock, OutPoint, TxOut};

/// Bytes that spending a key-hash coin adds to a transaction: outpoint 36, the `script_sig`'s length 4
/// and its two pushes 99 (signatures are 64 bytes, always), sequence 4.
pub const INPUT_BYTES: u64 = 36 + 4 + 99 + 4;
/// Bytes of a transaction without inputs, outputs or action: version, two lengths, lock time, and two
/// absent options.
pub const EMPTY_BYTES: u64 = 4 + 4 + 4 + 4 + 1 + 1;

/// An unspent output with a key-hash script, which the wallet can sign for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coin {
    /// Where it is.
    pub outpoint: OutPoint,
    /// How much it is.
    pub value: Amount,
    /// Its script.
    pub script: Script,
}

impl Coin {
    /// The output that it is.
    pub fn output(&self) -> TxOut {
        TxOut::to_script(self.value, self.script.clone())
    }
}

/// Bytes of an output in a transaction: value, kind of lock, and a script with its length.
pub fn output_bytes(output: &TxOut) -> u64 {
    match &output.lock {
        Lock::Script(script) => 8 + 1 + 4 + script.as_bytes().len() as u64,
        _ => 8 + 1,
    }
}

/// Units per 1,000 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FeeRate(u64);

impl FeeRate {
    /// The highest rate: 10,000 units a byte. Above it somebody has mistaken units for coins.
    pub const MAX: Self = Self(10_000_000);

    /// `units` for 1,000 bytes, or `None` above [`Self::MAX`].
    pub fn per_kilobyte(units: u64) -> Option<Self> {
        (units <= Self::MAX.0).then_some(Self(units))
    }

    /// `units` for each byte, or `None` above [`Self::MAX`].
    pub fn per_byte(units: u64) -> Option<Self> {
        Self::per_kilobyte(units.checked_mul(1_000)?)
    }

    /// Units per 1,000 bytes.
    pub fn units_per_kilobyte(self) -> u64 {
        self.0
    }

    /// The fee of `bytes` bytes, in units, rounded up.
    pub fn fee(self, bytes: u64) -> u64 {
        // At most 10^7 a kilobyte: no overflow below 10^12 bytes, which no transaction has.
        self.0.saturating_mul(bytes).div_ceil(1_000)
    }
}
