//! The records of `camelid model --json`. Scripts depend on the keys and their order; new keys go to the end.

use super::store::About;
use camelid_core::model::LanguageModel as _;
use camelid_inference_ggml::Engine;
use serde::Serialize;
use std::collections::BTreeMap;

/// A model that is at hand.
#[derive(Serialize)]
pub struct ModelRecord {
    schema: &'static str,
    pub root: String,
    pub bytes: u64,
    pub chunks: u32,
    pub name: String,
    pub description: String,
}

impl ModelRecord {
    /// Of a model called `name`.
    pub fn new(root: String, bytes: u64, chunks: u32, name: String, description: String) -> Self {
        Self {
            schema: "camelid.model.v1",
            root,
            bytes,
            chunks,
            name,
            description,
        }
    }
}

impl From<About> for ModelRecord {
    fn from(about: About) -> Self {
        Self::new(
            about.root,
            about.bytes,
            about.chunks,
            about.name,
            about.description,
        )
    }
}

/// The root of a file.
#[derive(Serialize)]
pub struct RootRecord {
    pub schema: &'static str,
    pub root: String,
    pub bytes: u64,
    pub chunks: u32,
}

/// All about a model.
#[derive(Serialize)]
pub struct InspectRecord {
    schema: &'static str,
    pub root: String,
    pub bytes: u64,
    pub chunks: u32,
    pub description: String,
    /// What the protocol calls it: hash of the manifest.
    pub model_id: String,
    /// Id of the numerics profile that it runs under here.
    pub profile: String,
    pub exact: bool,
    pub tolerance_milli: u32,
    pub slash_tolerance_milli: u32,
    pub golden: String,
    pub parameters: u64,
    /// Tensors by type.
    pub tensors: BTreeMap<String, u64>,
    pub vocabulary: u32,
    pub context: u32,
    pub end_tokens: Vec<EndToken>,
    pub tokenizer: String,
    pub chat_template: bool,
}

/// A token that ends an output.
#[derive(Serialize)]
pub struct EndToken {
    pub id: u32,
    pub text: String,
}

impl InspectRecord {
    /// Of a loaded model.
    pub fn new(engine: &Engine) -> Self {
        let (manifest, model) = (engine.manifest(), engine.model());
        let header = model.header();
        let mut tensors = BTreeMap::new();
        for tensor in &header.tensors {
            *tensors.entry(tensor.kind.name.to_owned()).or_default() += 1;
        }
        let end_token = |id: &u32| EndToken {
            id: *id,
            text: String::from_utf8_lossy(&model.piece(*id, true)).into_owned(),
        };
        Self {
            schema: "camelid.model.inspect.v1",
            root: manifest.chunk_root.to_string(),
            bytes: manifest.bytes,
            chunks: manifest.chunks,
            description: model.description(),
            model_id: manifest.id().to_string(),
            profile: manifest.profile.name.to_string(),
            exact: manifest.profile.exact,
            tolerance_milli: manifest.profile.tolerance_milli,
            slash_tolerance_milli: manifest.profile.slash_tolerance_milli,
            golden: manifest.golden.to_string(),
            parameters: header.tensors.iter().map(|tensor| tensor.elements).sum(),
            tensors,
            vocabulary: manifest.vocabulary,
            context: manifest.context,
            end_tokens: manifest.end_tokens.iter().map(end_token).collect(),
            tokenizer: manifest.tokenizer.to_string(),
            chat_template: model.chat_template().is_some(),
        }
    }
}
