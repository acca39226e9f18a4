//! The format, on a disk.

use super::cipher::MAX_BYTES;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// Why a wallet file cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// Reading failed.
    #[error("{}: cannot be read: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Writing failed; what was there before is still there.
    #[error("{}: cannot be written: {error}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A new wallet must not take another one's place.
    #[error("{}: exists already; a wallet is never overwritten", .0.display())]
    Exists(PathBuf),
}

/// The bytes of the file; of one that is too long, so many that it is seen to be.
///
/// # Errors
/// [`FileError::Read`].
pub fn read(path: &Path) -> Result<Vec<u8>, FileError> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes))
        .map_err(|error| FileError::Read {
            path: path.into(),
            error,
        })?;
    Ok(bytes)
}

/// Writes a new file that only its owner may read. It is there completely or not at all.
///
/// # Errors
/// [`FileError::Exists`] and [`FileError::Write`].
pub fn create(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    // A hard link is made only where there is nothing, unlike a renamed file.
    write_beside(path, bytes, |draft| {
        fs::hard_link(draft, path).and_then(|()| fs::remove_file(draft))
    })
    .map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => FileError::Exists(path.into()),
        _ => FileError::Write {
            path: path.into(),
            error,
        },
    })
}

/// Writes a file in the place of the one that is there. At any time the old one or the new one is
/// there, completely.
///
/// # Errors
/// [`FileError::Write`].
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    write_beside(path, bytes, |draft| fs::rename(draft, path)).map_err(|error| FileError::Write {
        path: path.into(),
        error,
    })
}

/// Writes a draft into the directory of `path`, durably, and lets `place` put it there.
fn write_beside(path: &Path, bytes: &[u8], place: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let name = path.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
    let mut draft_name = name.to_os_string();
    draft_name.push(format!(".{}.new", std::process::id()));
    let draft = directory.join(draft_name);
    // Of a process that had our number and did not get far.
    let _ = fs::remove_file(&draft);
    let written = write_private(&draft, bytes).and_then(|()| place(&draft));
    if written.is_err() {
        // The draft may not be there; the error that matters is the first.
        let _ = fs::remove_file(&draft);
    }
    written?;
    sync_directory(directory)
}

fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes the new name durable, where directories can be synchronised.
fn sync_directory(directory: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(directory)?.sync_all()
    } else {
        Ok(())
    }
}
