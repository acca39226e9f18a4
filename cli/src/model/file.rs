//! Files that are there whole or not at all.

use crate::exit::Failure;
use std::io::{self, Write};
use std::path::Path;
use tempfile::NamedTempFile;

/// Writes `bytes` to `path` so that nobody sees half of them, not even after a crash.
///
/// # Errors
/// [`Failure::Write`].
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let write = || -> io::Result<()> {
        let mut file = beside(path)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    };
    write().map_err(|error| Failure::Write {
        path: path.to_owned(),
        error,
    })
}

/// A temporary file in the directory of `path`, from where it can be moved there in one step.
///
/// # Errors
/// When it cannot be made.
pub fn beside(path: &Path) -> io::Result<NamedTempFile> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let mut builder = tempfile::Builder::new();
    // Others may read it as they may read any new file.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o644));
    }
    builder
        .prefix(".camelid-")
        .tempfile_in(directory.unwrap_or(Path::new(".")))
}
