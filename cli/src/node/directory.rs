//! A node's directory.

use super::misconfigured;
use crate::exit::Failure;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

/// Where everything of a node is.
pub struct Directory(PathBuf);

impl Directory {
    /// The directory at `path`.
    pub fn at(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The settings.
    pub fn settings(&self) -> PathBuf {
        self.0.join("camelid.toml")
    }

    /// The genesis of a devnet.
    pub fn genesis(&self) -> PathBuf {
        self.0.join("genesis.toml")
    }

    /// The key, if it is not encrypted.
    pub fn key(&self) -> PathBuf {
        self.0.join("node.key")
    }

    /// The key, if it is.
    pub fn wallet(&self) -> PathBuf {
        self.0.join("node.wallet")
    }

    /// All that the node has to remember.
    pub fn records(&self) -> PathBuf {
        self.0.join("records.redb")
    }

    /// Makes the directory, if it is not there.
    ///
    /// # Errors
    /// [`Failure::Write`].
    pub fn create(&self) -> Result<(), Failure> {
        fs::create_dir_all(&self.0).map_err(|error| Failure::Write {
            path: self.0.clone(),
            error,
        })
    }

    /// Keeps other programs out for as long as the file is open.
    ///
    /// # Errors
    /// [`Failure::Configuration`] when there is no such directory, or somebody else works in it.
    pub fn lock(&self) -> Result<File, Failure> {
        let path = self.0.join("lock");
        let file = File::create(&path).map_err(|error| misconfigured(&path, error))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => {
                Err(misconfigured(&self.0, "another node runs in this directory"))
            }
            Err(TryLockError::Error(error)) => Err(misconfigured(&path, error)),
        }
    }
}
