//! The format, in memory.

use super::{MAX_SECRET_BYTES, Secrets};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use borsh::{BorshDeserialize, BorshSerialize};
use camelid_core::primitives::{decode, encode};
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305};
use zeroize::{Zeroize, Zeroizing};

const MAGIC: [u8; 8] = *b"CAMELIDW";
const VERSION: u16 = 1;
/// Poly1305's authenticator.
const TAG_BYTES: usize = 16;
/// Largest keystore, in bytes.
pub(super) const MAX_BYTES: usize = Header::BYTES + MAX_SECRET_BYTES + TAG_BYTES;

/// What it costs to try one password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Cost {
    /// Memory, in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
    /// Lanes, which could be computed at a time.
    pub lanes: u32,
}

impl Cost {
    /// RFC 9106's second recommendation: 64 MiB, some tenths of a second.
    pub const RECOMMENDED: Self = Self {
        memory_kib: 64 * 1024,
        passes: 3,
        lanes: 4,
    };
    /// The most that a file may ask for: a hostile one takes 256 MiB and some seconds.
    pub const MOST: Self = Self {
        memory_kib: 256 * 1024,
        passes: 16,
        lanes: 16,
    };

    fn is_bounded(&self) -> bool {
        let most = Self::MOST;
        self.memory_kib <= most.memory_kib && self.passes <= most.passes && self.lanes <= most.lanes
    }
}

/// Why a keystore does not open, or cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeystoreError {
    /// It is something else.
    #[error("this is not a wallet file")]
    NotAKeystore,
    /// It was made by an older program, by a format that is no longer read.
    #[error("the wallet file has format {found}, older than any that this program reads ({oldest})")]
    TooOld {
        /// Its version.
        found: u16,
        /// The oldest that can be read.
        oldest: u16,
    },
    /// It was made by a newer program.
    #[error("the wallet file has format {found}, newer than this program knows ({newest}): use a newer one")]
    TooNew {
        /// Its version.
        found: u16,
        /// The newest that can be read.
        newest: u16,
    },
    /// It ends early, or goes on for too long.
    #[error("the wallet file is damaged: its length cannot be right")]
    Length,
    /// It asks for more memory or time than is reasonable, or for none.
    #[error("the wallet file asks for {} KiB, {} passes and {} lanes of Argon2id, which is out of bounds",
        .0.memory_kib, .0.passes, .0.lanes)]
    Cost(Cost),
    /// The password is wrong, or the file was changed: the cipher cannot tell which.
    #[error("wrong password, or a damaged wallet file")]
    WrongPassword,
    /// The password is right, and what it protects makes no sense.
    #[error("the wallet file opens, and holds no wallet")]
    Contents,
    /// The operating system gave no randomness, or too little memory.
    #[error("the operating system refused: {0}")]
    System(String),
}

#[derive(BorshSerialize, BorshDeserialize)]
struct Header {
    magic: [u8; 8],
    version: u16,
    cost: Cost,
    salt: [u8; 16],
    nonce: [u8; 24],
}

impl Header {
    const BYTES: usize = 8 + 2 + 12 + 16 + 24;
}

/// Encrypts `secrets` under `password`.
///
/// # Errors
/// [`KeystoreError::Cost`] and [`KeystoreError::System`].
pub fn seal(secrets: &Secrets, password: &[u8], cost: Cost) -> Result<Vec<u8>, KeystoreError> {
    let mut header = Header {
        magic: MAGIC,
        version: VERSION,
        cost,
        salt: [0; 16],
        nonce: [0; 24],
    };
    for random in [&mut header.salt[..], &mut header.nonce[..]] {
        getrandom::fill(random).map_err(|error| KeystoreError::System(error.to_string()))?;
    }
    let cipher = cipher(&header, password)?;
    let mut bytes = encode(&header);
    let payload = Payload {
        msg: &secrets.to_bytes(),
        aad: &bytes,
    };
    let ciphertext = cipher
        .encrypt(&header.nonce.into(), payload)
        .map_err(|_| KeystoreError::Length)?;
    bytes.extend(ciphertext);
    Ok(bytes)
}

/// Decrypts what [`seal`] made. Bounds are checked before memory is taken.
///
/// # Errors
/// [`KeystoreError`].
pub fn open(bytes: &[u8], password: &[u8]) -> Result<Secrets, KeystoreError> {
    let version = version_of(bytes).ok_or(KeystoreError::NotAKeystore)?;
    match version {
        0 => {
            return Err(KeystoreError::TooOld {
                found: version,
                oldest: VERSION,
            });
        }
        VERSION => {}
        _ => {
            return Err(KeystoreError::TooNew {
                found: version,
                newest: VERSION,
            });
        }
    }
    if bytes.len() > MAX_BYTES {
        return Err(KeystoreError::Length);
    }
    let (head, ciphertext) = bytes
        .split_at_checked(Header::BYTES)
        .ok_or(KeystoreError::Length)?;
    let header: Header = decode(head, Header::BYTES).map_err(|_| KeystoreError::Length)?;
    let cipher = cipher(&header, password)?;
    let payload = Payload {
        msg: ciphertext,
        aad: head,
    };
    let plaintext = cipher
        .decrypt(&header.nonce.into(), payload)
        .map(Zeroizing::new)
        .map_err(|_| KeystoreError::WrongPassword)?;
    Secrets::from_bytes(&plaintext).ok_or(KeystoreError::Contents)
}

fn version_of(bytes: &[u8]) -> Option<u16> {
    let version = bytes.strip_prefix(&MAGIC)?.first_chunk::<2>()?;
    Some(u16::from_le_bytes(*version))
}

/// The cipher under the key that Argon2id makes of `password`.
fn cipher(header: &Header, password: &[u8]) -> Result<XChaCha20Poly1305, KeystoreError> {
    let cost = header.cost;
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(32))
        .ok()
        .filter(|_| cost.is_bounded())
        .ok_or(KeystoreError::Cost(cost))?;
    let mut memory = Memory::new(params.block_count())?;
    let mut key = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into_with_memory(password, &header.salt, &mut key[..], &mut memory.0)
        .map_err(|error| KeystoreError::System(error.to_string()))?;
    Ok(XChaCha20Poly1305::new((&*key).into()))
}

/// Argon2's working memory, which holds traces of the password.
struct Memory(Vec<Block>);

impl Memory {
    fn new(blocks: usize) -> Result<Self, KeystoreError> {
        let mut memory = Vec::new();
        memory
            .try_reserve_exact(blocks)
            .map_err(|error| KeystoreError::System(error.to_string()))?;
        memory.resize(blocks, Block::new());
        Ok(Self(memory))
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}
