//! From a model's name to the model.

use super::store::Store;
use crate::exit::Failure;
use crate::ggml::{engine_failure, try_file};
use camelid_core::primitives::{Hash256, MerkleTree};
use camelid_inference_ggml::{CHUNK_BYTES, EMBEDDED, Engine, Shape};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use tempfile::{NamedTempFile, TempPath};

/// What the model in this program is called.
pub const EMBEDDED_NAME: &str = "embedded";
/// Fewest digits of a root that are taken for one.
const LEAST_DIGITS: usize = 8;

/// A model's file, to be loaded or copied.
pub struct Source {
    /// Where it is.
    pub path: PathBuf,
    /// Deletes the file when this is dropped, if it was only made to be loaded.
    _temporary: Option<TempPath>,
}

/// Finds the model called `name`: `embedded`, a file, or the root of a model in the store or its first
/// eight digits or more. What comes from outside has been loaded in a process of its own, and survived.
///
/// # Errors
/// [`Failure::Load`] when there is none, or the file is no model.
fn find(name: &str, store: &Store) -> Result<Source, Failure> {
    if name == EMBEDDED_NAME || parse_hash(name) == Some(embedded_root()) {
        return embedded();
    }
    let path = Path::new(name);
    if path.exists() || !is_root(name) {
        return outside(path);
    }
    Ok(Source {
        path: store.file(name)?,
        _temporary: None,
    })
}

/// [`find`] with the user's store.
///
/// # Errors
/// As [`find`].
pub fn find_model(name: &str) -> Result<Source, Failure> {
    find(name, &Store::default_place()?)
}

/// The model called `name`, loaded and tested.
///
/// # Errors
/// As [`find`], and when the model cannot be run.
pub fn open(name: &str) -> Result<Engine, Failure> {
    load(&find_model(name)?.path)
}

/// The model in a file that is known to be one, tested.
///
/// # Errors
/// [`Failure`] when it cannot be run.
pub fn load(path: &Path) -> Result<Engine, Failure> {
    Engine::open(path, Shape::default()).map_err(|error| engine_failure(path, error))
}

/// The root of the model in this program.
pub fn embedded_root() -> Hash256 {
    MerkleTree::new(EMBEDDED.chunks(CHUNK_BYTES)).root()
}

/// 64 hexadecimal digits.
pub fn parse_hash(text: &str) -> Option<Hash256> {
    let digits = (text.len() == 64).then_some(text.as_bytes())?;
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let pair = std::str::from_utf8(pair)
            .ok()
            .filter(|pair| is_hexadecimal(pair))?;
        *byte = u8::from_str_radix(pair, 16).ok()?;
    }
    Some(Hash256(bytes))
}

fn is_root(name: &str) -> bool {
    (LEAST_DIGITS..=64).contains(&name.len()) && is_hexadecimal(name)
}

fn is_hexadecimal(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The library loads files only.
fn embedded() -> Result<Source, Failure> {
    let write = || {
        let mut file = NamedTempFile::with_prefix("camelid-")?;
        file.write_all(EMBEDDED)?;
        Ok(file.into_temp_path())
    };
    let temporary = write().map_err(|error: std::io::Error| {
        Failure::System(format!(
            "the embedded model cannot be written to a temporary file: {error}"
        ))
    })?;
    Ok(Source {
        path: temporary.to_path_buf(),
        _temporary: Some(temporary),
    })
}

fn outside(path: &Path) -> Result<Source, Failure> {
    if let Err(error) = fs::metadata(path) {
        let hint = "name a GGUF file, the root of a model that `camelid model list` shows, or embedded";
        return Err(Failure::load(path, format!("cannot be read: {error}"), hint));
    }
    try_file(path)?;
    Ok(Source {
        path: path.to_owned(),
        _temporary: None,
    })
}

#[cfg(test)]
mod tests {
    use super::{is_root, parse_hash};

    #[test]
    fn hashes_are_64_digits() {
        let digits = "00ff".repeat(16);
        let hash = parse_hash(&digits).expect("a hash");
        assert_eq!(hash.to_string(), digits);
        assert_eq!(parse_hash(&digits.to_uppercase()), Some(hash));
        for wrong in [
            "",
            "00",
            &digits[1..],
            &digits.replace('f', "g"),
            &"+1".repeat(32),
        ] {
            assert_eq!(parse_hash(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn roots_are_not_file_names() {
        assert!(is_root("0123abcd") && is_root(&"a".repeat(64)));
        assert!(!is_root("0123abc") && !is_root("model.gguf") && !is_root(&"a".repeat(65)));
    }
}
