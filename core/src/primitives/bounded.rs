//! Canonical encoding with a bound on every length, checked before anything is allocated.

use alloc::string::String;
use alloc::vec::Vec;
use borsh::io::{Error, ErrorKind, Read};
use borsh::{BorshDeserialize, BorshSerialize};
use core::fmt;
use core::ops::Deref;

/// Why bytes are not the canonical encoding of a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The input is longer than the type allows.
    #[error("{length} bytes, at most {limit} are allowed")]
    TooLong {
        /// Bytes given.
        length: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// The input is not a canonical encoding.
    #[error("malformed encoding: {0}")]
    Malformed(String),
}

/// Most of what is encoded fits into this; an encoding is not grown from nothing byte by byte.
const USUAL_BYTES: usize = 256;

/// Elements of one byte that are read at once.
const PIECE: usize = 4_096;

/// The canonical (borsh) encoding of `value`.
pub fn encode<T: BorshSerialize + ?Sized>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(USUAL_BYTES);
    // Writing into a `Vec` cannot fail, and no type of ours refuses to be written.
    value
        .serialize(&mut bytes)
        .expect("encoding into memory cannot fail");
    bytes
}

/// Decodes exactly one value from at most `limit` bytes: nothing may follow it.
///
/// # Errors
/// [`DecodeError`] when the input is too long, short, has trailing bytes or is not canonical.
pub fn decode<T: BorshDeserialize>(bytes: &[u8], limit: usize) -> Result<T, DecodeError> {
    if bytes.len() > limit {
        return Err(DecodeError::TooLong {
            length: bytes.len(),
            limit,
        });
    }
    borsh::from_slice(bytes).map_err(|error| DecodeError::Malformed(alloc::format!("{error}")))
}

/// A `Vec` of at most `MAX` elements. Decoding reads the length first and refuses a longer one
/// before it allocates.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize)]
pub struct BoundedVec<T, const MAX: usize>(Vec<T>);

impl<T, const MAX: usize> BoundedVec<T, MAX> {
    /// The empty list.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// `items` if there are at most `MAX`.
    pub fn from_vec(items: Vec<T>) -> Option<Self> {
        (items.len() <= MAX).then_some(Self(items))
    }

    /// The elements as a plain `Vec`.
    pub fn into_vec(self) -> Vec<T> {
        self.0
    }

    /// The elements, writable in place (their number stays).
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        &mut self.0
    }
}

impl<T, const MAX: usize> Default for BoundedVec<T, MAX> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T, const MAX: usize> Deref for BoundedVec<T, MAX> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T: fmt::Debug, const MAX: usize> fmt::Debug for BoundedVec<T, MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T: BorshDeserialize, const MAX: usize> BorshDeserialize for BoundedVec<T, MAX> {
    fn deserialize_reader<R: Read>(reader: &mut R) -> borsh::io::Result<Self> {
        let length = u32::deserialize_reader(reader)? as usize;
        if length > MAX {
            return Err(Error::new(ErrorKind::InvalidData, "list longer than its bound"));
        }
        // A claimed length is not a promise: reserve little and let the bytes that arrive pay for more.
        if size_of::<T>() == 1 {
            return read_pieces(length, reader).map(Self);
        }
        let mut items = Vec::with_capacity(length.min(1024 / size_of::<T>().max(1)));
        for _ in 0..length {
            items.push(T::deserialize_reader(reader)?);
        }
        Ok(Self(items))
    }
}

/// Reads `length` elements, of which a piece at a time is reserved. Borsh reads a piece of bytes as a
/// whole, which is many times faster than one by one.
fn read_pieces<T: BorshDeserialize>(length: usize, reader: &mut dyn Read) -> borsh::io::Result<Vec<T>> {
    let mut items = Vec::new();
    while items.len() < length {
        let piece = (length - items.len()).min(PIECE);
        let prefix = u32::try_from(piece).unwrap_or(u32::MAX).to_le_bytes();
        let mut prefixed = Prefixed {
            prefix: &prefix,
            rest: &mut *reader,
        };
        let mut piece = Vec::deserialize_reader(&mut prefixed)?;
        if items.is_empty() {
            items = piece;
        } else {
            items.append(&mut piece);
        }
    }
    Ok(items)
}

/// Bytes that stand in front of others.
struct Prefixed<'a> {
    prefix: &'a [u8],
    rest: &'a mut dyn Read,
}

impl Read for Prefixed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> borsh::io::Result<usize> {
        if self.prefix.is_empty() {
            return self.rest.read(buffer);
        }
        self.prefix.read(buffer)
    }
}
