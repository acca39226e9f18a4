//! Why a file is refused.

/// Why the header of a GGUF file is refused.
#[derive(Debug, thiserror::Error)]
pub enum GgufError {
    /// The file cannot be read.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// A folder or a device.
    #[error("it is not a regular file")]
    NotAFile,
    /// Another format.
    #[error("it does not begin with the letters GGUF, as model files in that format do")]
    NotGguf,
    /// A version that nobody uses any more, or not yet.
    #[error("version {0} of the format is not supported, only 2 and 3")]
    Version(u32),
    /// The file ends inside the header.
    #[error("the file ends at byte {file_bytes}, within {what} (is it cut off?)")]
    Truncated {
        /// What was being read.
        what: &'static str,
        /// Size of the file.
        file_bytes: u64,
    },
    /// The header is longer than any honest one.
    #[error("the header goes on after {} MiB", super::MAX_HEADER_BYTES >> 20)]
    HeaderTooLong,
    /// A number that no honest file has.
    #[error("{what} is {value}, more than {max}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many.
        value: u64,
        /// Most that are accepted.
        max: u64,
    },
    /// A name that is empty, is not UTF-8 or holds a NUL.
    #[error("{what} is empty, is not UTF-8 or has a NUL in it")]
    Name {
        /// Name of what.
        what: &'static str,
    },
    /// A metadata entry is refused.
    #[error("metadata entry {key:?} {what}")]
    Entry {
        /// Its key.
        key: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A tensor is refused.
    #[error("tensor {name:?} {what}")]
    Tensor {
        /// Its name.
        name: String,
        /// What is wrong with it.
        what: &'static str,
    },
}
