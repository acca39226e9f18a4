//! Models on disk, by the roots of their files.
//!
//! A store is a directory. The model with root R is in `R/model.gguf`, beside `R/about.json`. A model is
//! copied to a directory with another name first and moved in one step, so what has a root for a name is whole.
//! Chunk `i` of the root is the file's bytes from `i` times [`CHUNK_BYTES`](camelid_inference_ggml::CHUNK_BYTES).

use super::source::parse_hash;
use crate::exit::Failure;
use camelid_core::primitives::Hash256;
use camelid_inference_ggml::{Chunks, read_chunks};
use serde::{Deserialize, Serialize};
use std::env;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// Says where the store is.
pub const VARIABLE: &str = "CAMELID_MODELS";
/// Most models.
const MAX_MODELS: usize = 1_000;
const FILE: &str = "model.gguf";
const ABOUT: &str = "about.json";
const SCHEMA: &str = "camelid.model.about.v1";

/// A directory of models.
#[derive(Clone, Debug)]
pub struct Store(PathBuf);

/// What is known about a stored model without loading it.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct About {
    schema: String,
    /// Merkle root of its file.
    pub root: String,
    /// Size of its file.
    pub bytes: u64,
    /// Chunks of its file.
    pub chunks: u32,
    /// Name of the file that it was added from.
    pub name: String,
    /// What the library calls it.
    pub description: String,
}

/// What adding came to.
pub enum Added {
    /// The model is in the store now.
    New,
    /// It was there before.
    Known,
}

