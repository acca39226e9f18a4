//! What can be asked of `camelid model`.

use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `camelid model …`
#[derive(Debug, Subcommand)]
pub enum ModelCommand {
    /// Copy a model file into the store.
    Add(AddArgs),
    /// List the models at hand.
    List(ListArgs),
    /// Say what a model is: its file, its vocabulary and what the protocol calls it.
    Inspect(OneArgs),
    /// Print the Merkle root of a model's file, or of any file.
    Root(OneArgs),
    /// Write a copy of a model in another quantization.
    Quantize(QuantizeArgs),
}

/// `camelid model add`
#[derive(Debug, Args)]
#[command(after_help = "\
The file is loaded and run first, in a process of its own. The store is in the directory that CAMELID_MODELS names, \
or among the user's data. Exit codes: 0 it is in the store; 2 wrong usage; 4 the file is no model that this program \
can run; 1 any other error.")]
pub struct AddArgs {
    /// A GGUF file.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The SHA-256 that the file must have.
    #[arg(long, value_name = "HEX")]
    pub sha256: Option<String>,
    /// Most bytes of all models in the store together, in GiB.
    #[arg(long, value_name = "N", default_value = "100", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub limit_gib: u64,
    /// Print a JSON record.
    #[arg(long)]
    pub json: bool,
}

/// `camelid model list`
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Print one JSON record per model.
    #[arg(long)]
    pub json: bool,
}

/// `camelid model inspect`, `camelid model root`
#[derive(Debug, Args)]
#[command(after_help = "Exit codes: 0 done; 2 wrong usage; 4 the model cannot be loaded; 1 any other error.")]
pub struct OneArgs {
    /// embedded, a file, or the root of a model in the store.
    #[arg(value_name = "MODEL", default_value = "embedded")]
    pub model: String,
    /// Print a JSON record.
    #[arg(long)]
    pub json: bool,
}

/// `camelid model quantize`
#[derive(Debug, Args)]
#[command(after_help = "Exit codes: 0 done; 2 wrong usage; 4 the model cannot be loaded; 1 any other error.")]
pub struct QuantizeArgs {
    /// embedded, a GGUF file, or the root of a model in the store.
    #[arg(value_name = "MODEL")]
    pub model: String,
    /// The quantization, by ggml's name.
    #[arg(long = "type", value_name = "TYPE", value_parser = clap::builder::PossibleValuesParser::new(camelid_inference_ggml::quantizations()))]
    pub kind: String,
    /// Where the copy goes.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}
