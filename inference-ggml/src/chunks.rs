//! The name of a file: the root over its chunks.

use camelid_core::primitives::{Hash256, MerkleTree};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Bytes of a chunk; the last one may be shorter.
pub const CHUNK_BYTES: usize = 1 << 20;

/// A file's chunks, taken together (paper, section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunks {
    /// Merkle root over the chunks (RFC 6962).
    pub root: Hash256,
    /// How many there are.
    pub count: u32,
    /// Size of the file in bytes.
    pub bytes: u64,
}

/// The chunks of the file at `path`.
///
/// # Errors
/// When the file cannot be read or has more chunks than can be counted.
pub fn read_chunks(path: &Path) -> io::Result<Chunks> {
    let mut file = File::open(path)?;
    let (mut bytes, mut count, mut failure) = (0_u64, 0_u32, None);
    let tree = MerkleTree::new(std::iter::from_fn(|| {
        let mut chunk = Vec::with_capacity(CHUNK_BYTES);
        match Read::by_ref(&mut file)
            .take(CHUNK_BYTES as u64)
            .read_to_end(&mut chunk)
        {
            Ok(0) => return None,
            Ok(read) => bytes += read as u64,
            Err(error) => {
                failure = Some(error);
                return None;
            }
        }
        let Some(next) = count.checked_add(1) else {
            failure = Some(io::ErrorKind::FileTooLarge.into());
            return None;
        };
        count = next;
        Some(chunk)
    }));
    match failure {
        Some(error) => Err(error),
        None => Ok(Chunks {
            root: tree.root(),
            count,
            bytes,
        }),
    }
}
