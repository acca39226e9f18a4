//! The header of a GGUF file, read without trusting it.
//!
//! A model file comes from a stranger, and ggml's own reader ends the process on some inputs. This
//! one is safe Rust: every length is compared with what is left of the file before anything is
//! allocated, and no input makes it panic. It refuses all that ggml refuses or that ggml could
//! misread; what it accepts may still be nonsense as a model (see [`crate::trial`]).
//!
//! Format: <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>, versions 2 and 3.

mod error;
mod reader;
mod tensor;
mod value;

use reader::Reader;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

pub use error::GgufError;
pub use tensor::{Tensor, TensorType};
pub use value::{Value, ValueKind};

/// Most bytes of a header. Vocabularies of 256,000 tokens take about 10 MB.
pub const MAX_HEADER_BYTES: u64 = 64 << 20;
/// Most metadata entries.
pub const MAX_ENTRIES: u64 = 4_096;
/// Most tensors.
pub const MAX_TENSORS: u64 = 65_536;
/// Longest key in bytes (the format's own limit).
pub const MAX_KEY_BYTES: u64 = 65_535;

const MAGIC: [u8; 4] = *b"GGUF";
const ALIGNMENT_KEY: &str = "general.alignment";
const DEFAULT_ALIGNMENT: u64 = 32;
/// The largest alignment accepted, a large page.
const MAX_ALIGNMENT: u64 = 2 << 20;

/// What a GGUF file says about itself. Everything in it lies within the file.
#[derive(Clone, Debug)]
pub struct Header {
    /// Version of the format.
    pub version: u32,
    /// Metadata by key.
    pub metadata: BTreeMap<String, Value>,
    /// Tensors in the order of their data.
    pub tensors: Vec<Tensor>,
    /// Where the tensors' data begins, in bytes from the start of the file.
    pub data_offset: u64,
    /// Size of the file in bytes.
    pub file_bytes: u64,
}

impl Header {
    /// Reads the header of the file at `path`.
    ///
    /// # Errors
    /// [`GgufError`] when the file cannot be read or its header is refused.
    pub fn read(path: &Path) -> Result<Self, GgufError> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(GgufError::NotAFile);
        }
        Self::parse(BufReader::with_capacity(1 << 16, file), metadata.len())
    }

    /// Reads the header from the beginning of a file of `file_bytes` bytes.
    ///
    /// # Errors
    /// [`GgufError`] when `source` fails or what it yields is refused.
    pub fn parse(source: impl Read, file_bytes: u64) -> Result<Self, GgufError> {
        let mut reader = Reader::new(source, file_bytes.min(MAX_HEADER_BYTES), file_bytes);
        if file_bytes < 4 || reader.array::<4>("magic")? != MAGIC {
            return Err(GgufError::NotGguf);
        }
        let version = reader.u32("version")?;
        if !(2..=3).contains(&version) {
            return Err(GgufError::Version(version));
        }
        let tensors = reader.count("number of tensors", MAX_TENSORS)?;
        let entries = reader.count("number of metadata entries", MAX_ENTRIES)?;
        let metadata = read_metadata(&mut reader, entries)?;
        let alignment = alignment(&metadata)?;
        let tensors = (0..tensors)
            .map(|_| Tensor::read(&mut reader))
            .collect::<Result<Vec<_>, _>>()?;
        let header = Self {
            version,
            metadata,
            tensors,
            data_offset: reader.position().next_multiple_of(alignment),
            file_bytes,
        };
        header.check_layout(alignment)?;
        Ok(header)
    }

    /// Do the tensors lie in the file one behind the other, each at the next multiple of the
    /// alignment, with names of their own?
    fn check_layout(&self, alignment: u64) -> Result<(), GgufError> {
        let mut names = BTreeSet::new();
        let mut next = 0_u64;
        for tensor in &self.tensors {
            let refuse = |what| GgufError::Tensor {
                name: tensor.name.clone(),
                what,
            };
            if !names.insert(&tensor.name) {
                return Err(refuse("appears twice"));
            }
            if tensor.offset != next {
                return Err(refuse("does not begin where the one before it ends"));
            }
            let end = next.checked_add(tensor.bytes).filter(|end| {
                let in_file = self.data_offset.checked_add(*end);
                in_file.is_some_and(|end| end <= self.file_bytes)
            });
            next = end
                .and_then(|end| end.checked_next_multiple_of(alignment))
                .ok_or_else(|| refuse("reaches beyond the end of the file (is it cut off?)"))?;
        }
        Ok(())
    }

    /// The metadata under `key`.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.metadata.get(key)
    }

    /// The architecture, such as `llama`.
    pub fn architecture(&self) -> Option<&str> {
        self.get("general.architecture")?.as_str()
    }

    /// The metadata under `ARCHITECTURE.key`, such as `context_length`.
    pub fn of_architecture(&self, key: &str) -> Option<&Value> {
        self.get(&format!("{}.{key}", self.architecture()?))
    }

    /// Numbers in all tensors together.
    pub fn parameters(&self) -> u64 {
        self.tensors
            .iter()
            .fold(0, |sum, tensor| sum.saturating_add(tensor.elements))
    }
}

fn read_metadata<R: Read>(
    reader: &mut Reader<R>,
    entries: u64,
) -> Result<BTreeMap<String, Value>, GgufError> {
    let mut metadata = BTreeMap::new();
    for _ in 0..entries {
        let key = reader.name("a key", MAX_KEY_BYTES)?;
        let value = Value::read(reader, &key)?;
        if metadata.insert(key.clone(), value).is_some() {
            return Err(GgufError::Entry {
                key,
                what: "appears twice",
            });
        }
    }
    Ok(metadata)
}

fn alignment(metadata: &BTreeMap<String, Value>) -> Result<u64, GgufError> {
    let Some(value) = metadata.get(ALIGNMENT_KEY) else {
        return Ok(DEFAULT_ALIGNMENT);
    };
    let alignment = match value.kind {
        ValueKind::U32 => value.as_u64(),
        _ => None,
    };
    alignment
        .filter(|alignment| alignment.is_power_of_two() && *alignment <= MAX_ALIGNMENT)
        .ok_or_else(|| GgufError::Entry {
            key: ALIGNMENT_KEY.into(),
            what: "is not a power of two of at most 2 MiB",
        })
}
