//! Short text with a bound.

use crate::primitives::BoundedVec;
use borsh::io::{Error, ErrorKind, Read};
use borsh::{BorshDeserialize, BorshSerialize};
use core::fmt;

/// UTF-8 text of at most `MAX` bytes.
#[derive(Clone, Default, PartialEq, Eq, BorshSerialize)]
pub struct Text<const MAX: usize>(BoundedVec<u8, MAX>);

impl<const MAX: usize> Text<MAX> {
    /// As much of `text` as fits, cut between characters.
    pub fn truncated(text: &str) -> Self {
        let mut end = text.len().min(MAX);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let kept = text.as_bytes().get(..end).unwrap_or_default().to_vec();
        Self(BoundedVec::from_vec(kept).unwrap_or_default())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        // Both ways to build a `Text` see to it that it is UTF-8.
        core::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl<const MAX: usize> fmt::Display for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl<const MAX: usize> fmt::Debug for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl<const MAX: usize> BorshDeserialize for Text<MAX> {
    fn deserialize_reader<R: Read>(reader: &mut R) -> borsh::io::Result<Self> {
        let bytes = BoundedVec::deserialize_reader(reader)?;
        match core::str::from_utf8(&bytes) {
            Ok(_) => Ok(Self(bytes)),
            Err(_) => Err(Error::new(ErrorKind::InvalidData, "text is not UTF-8")),
        }
    }
}
