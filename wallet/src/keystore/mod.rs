//! The file that keeps a wallet: its words and how many addresses it has given out, encrypted under a
//! password.
//!
//! ```text
//! "CAMELIDW" ‖ version u16 ‖ memory KiB u32 ‖ passes u32 ‖ lanes u32 ‖ salt 16 ‖ nonce 24 ‖ ciphertext
//! ```
//!
//! Numbers are little-endian. The key is Argon2id (RFC 9106) of the password, the cipher
//! XChaCha20-Poly1305, and all that stands before the ciphertext is its associated data: a file with a
//! bit changed does not open. Salt and nonce are drawn anew each time.

mod cipher;
mod file;

pub use cipher::{Cost, KeystoreError, open, seal};
pub use file::{FileError, create, read, replace};

use crate::mnemonic::Mnemonic;
use borsh::{BorshDeserialize, BorshSerialize};
use camelid_core::primitives::{BoundedVec, decode};
use zeroize::Zeroizing;

/// Largest plaintext, in bytes.
const MAX_SECRET_BYTES: usize = 256;

/// What a keystore keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secrets {
    /// The words.
    pub mnemonic: Mnemonic,
    /// Addresses given out to be paid at.
    pub receive: u32,
    /// Addresses used for change.
    pub change: u32,
}

/// [`Secrets`] as they are encoded.
#[derive(BorshSerialize, BorshDeserialize)]
struct Plaintext {
    entropy: BoundedVec<u8, 32>,
    receive: u32,
    change: u32,
}

impl Secrets {
    fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        // One buffer of the final size: growing would leave copies behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_SECRET_BYTES));
        let entropy = self.mnemonic.entropy();
        // Writing into memory cannot fail.
        let _ = (&entropy[..], self.receive, self.change).serialize(&mut *bytes);
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let plaintext: Plaintext = decode(bytes, MAX_SECRET_BYTES).ok()?;
        let entropy = Zeroizing::new(plaintext.entropy.into_vec());
        Some(Self {
            mnemonic: Mnemonic::from_entropy(&entropy).ok()?,
            receive: plaintext.receive,
            change: plaintext.change,
        })
    }
}
