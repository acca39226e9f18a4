//! Metadata values.

use super::GgufError;
use super::reader::Reader;
use std::io::Read;

/// What a metadata value is made of; an array's elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
#[allow(missing_docs)] // named after what they are
pub enum ValueKind {
    U8 = 0,
    I8 = 1,
    U16 = 2,
    I16 = 3,
    U32 = 4,
    I32 = 5,
    F32 = 6,
    Bool = 7,
    String = 8,
    U64 = 10,
    I64 = 11,
    F64 = 12,
}

/// The format's number for an array; its elements' kind follows.
const ARRAY: u32 = 9;
/// The bytes of a string's length.
const LENGTH_BYTES: u64 = 8;

/// A metadata value as it stands in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// What it, or each of its elements, is.
    pub kind: ValueKind,
    /// The number of elements when it is an array.
    pub array: Option<u64>,
    /// The value, or the elements one behind the other, little-endian; before each string stands
    /// its length in eight bytes.
    pub bytes: Vec<u8>,
}

impl ValueKind {
    const ALL: [Self; 12] = [
        Self::U8,
        Self::I8,
        Self::U16,
        Self::I16,
        Self::U32,
        Self::I32,
        Self::F32,
        Self::Bool,
        Self::String,
        Self::U64,
        Self::I64,
        Self::F64,
    ];

    fn from_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u32 == number)
    }

    /// Bytes of one value; of a string, the least.
    fn bytes(self) -> u64 {
        match self {
            Self::U8 | Self::I8 | Self::Bool => 1,
            Self::U16 | Self::I16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::U64 | Self::I64 | Self::F64 => 8,
            Self::String => LENGTH_BYTES,
        }
    }
}

impl Value {
    /// Reads the value of the entry `key`.
    pub(super) fn read<R: Read>(reader: &mut Reader<R>, key: &str) -> Result<Self, GgufError> {
        let refuse = |what| GgufError::Entry {
            key: key.to_owned(),
            what,
        };
        let number = reader.u32("the type of a metadata entry")?;
        let (number, array) = match number {
            ARRAY => {
                let number = reader.u32("the type of an array")?;
                (number, Some(reader.u64("the length of an array")?))
            }
            number => (number, None),
        };
        let kind = ValueKind::from_number(number)
            .ok_or_else(|| refuse("has a type that the format does not know, or nested arrays"))?;
        let count = array.unwrap_or(1);
        let least = count
            .checked_mul(kind.bytes())
            .ok_or_else(|| refuse("is an array longer than any file"))?;
        let bytes = match kind {
            ValueKind::String => {
                reader.reserve(least, "an array of strings")?;
                read_strings(reader, count)?
            }
            _ => reader.bytes(least, "a metadata value")?,
        };
        if kind == ValueKind::Bool && bytes.iter().any(|byte| *byte > 1) {
            return Err(refuse("is neither true nor false"));
        }
        Ok(Self { kind, array, bytes })
    }

    /// A non-negative whole number.
    pub fn as_u64(&self) -> Option<u64> {
        let number = match self.kind {
            ValueKind::U8 | ValueKind::U16 | ValueKind::U32 | ValueKind::U64 => self.scalar()?,
            ValueKind::I8 => i64::from(self.scalar()?.to_le_bytes()[0].cast_signed())
                .try_into()
                .ok()?,
            ValueKind::I16 => i16::from_le_bytes(self.fixed()?).try_into().ok()?,
            ValueKind::I32 => i32::from_le_bytes(self.fixed()?).try_into().ok()?,
            ValueKind::I64 => i64::from_le_bytes(self.fixed()?).try_into().ok()?,
            _ => return None,
        };
        Some(number)
    }

    /// A text in UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        match (self.kind, self.array) {
            (ValueKind::String, None) => std::str::from_utf8(self.bytes.get(8..)?).ok(),
            _ => None,
        }
    }

    /// Elements of an array, 1 otherwise.
    pub fn count(&self) -> u64 {
        self.array.unwrap_or(1)
    }

    fn scalar(&self) -> Option<u64> {
        if self.array.is_some() {
            return None;
        }
        let mut number = [0; 8];
        number.get_mut(..self.bytes.len())?.copy_from_slice(&self.bytes);
        Some(u64::from_le_bytes(number))
    }

    fn fixed<const N: usize>(&self) -> Option<[u8; N]> {
        match self.array {
            Some(_) => None,
            None => self.bytes.as_slice().try_into().ok(),
        }
    }
}

/// `count` strings with their lengths; each is within the file before there is memory for it.
fn read_strings<R: Read>(reader: &mut Reader<R>, count: u64) -> Result<Vec<u8>, GgufError> {
    let mut all = Vec::new();
    for _ in 0..count {
        let length = reader.u64("the length of a string")?;
        all.extend_from_slice(&length.to_le_bytes());
        all.extend(reader.bytes(length, "a string")?);
    }
    Ok(all)
}

impl std::fmt::Display for Value {
    /// The value; of arrays and long texts, how long they are.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const LONGEST: usize = 80;
        if let Some(count) = self.array {
            return write!(f, "[{count} of {:?}]", self.kind);
        }
        if let Some(number) = self.as_u64() {
            return write!(f, "{number}");
        }
        match self.kind {
            ValueKind::String => match self.as_str() {
                Some(text) if text.chars().count() <= LONGEST => write!(f, "{text:?}"),
                Some(text) => write!(f, "[text of {} bytes]", text.len()),
                None => write!(f, "[{} bytes]", self.bytes.len().saturating_sub(8)),
            },
            ValueKind::Bool => write!(f, "{}", self.bytes == [1]),
            ValueKind::F32 => write!(f, "{}", f32::from_le_bytes(self.fixed().unwrap_or_default())),
            ValueKind::F64 => write!(f, "{}", f64::from_le_bytes(self.fixed().unwrap_or_default())),
            ValueKind::I8 | ValueKind::I16 | ValueKind::I32 | ValueKind::I64 => {
                // Sign extension from the last byte.
                let negative = self.bytes.last().is_some_and(|byte| *byte >= 0x80);
                let mut bytes = [if negative { 0xff } else { 0 }; 8];
                for (to, from) in bytes.iter_mut().zip(&self.bytes) {
                    *to = *from;
                }
                write!(f, "{}", i64::from_le_bytes(bytes))
            }
            _ => Ok(()),
        }
    }
}
