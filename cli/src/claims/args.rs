//! What can be asked about claims.

use super::attack::Chosen;
use crate::model::Template;
use camelid_core::model::MAX_TOKENS;
use camelid_core::primitives::Hash256;
use camelid_core::rastic::Spec;
use clap::Args;
use std::path::PathBuf;

const MOST_TOKENS: i64 = MAX_TOKENS as i64;

/// `camelid rastic generate`
#[derive(Debug, Args)]
#[command(after_help = "\
Each claim is labelled honest, and its id is the number of its prompt's line. Exit codes: 0 done; 2 wrong usage, \
also a prompt that leaves no room for the output; 4 model or prompts cannot be loaded; 8 interrupted, what was \
finished is written; 1 any other error.")]
pub struct GenerateArgs {
    /// embedded, a GGUF file, or the root of a model in the store.
    #[arg(long, default_value = "embedded")]
    pub model: String,
    /// Prompts, one a line; - reads standard input.
    #[arg(long, value_name = "FILE")]
    pub prompts: PathBuf,
    /// Where the claims go; standard output unless given.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Most tokens of each output.
    #[arg(long, value_name = "N", default_value = "128", value_parser = clap::value_parser!(u32).range(1..=MOST_TOKENS))]
    pub max_tokens: u32,
    /// Seed of the sampling noise.
    #[arg(long, value_name = "N", default_value = "0")]
    pub seed: u64,
    /// Temperature in thousandths; 0 always takes the best token.
    #[arg(long, value_name = "N", default_value = "1000")]
    pub temperature_milli: u32,
    /// Draw from the best N tokens only; 0 for all.
    #[arg(long, value_name = "N", default_value = "0")]
    pub top_k: u32,
    /// Draw from the smallest set of best tokens that has this probability in thousandths; 1000 for all.
    #[arg(long, value_name = "N", default_value = "1000")]
    pub top_p_milli: u32,
    /// How prompts become tokens: as they stand, or as a user's turn in the model's chat template.
    #[arg(long, value_enum, default_value = "raw")]
    pub template: Template,
}

/// `camelid rastic attack`
#[derive(Debug, Args)]
#[command(after_help = "\
Each claim is labelled with the kind of attack and the position of the first fault that a check of every \
position finds. What comes out honest after all is left out. Exit codes: 0 done; 2 wrong usage, also a kind that \
applies to no claim; 4 a model or the claims cannot be loaded; 8 interrupted, nothing is written; 1 any other error.")]
pub struct AttackArgs {
    /// embedded, a GGUF file, or the root of a model in the store.
    #[arg(long, default_value = "embedded")]
    pub model: String,
    /// Honest claims about the model; - reads standard input.
    #[arg(long, value_name = "FILE")]
    pub claims: PathBuf,
    /// What to do to them.
    #[arg(long, value_name = "KIND", value_enum)]
    pub kind: Chosen,
    /// The model that writes instead, for other-model.
    #[arg(long, value_name = "MODEL")]
    pub with: Option<String>,
    /// Seed of the attacker's choices.
    #[arg(long, value_name = "N", default_value = "0")]
    pub seed: u64,
    /// Where the claims go; standard output unless given.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// How positions are chosen and judged.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// The specification: v1-as-written, v1-repaired or v2.
    #[arg(long, default_value = "v2")]
    pub spec: Spec,
    /// Positions that v1-repaired draws.
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u32).range(..=MOST_TOKENS))]
    pub samples: u32,
    /// What the positions are drawn from, 64 hexadecimal digits; a fresh one is drawn unless given.
    #[arg(long, value_name = "HEX", value_parser = beacon)]
    pub beacon: Option<Hash256>,
}

/// `camelid rastic verify`
#[derive(Debug, Args)]
#[command(after_help = "\
Claims of the model's own numerics profile are held to equality, others to its tolerance; the paper's \
v1-as-written knows equality alone. A claim that nobody can decide is inconclusive. Labels are not looked at, \
only counted. Exit codes: 0 no claim is invalid; 5 one is, or with --strict is inconclusive; 2 wrong usage; 4 \
model or claims cannot be loaded; 8 interrupted; 1 any other error.")]
pub struct VerifyArgs {
    /// embedded, a GGUF file, or the root of a model in the store.
    #[arg(long, default_value = "embedded")]
    pub model: String,
    /// Claims about the model; - reads standard input.
    #[arg(long, value_name = "FILE")]
    pub claims: PathBuf,
    #[command(flatten)]
    pub check: CheckArgs,
    /// Also fail when a claim is inconclusive.
    #[arg(long)]
    pub strict: bool,
    /// Print one JSON record per claim, and a summary last.
    #[arg(long)]
    pub json: bool,
}

/// `camelid rastic explain`
#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes: 0 shown, whatever the verdict; 2 wrong usage; 4 model or claims cannot be loaded; 1 any other error.")]
pub struct ExplainArgs {
    /// embedded, a GGUF file, or a root; the model that the claim names unless given.
    #[arg(long)]
    pub model: Option<String>,
    /// Claims.
    #[arg(long, value_name = "FILE")]
    pub claims: PathBuf,
    /// Which of them.
    #[arg(long, value_name = "ID")]
    pub id: String,
    #[command(flatten)]
    pub check: CheckArgs,
    /// Write one self-contained HTML page to this file instead.
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}

fn beacon(text: &str) -> Result<Hash256, String> {
    crate::model::parse_hash(text).ok_or_else(|| "a beacon is 64 hexadecimal digits".into())
}
