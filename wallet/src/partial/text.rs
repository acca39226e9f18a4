//! Partially signed transactions as text that people can pass on.

use super::{MAX_PARTIAL_BYTES, Partial, PartialError};
use base64ct::{Base64, Encoding};
use std::fmt::Write;

impl Partial {
    /// In Base64 (RFC 4648). It begins with `Q1BTV`.
    pub fn to_base64(&self) -> String {
        Base64::encode_string(&self.to_bytes())
    }

    /// In hexadecimal digits. It begins with `43505354`.
    pub fn to_hex(&self) -> String {
        let bytes = self.to_bytes();
        bytes
            .iter()
            .fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
                // Writing to a string cannot fail.
                let _ = write!(text, "{byte:02x}");
                text
            })
    }

    /// Reads either form; white space in it, as mail programs add it, does not matter.
    ///
    /// # Errors
    /// [`PartialError`].
    pub fn parse(text: &str) -> Result<Self, PartialError> {
        if text.len() > 3 * MAX_PARTIAL_BYTES {
            return Err(PartialError::NotAPartial);
        }
        let text: String = text.split_whitespace().collect();
        let bytes = from_hex(&text).or_else(|| Base64::decode_vec(&text).ok());
        Self::from_bytes(&bytes.ok_or(PartialError::NotAPartial)?)
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> = text
        .chars()
        .map(|digit| digit.to_digit(16))
        .collect::<Option<_>>()?;
    let (pairs, []) = digits.as_chunks::<2>() else {
        return None;
    };
    pairs
        .iter()
        .map(|[high, low]| u8::try_from(high * 16 + low).ok())
        .collect()
}
