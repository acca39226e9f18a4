//! Keys from a seed (BIP 32), in the places that BIP 44 gives them.
//!
//! ```text
//! m / 44' / coin type' / 0' / chain / index        chain 0: to be paid at; chain 1: for change
//! ```

use bip32::{ChildNumber, XPrv};
use camelid_core::keys::{KeyHash, SecretKey};
use camelid_core::script::{Script, key_hash_script};
use std::fmt;
use zeroize::Zeroizing;

/// Our coin type of BIP 44: the letters `CAML` as a number. It is not registered in SLIP-44, whose list
/// is maintained elsewhere and only has to be free of it.
pub const COIN_TYPE: u32 = u32::from_be_bytes(*b"CAML");

/// Unused addresses in a row after which nobody looks for more (BIP 44).
pub const GAP_LIMIT: u32 = 20;

/// Indices end where those of hardened keys begin.
const INDEX_END: u32 = 1 << 31;

/// Which of an account's two rows of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Branch {
    /// Given to others, to be paid at.
    Receive,
    /// For what is left of a payment.
    Change,
}

/// A key's place in its account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyPlace {
    /// The row.
    pub branch: Branch,
    /// Position in the row, from 0.
    pub index: u32,
}

/// Why a key cannot be derived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DerivationError {
    /// The index belongs to hardened keys.
    #[error("index {0} is out of range: addresses have indices below 2147483648")]
    Index(u32),
    /// One index in 2^127 has no key.
    #[error("there is no key at this index; use the next one")]
    NoKey,
}

/// The first account of a seed.
#[derive(Clone)]
pub struct Account {
    receive: XPrv,
    change: XPrv,
}

impl Account {
    /// The account of `seed` on our chain.
    ///
    /// # Errors
    /// [`DerivationError::NoKey`], once in 2^127 seeds.
    pub fn new(seed: &[u8; 64]) -> Result<Self, DerivationError> {
        Self::of_coin(seed, COIN_TYPE)
    }

    /// The account on the chain with another coin type.
    ///
    /// # Errors
    /// [`DerivationError`].
    pub fn of_coin(seed: &[u8; 64], coin_type: u32) -> Result<Self, DerivationError> {
        let mut key = XPrv::new(seed).map_err(|_| DerivationError::NoKey)?;
        for index in [44, coin_type, 0] {
            key = child(&key, index, true)?;
        }
        Ok(Self {
            receive: child(&key, 0, false)?,
            change: child(&key, 1, false)?,
        })
    }

    /// The key at `place`.
    ///
    /// # Errors
    /// [`DerivationError`].
    pub fn key(&self, place: KeyPlace) -> Result<SecretKey, DerivationError> {
        let parent = match place.branch {
            Branch::Receive => &self.receive,
            Branch::Change => &self.change,
        };
        let bytes = Zeroizing::new(child(parent, place.index, false)?.to_bytes());
        SecretKey::from_bytes(*bytes).ok_or(DerivationError::NoKey)
    }

    /// What the address at `place` displays.
    ///
    /// # Errors
    /// [`DerivationError`].
    pub fn key_hash(&self, place: KeyPlace) -> Result<KeyHash, DerivationError> {
        Ok(self.key(place)?.public_key().key_hash())
    }

    /// The script that pays to `place`.
    ///
    /// # Errors
    /// [`DerivationError`].
    pub fn script(&self, place: KeyPlace) -> Result<Script, DerivationError> {
        Ok(key_hash_script(&self.key_hash(place)?.0))
    }

    /// How many addresses of `branch` are in use: one more than the last that `is_used` knows before
    /// [`GAP_LIMIT`] in a row that it does not.
    ///
    /// # Errors
    /// [`DerivationError`].
    pub fn used(
        &self,
        branch: Branch,
        mut is_used: impl FnMut(&KeyHash) -> bool,
    ) -> Result<u32, DerivationError> {
        let (mut used, mut index) = (0, 0);
        while index - used < GAP_LIMIT && index < INDEX_END {
            let hash = self.key_hash(KeyPlace { branch, index })?;
            index += 1;
            if is_used(&hash) {
                used = index;
            }
        }
        Ok(used)
    }
}

impl fmt::Debug for Account {
    /// Nothing secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Account(..)")
    }
}

fn child(parent: &XPrv, index: u32, hardened: bool) -> Result<XPrv, DerivationError> {
    let number = ChildNumber::new(index, hardened).map_err(|_| DerivationError::Index(index))?;
    parent.derive_child(number).map_err(|_| DerivationError::NoKey)
}
