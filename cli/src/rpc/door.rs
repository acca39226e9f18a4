//! How whoever may read a node's directory finds and enters its server: two files in it.

use super::arguments::hex;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// The user of the cookie, as in Bitcoin Core.
const USER: &str = "__cookie__";
/// The file with user and password, readable by its owner alone.
const COOKIE_FILE: &str = ".cookie";
/// The file with the server's address.
const ADDRESS_FILE: &str = "rpc.address";
/// Bytes of the password.
const PASSWORD_BYTES: usize = 32;
/// Longest file that is read.
const MAX_FILE_BYTES: u64 = 4_096;

/// The files of a running server; they go when this is dropped.
#[derive(Debug)]
pub struct Door {
    directory: PathBuf,
    credentials: String,
}

impl Door {
    /// Draws a password and writes the files into `directory`, in place of those that a killed process
    /// may have left. Whoever calls this has locked the directory.
    ///
    /// # Errors
    /// When the files cannot be written.
    pub fn open(directory: &Path, address: SocketAddr) -> io::Result<Self> {
        let mut password = [0; PASSWORD_BYTES];
        getrandom::fill(&mut password).map_err(io::Error::other)?;
        let door = Self {
            directory: directory.to_owned(),
            credentials: format!("{USER}:{}", hex(&password)),
        };
        door.write(COOKIE_FILE, &door.credentials)?;
        door.write(ADDRESS_FILE, &address.to_string())?;
        Ok(door)
    }

    /// User and password, with a colon between them.
    pub fn credentials(&self) -> &str {
        &self.credentials
    }

    /// Whole or not at all: others read it at any time.
    fn write(&self, name: &str, text: &str) -> io::Result<()> {
        let new = self.directory.join(format!("{name}.new"));
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = private_file(&new)?;
        file.write_all(text.as_bytes())?;
        drop(file);
        fs::rename(new, self.directory.join(name))
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        for name in [COOKIE_FILE, ADDRESS_FILE] {
            // Nobody is helped by an error here; the next start replaces what is left.
            let _ = fs::remove_file(self.directory.join(name));
        }
    }
}

/// Creates a file that its owner alone may read.
fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// What the files of a running server say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The server's address.
    pub address: SocketAddr,
    /// User and password.
    pub credentials: String,
}

impl Key {
    /// Reads the files in `directory`.
    ///
    /// # Errors
    /// When they are not there, or make no sense.
    pub fn read(directory: &Path) -> io::Result<Self> {
        let address = read(&directory.join(ADDRESS_FILE))?;
        Ok(Self {
            address: address.trim().parse().map_err(io::Error::other)?,
            credentials: read(&directory.join(COOKIE_FILE))?.trim().to_owned(),
        })
    }
}

fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(MAX_FILE_BYTES).read_to_string(&mut text)?;
    Ok(text)
}