impl Store {
    /// The user's store: in the directory that CAMELID_MODELS names, or else among the user's data.
    ///
    /// # Errors
    /// [`Failure::Usage`] when there is no such place.
    pub fn default_place() -> Result<Self, Failure> {
        let variable = |name: &str| {
            env::var_os(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        if let Some(directory) = variable(VARIABLE) {
            return Ok(Self(directory));
        }
        let data = if cfg!(windows) {
            variable("LOCALAPPDATA")
        } else if cfg!(target_os = "macos") {
            variable("HOME").map(|home| home.join("Library/Application Support"))
        } else {
            variable("XDG_DATA_HOME").or_else(|| variable("HOME").map(|home| home.join(".local/share")))
        };
        let data = data.ok_or_else(|| {
            Failure::Usage(format!(
                "there is no home directory to keep models in: set {VARIABLE} to a directory"
            ))
        })?;
        Ok(Self(data.join("camelid/models")))
    }

    /// The file of the model whose root is, or begins with, `root`, after a check that it still has it.
    ///
    /// # Errors
    /// [`Failure::Load`] when there is none, several, or its file has changed.
    pub fn file(&self, root: &str) -> Result<PathBuf, Failure> {
        let wanted = root.to_ascii_lowercase();
        let mut found: Vec<About> = self.list()?;
        found.retain(|about| about.root.starts_with(&wanted));
        let about = match &found[..] {
            [about] => about,
            [] => {
                let hint =
                    "add its file with `camelid model add FILE`; `camelid model list` shows what is there";
                return Err(Failure::load(
                    &self.0,
                    format!("has no model with the root {root}"),
                    hint,
                ));
            }
            _ => {
                let message = format!("has {} models whose roots begin with {root}", found.len());
                return Err(Failure::load(&self.0, message, "give more digits"));
            }
        };
        let path = self.0.join(&about.root).join(FILE);
        let chunks = chunks_of(&path)?;
        if chunks.root.to_string() != about.root {
            let hint = "delete its directory and add the model again";
            return Err(Failure::load(
                &path,
                format!("is damaged: its root is {}", chunks.root),
                hint,
            ));
        }
        Ok(path)
    }

    /// All models, by root.
    ///
    /// # Errors
    /// [`Failure::Load`] when the store cannot be read.
    pub fn list(&self) -> Result<Vec<About>, Failure> {
        let unreadable = |error: io::Error| {
            let message = format!("cannot be read: {error}");
            Failure::load(
                &self.0,
                message,
                "check its permissions, or set CAMELID_MODELS to another directory",
            )
        };
        let entries = match fs::read_dir(&self.0) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(unreadable(error)),
        };
        let mut models = Vec::new();
        for entry in entries {
            let entry = entry.map_err(unreadable)?;
            let is_root = entry
                .file_name()
                .to_str()
                .is_some_and(|name| parse_hash(name).is_some());
            if is_root && models.len() < MAX_MODELS {
                models.push(about(&entry.path())?);
            }
        }
        models.sort_by(|a, b| a.root.cmp(&b.root));
        Ok(models)
    }

    /// Copies the model in the file at `from` into the store, unless that would make it larger than
    /// `limit_bytes` in all.
    ///
    /// # Errors
    /// [`Failure::Write`] when it cannot be copied, [`Failure::System`] when there is no room for it.
    pub fn add(&self, from: &Path, description: &str, limit_bytes: u64) -> Result<(Added, About), Failure> {
        let models = self.list()?;
        let source = chunks_of(from)?;
        if let Some(known) = models.iter().find(|model| model.root == source.root.to_string()) {
            return Ok((Added::Known, known.clone()));
        }
        let held: u64 = models.iter().map(|model| model.bytes).sum();
        if models.len() >= MAX_MODELS || held.saturating_add(source.bytes) > limit_bytes {
            return Err(Failure::System(format!(
                "{} holds {} models of {held} bytes, and this one has {}: more than --limit-gib allows; delete \
                 directories that you no longer need",
                self.0.display(),
                models.len(),
                source.bytes,
            )));
        }
        let name = from
            .file_name()
            .map_or(String::new(), |name| name.to_string_lossy().into_owned());
        let about = About {
            schema: SCHEMA.into(),
            root: source.root.to_string(),
            bytes: source.bytes,
            chunks: source.count,
            name,
            description: description.into(),
        };
        let copied = self.copy(from, &about).map_err(|error| Failure::Write {
            path: self.0.clone(),
            error,
        })?;
        if copied != source.root {
            return Err(Failure::load(from, "changed while it was copied", "add it again"));
        }
        Ok((Added::New, about))
    }

    /// Copies and moves into place; the root of what was copied.
    fn copy(&self, from: &Path, about: &About) -> io::Result<Hash256> {
        fs::create_dir_all(&self.0)?;
        let directory = tempfile::Builder::new().prefix(".adding-").tempdir_in(&self.0)?;
        let path = directory.path().join(FILE);
        let mut file = File::create(&path)?;
        io::copy(&mut File::open(from)?, &mut file)?;
        file.sync_all()?;
        let copied = read_chunks(&path)?.root;
        if copied.to_string() != about.root {
            return Ok(copied);
        }
        let text = serde_json::to_vec_pretty(about)?;
        fs::write(directory.path().join(ABOUT), text)?;
        match fs::rename(directory.path(), self.0.join(&about.root)) {
            // Moved: there is nothing left to delete under the old name.
            Ok(()) => drop(directory.keep()),
            // Somebody else has added the same model meanwhile.
            Err(_) if self.0.join(&about.root).join(FILE).exists() => {}
            Err(error) => return Err(error),
        }
        Ok(copied)
    }
}

/// Root and size of the file at `path`.
///
/// # Errors
/// [`Failure::Load`] when it cannot be read.
pub fn chunks_of(path: &Path) -> Result<Chunks, Failure> {
    read_chunks(path).map_err(|error| {
        Failure::load(
            path,
            format!("cannot be read: {error}"),
            "name a file that can be read",
        )
    })
}

fn about(directory: &Path) -> Result<About, Failure> {
    let path = directory.join(ABOUT);
    let damaged = |message: String| {
        let hint = "delete the directory and add the model again";
        Failure::load(&path, message, hint)
    };
    let text = fs::read(&path).map_err(|error| damaged(format!("cannot be read: {error}")))?;
    let about: About = serde_json::from_slice(&text).map_err(|error| damaged(error.to_string()))?;
    let is_own = directory
        .file_name()
        .is_some_and(|name| name.to_str() == Some(&about.root));
    if about.schema != SCHEMA || !is_own {
        return Err(damaged(
            "belongs to another model, or another version of this program".into(),
        ));
    }
    Ok(about)
}
