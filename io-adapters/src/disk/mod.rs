//! Records in a redb file: `docs/src/storage.md`.

mod error;
mod store;
mod tables;

pub use error::OpenError;

use crate::storage::Storage;
use async_trait::async_trait;
use camelid_core::chain::SharedStore;
use camelid_core::node::Record;
use camelid_core::primitives::BlockHash;
use error::to_io;
use redb::backends::{FileBackend, InMemoryBackend};
use redb::{Builder, Database, StorageBackend};
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;
use std::sync::Arc;
use store::RedbStore;

/// Bytes of pages that redb keeps in memory: of the tables that the node reads, coins before all.
const CACHE_BYTES: usize = 64 << 20;

/// A node's records in one file, or in memory.
///
/// An append is one transaction, durable when it returns; the calls that block run on tokio's threads
/// for such calls. After the first error of the disk nothing is written any more until the file is
/// opened again.
#[derive(Debug)]
pub struct RedbStorage {
    database: Arc<Database>,
    store: Arc<RedbStore>,
}

impl RedbStorage {
    /// Opens the file of a node on the network whose genesis block is `network`, or creates it. Blocks;
    /// it is for the time before the driver runs.
    ///
    /// # Errors
    /// [`OpenError`] says why this is not the file to work with. No record in it is changed.
    pub fn open(path: &Path, network: &BlockHash) -> Result<Self, OpenError> {
        if !path.try_exists()? {
            Self::create(path, network)?;
        }
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        Self::open_backend(FileBackend::new(file)?, network)
    }

    /// redb refuses a file whose layout it could not finish. So a new one gets its name when it is
    /// complete: if the machine dies first, the next start begins anew.
    fn create(path: &Path, network: &BlockHash) -> Result<(), OpenError> {
        let unfinished = path.with_extension("new");
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false) // somebody else may be at work in it
            .open(&unfinished)?;
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => OpenError::InUse,
            TryLockError::Error(error) => OpenError::Io(error),
        })?;
        file.set_len(0)?;
        file.unlock()?; // redb has its own
        drop(Self::open_backend(FileBackend::new(file)?, network)?);
        std::fs::rename(&unfinished, path)?;
        Ok(sync_folder(path)?)
    }

    /// Records that end with the process, for tests.
    ///
    /// # Errors
    /// [`OpenError`], in theory.
    pub fn in_memory(network: &BlockHash) -> Result<Self, OpenError> {
        Self::open_backend(InMemoryBackend::new(), network)
    }

    /// Like [`open`](Self::open), on any bytes that can be read and written.
    ///
    /// # Errors
    /// See [`open`](Self::open).
    pub fn open_backend(backend: impl StorageBackend, network: &BlockHash) -> Result<Self, OpenError> {
        // Of a damaged file a record may be missing, which for a ballot means to vote twice. The check
        // reads the whole file.
        let database = Builder::new()
            .set_cache_size(CACHE_BYTES)
            .set_check_integrity_on_open(true)
            .create_with_backend(backend)?;
        tables::check_or_create(&database, network)?;
        let database = Arc::new(database);
        let store = Arc::new(RedbStore::new(database.clone()));
        Ok(Self { database, store })
    }

    /// Runs what blocks where it may. A panic (redb has assertions about what it reads) is an error
    /// of the disk like any other.
    async fn run<R: Send + 'static>(
        &self,
        work: impl FnOnce(&Database) -> io::Result<R> + Send + 'static,
    ) -> io::Result<R> {
        let database = self.database.clone();
        let result = tokio::task::spawn_blocking(move || work(&database)).await;
        result.unwrap_or_else(|error| Err(io::Error::other(error)))
    }
}

#[async_trait]
impl Storage for RedbStorage {
    async fn append(&mut self, records: Vec<Record>) -> io::Result<()> {
        self.run(move |database| tables::append(database, &records).map_err(to_io))
            .await
    }

    async fn load(&mut self) -> io::Result<Vec<Record>> {
        self.run(tables::load).await
    }

    fn store(&self) -> Option<SharedStore> {
        Some(self.store.clone())
    }

    fn take_fault(&mut self) -> Option<io::Error> {
        self.store.take_fault()
    }
}

/// Makes the name of a new file durable. Elsewhere than on Unix folders cannot be opened, and need not.
fn sync_folder(path: &Path) -> io::Result<()> {
    if !cfg!(unix) {
        return Ok(());
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}
