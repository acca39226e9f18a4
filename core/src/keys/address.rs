//! Key hashes and the addresses that display them.

use crate::primitives::sha256d;
use alloc::string::String;
use borsh::{BorshDeserialize, BorshSerialize};
use core::fmt;
use ripemd::Ripemd160;
use sha2::{Digest as _, Sha256};

/// First byte of what an address encodes, the one of Bitcoin's P2PKH addresses.
const VERSION: u8 = 0x00;
/// Version byte, key hash and checksum.
const PAYLOAD_BYTES: usize = 1 + 20 + 4;
/// Base58 digits of the largest payload, under any version byte.
const ADDRESS_CHARS_MAX: usize = 35;

/// RIPEMD-160 of SHA-256 of a compressed public key.
///
/// It displays as its address: Base58 of a version byte, the hash and a checksum, the same text as
/// a Bitcoin P2PKH address.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct KeyHash(pub [u8; 20]);

/// A node is named by the address of its key.
pub type NodeId = KeyHash;

/// Why a text is not an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// A character that is no Base58 digit.
    #[error("the character at byte {index} is no Base58 digit")]
    BadCharacter {
        /// Position of the character in bytes, from 0.
        index: usize,
    },
    /// The text does not stand for 25 bytes.
    #[error("the length is not that of an address")]
    WrongLength,
    /// The last four bytes are not the checksum of the others: a typing error.
    #[error("the checksum does not match")]
    BadChecksum,
    /// A well-formed address of something else.
    #[error("version byte {0} is not that of a key's address")]
    WrongVersion(u8),
}

impl KeyHash {
    /// The hash of a compressed key's 33 bytes.
    pub(super) fn of_key(compressed: &[u8; 33]) -> Self {
        Self(Ripemd160::digest(Sha256::digest(compressed)).into())
    }

    /// The key hash that `address` displays.
    ///
    /// # Errors
    /// [`AddressError`] for a text that no key hash displays as.
    pub fn parse_address(address: &str) -> Result<Self, AddressError> {
        if address.len() > ADDRESS_CHARS_MAX {
            return Err(AddressError::WrongLength);
        }
        let mut payload = [0; PAYLOAD_BYTES];
        let length = bs58::decode(address).onto(&mut payload).map_err(decode_error)?;
        if length != PAYLOAD_BYTES {
            return Err(AddressError::WrongLength);
        }
        let [version, rest @ ..] = payload;
        let (mut hash, mut sum) = ([0; 20], [0; 4]);
        hash.copy_from_slice(&rest[..20]);
        sum.copy_from_slice(&rest[20..]);
        if sum != checksum(version, &hash) {
            return Err(AddressError::BadChecksum);
        }
        if version != VERSION {
            return Err(AddressError::WrongVersion(version));
        }
        Ok(Self(hash))
    }

    fn address(&self) -> String {
        let mut payload = [0; PAYLOAD_BYTES];
        payload[0] = VERSION;
        payload[1..21].copy_from_slice(&self.0);
        payload[21..].copy_from_slice(&checksum(VERSION, &self.0));
        bs58::encode(payload).into_string()
    }
}

fn decode_error(error: bs58::decode::Error) -> AddressError {
    use bs58::decode::Error;
    match error {
        Error::InvalidCharacter { index, .. } | Error::NonAsciiCharacter { index } => {
            AddressError::BadCharacter { index }
        }
        // More bytes than the payload has.
        _ => AddressError::WrongLength,
    }
}

/// The first four bytes of the double SHA-256 of version and hash.
fn checksum(version: u8, hash: &[u8; 20]) -> [u8; 4] {
    let mut bytes = [version; 21];
    bytes[1..].copy_from_slice(hash);
    let [a, b, c, d, ..] = sha256d(&bytes).0;
    [a, b, c, d]
}

impl fmt::Display for KeyHash {
    /// The address; `{:.N}` prints its first N characters.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.address())
    }
}

impl fmt::Debug for KeyHash {
    /// The first eight characters of the address: enough to tell nodes apart in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:.8}")
    }
}
