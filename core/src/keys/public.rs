//! Public keys.

use super::address::KeyHash;
use super::signature::Signature;
use super::write_hex;
use crate::primitives::Hash256;
use borsh::io::{Error, ErrorKind, Read};
use borsh::{BorshDeserialize, BorshSerialize};
use core::fmt;
use k256::ProjectivePoint;
use k256::ecdsa::VerifyingKey;
use k256::ecdsa::signature::hazmat::PrehashVerifier as _;
use k256::elliptic_curve::sec1::ToSec1Point as _;

/// A compressed secp256k1 point as it travels: 0x02 or 0x03 and 32 bytes of x (SEC 1, section 2.3.3).
///
/// Only about half of all x belong to a point, and finding out costs a square root. It is left to
/// those who use the key, so that a block full of keys decodes cheaply: a key off the curve verifies
/// no signature.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize)]
pub struct PublicKey([u8; 33]);

impl PublicKey {
    /// The key with these bytes, or `None` when the first is neither 0x02 nor 0x03.
    pub fn from_bytes(bytes: [u8; 33]) -> Option<Self> {
        matches!(bytes[0], 0x02 | 0x03).then_some(Self(bytes))
    }

    /// The 33 bytes.
    pub fn as_bytes(&self) -> &[u8; 33] {
        &self.0
    }

    /// True when x is the canonical coordinate of a point.
    pub fn is_on_curve(&self) -> bool {
        self.point().is_some()
    }

    /// What an address displays.
    pub fn key_hash(&self) -> KeyHash {
        KeyHash::of_key(&self.0)
    }

    /// True when `signature` is this key's for `digest`, with s in the lower half of its range (so
    /// that nobody can turn a signature into another one; BIP 62, rule 5).
    pub fn verify(&self, digest: &Hash256, signature: &Signature) -> bool {
        let Ok(key) = VerifyingKey::from_sec1_bytes(&self.0) else {
            return false;
        };
        // Refuses r and s outside 1..n; `verify_prehash` refuses a high s.
        let Ok(signature) = k256::ecdsa::Signature::from_slice(&signature.0) else {
            return false;
        };
        key.verify_prehash(&digest.0, &signature).is_ok()
    }

    /// The point, which is never the one at infinity, or `None` off the curve.
    pub(super) fn point(&self) -> Option<ProjectivePoint> {
        let key = k256::PublicKey::from_sec1_bytes(&self.0).ok()?;
        Some(key.to_projective())
    }

    /// The key of a point, or `None` at infinity, which has no compressed form.
    pub(super) fn from_point(point: &ProjectivePoint) -> Option<Self> {
        let encoded = point.to_affine().to_sec1_point(true);
        Self::from_bytes(encoded.as_bytes().try_into().ok()?)
    }
}

impl fmt::Display for PublicKey {
    /// 66 hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl BorshDeserialize for PublicKey {
    fn deserialize_reader<R: Read>(reader: &mut R) -> borsh::io::Result<Self> {
        Self::from_bytes(<[u8; 33]>::deserialize_reader(reader)?)
            .ok_or_else(|| Error::new(ErrorKind::InvalidData, "not a compressed key"))
    }
}
