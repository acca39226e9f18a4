//! Real models for scenarios.

use super::source::{find_model, load};
use crate::exit::Failure;
use crate::ggml::engine_failure;
use camelid_core::model::LanguageModel;
use camelid_inference_ggml::{Engine, quantizations, quantize};
use camelid_sim::model::{Brought, ModelSource, SourceError};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use tempfile::NamedTempFile;

/// Brings each model once, however many scenarios name it.
#[derive(Default)]
pub struct Bringer {
    /// By name and quantization of the copy.
    brought: Mutex<BTreeMap<(String, String), Brought>>,
}

impl ModelSource for Bringer {
    fn bring(&self, name: &str, coarse: &str) -> Result<Brought, SourceError> {
        let mut brought = self.brought.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (name.to_owned(), coarse.to_owned());
        if let Some(known) = brought.get(&key) {
            return Ok(known.clone());
        }
        let new = bring(name, coarse).map_err(|failure| {
            let (message, hint) = failure.into_words();
            SourceError::Unavailable { message, hint }
        })?;
        brought.insert(key, new.clone());
        Ok(new)
    }
}

fn bring(name: &str, coarse: &str) -> Result<Brought, Failure> {
    let source = find_model(name)?;
    let full = load(&source.path)?;
    let coarse = coarse_copy(&source.path, coarse)?;
    let shared = |engine: Engine| -> Arc<dyn LanguageModel> { Arc::new(engine) };
    Ok(Brought {
        full: shared(full),
        coarse: shared(coarse),
    })
}

/// The model at `path` in another quantization. Its file is gone once it is loaded.
fn coarse_copy(path: &Path, kind: &str) -> Result<Engine, Failure> {
    if !quantizations().any(|known| known.eq_ignore_ascii_case(kind)) {
        let known: Vec<_> = quantizations().collect();
        let hint = format!("known are: {}", known.join(", "));
        return Err(Failure::load(
            path,
            format!("unknown quantization {kind:?}"),
            hint,
        ));
    }
    let file = NamedTempFile::with_prefix("camelid-")
        .map_err(|error| Failure::System(format!("no temporary file for a coarse copy: {error}")))?;
    quantize(path, file.path(), kind, 1).map_err(|error| engine_failure(path, error))?;
    load(file.path())
}
