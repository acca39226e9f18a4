//! Language models in GGUF files, run by ggml so that anybody can check the result bit for bit.
//!
//! [`Engine`] is a model as the protocol sees it: a [`LanguageModel`](camelid_core::model::LanguageModel)
//! with a manifest. Under it are a [`Model`] (weights and vocabulary) and [`Sequence`]s of tokens on
//! their way through it. [`Numerics`] names the arithmetic; `docs/src/inference.md` says what makes it
//! exact.
//!
//! This is the only crate of the workspace with `unsafe` code: calls of the C library, each wrapped
//! in a type that owns what it got.
#![deny(unsafe_op_in_unsafe_fn, clippy::undocumented_unsafe_blocks)]

mod backend;
mod chunks;
mod cpu;
mod engine;
mod error;
mod exactness;
pub mod gguf;
mod inference;
mod model;
mod numerics;
mod quantize;
mod sequence;
pub mod trial;

pub use chunks::{CHUNK_BYTES, Chunks, read_chunks};
pub use engine::Engine;
pub use error::EngineError;
pub use exactness::{Comparison, compare, self_test};
pub use inference::GgmlInference;
pub use model::Model;
pub use numerics::Numerics;
pub use quantize::{quantizations, quantize};
pub use sequence::{Sequence, Shape};

/// The model that comes with the program, a GGUF file: `models/README.md` says what it was made of.
pub const EMBEDDED: &[u8] = include_bytes!("../models/embedded.gguf");
