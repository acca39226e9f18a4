//! Models at hand: the one in this program, files, and a store of files by their roots.

mod args;
mod bringer;
mod commands;
mod file;
mod record;
mod source;
mod store;
mod text;

pub use args::ModelCommand;
pub use bringer::Bringer;
pub use commands::model;
pub use file::write_whole;
pub use source::{EMBEDDED_NAME, find_model, open, parse_hash};
pub use text::{Template, decode, encode, encode_continuation, pieces};
