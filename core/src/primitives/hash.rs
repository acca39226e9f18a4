//! 256-bit hashes and the names they go by.

use borsh::io::Write;
use borsh::{BorshDeserialize, BorshSerialize};
use core::fmt;
use sha2::{Digest as _, Sha256};

macro_rules! hash_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
        pub struct $name(pub [u8; 32]);

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl AsRef<[u8]> for $name {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }
    };
}

macro_rules! display_forward {
    ($($name:ident),+) => { $(
        impl fmt::Display for $name {
            /// 64 hexadecimal digits in byte order; `{:.N}` prints the first N.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_hex(f, self.0.iter())
            }
        }
    )+ };
}

hash_type!(
    /// A SHA-256 hash without a narrower meaning.
    Hash256
);
hash_type!(
    /// Fingerprint of a state: equal states have equal digests.
    Digest
);
hash_type!(
    /// Transaction id: everything but the `script_sig`s.
    Txid
);
hash_type!(
    /// Transaction id that covers the `script_sig`s; what a block's Merkle root commits to.
    Wtxid
);
hash_type!(
    /// Double SHA-256 of a block header, displayed as Bitcoin does: reversed, so that work shows as leading zeros.
    BlockHash
);
hash_type!(
    /// Names a job on its network for ever.
    JobId
);
hash_type!(
    /// Hash of a model's manifest.
    ModelId
);
hash_type!(
    /// A compute node's salted commitment to an output.
    Commitment
);
display_forward!(Hash256, Digest, Txid, Wtxid, JobId, ModelId, Commitment);

impl fmt::Display for BlockHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, self.0.iter().rev())
    }
}

fn write_hex<'a>(f: &mut fmt::Formatter<'_>, bytes: impl Iterator<Item = &'a u8>) -> fmt::Result {
    let digits = f.precision().unwrap_or(64);
    for byte in bytes.take(digits.div_ceil(2)) {
        write!(f, "{byte:02x}")?;
    }
    Ok(())
}

impl Hash256 {
    /// The first eight bytes as a little-endian number.
    pub fn to_u64(&self) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        u64::from_le_bytes([a, b, c, d, e, f, g, h])
    }
}

/// SHA-256 of `bytes`.
pub fn sha256(bytes: &[u8]) -> Hash256 {
    Hash256(Sha256::digest(bytes).into())
}

/// SHA-256 of SHA-256 of `bytes`.
pub fn sha256d(bytes: &[u8]) -> Hash256 {
    Hash256(Sha256::digest(Sha256::digest(bytes)).into())
}

/// SHA-256 of the domain `tag` (with its length) followed by the canonical encoding of `fields`.
///
/// Every hash of ours that is not Bitcoin's goes through here, each use with a tag of its own, so
/// that no two uses can be given one another's preimages (`docs/src/protocol.md`, "Hashes").
pub fn tagged_hash<T: BorshSerialize + ?Sized>(tag: &str, fields: &T) -> Hash256 {
    let mut writer = HashWriter(Sha256::new());
    tag.serialize(&mut writer).expect("hashing cannot fail");
    fields.serialize(&mut writer).expect("hashing cannot fail");
    Hash256(writer.0.finalize().into())
}

struct HashWriter(Sha256);

impl Write for HashWriter {
    fn write(&mut self, bytes: &[u8]) -> borsh::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> borsh::io::Result<()> {
        Ok(())
    }
}
