//! Signatures.

use super::write_hex;
use borsh::{BorshDeserialize, BorshSerialize};
use core::fmt;

/// An ECDSA signature as 64 bytes, `r ‖ s`, each a big-endian number (IEEE P1363).
///
/// Any bytes can stand here; [`PublicKey::verify`](super::PublicKey::verify) judges them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct Signature(pub [u8; 64]);

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}
