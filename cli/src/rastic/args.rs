//! What can be asked of `camelid rastic`.

use super::chance::MOST;
use super::samples::Samples;
#[cfg(feature = "ggml")]
use crate::claims::{AttackArgs, ExplainArgs, GenerateArgs, VerifyArgs};
use crate::decimal::{Decimal, coins, permille, probability};
use camelid_core::primitives::Amount;
use camelid_core::rastic::Spec;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `camelid rastic …`
#[derive(Debug, Subcommand)]
pub enum RasticCommand {
    /// How likely a check by samples finds what is wrong, exactly.
    Power(PowerArgs),
    /// How much stake makes cheating a loss.
    Economics(EconomicsArgs),
    /// Judge the claims of a trace again, under other specifications.
    Replay(ReplayArgs),
    /// Write honest claims: what a model continues prompts with.
    #[cfg(feature = "ggml")]
    Generate(GenerateArgs),
    /// Make false claims of honest ones.
    #[cfg(feature = "ggml")]
    Attack(AttackArgs),
    /// Check claims against a model.
    #[cfg(feature = "ggml")]
    Verify(VerifyArgs),
    /// Show a claim token by token: what was checked, what matched and what failed.
    #[cfg(feature = "ggml")]
    Explain(ExplainArgs),
    /// Does this machine compute a model's scores exactly?
    #[cfg(feature = "ggml")]
    Selftest(SelftestArgs),
}

/// `camelid rastic selftest`
#[cfg(feature = "ggml")]
#[derive(Debug, Args)]
#[command(after_help = "\
64 tokens are generated one by one on one thread and then computed again in one pass on two threads. In \
the exact profile the scores of all tokens agree at each position in every bit.

Exit codes: 0 they do; 2 wrong usage; 4 the model cannot be loaded; 5 some differ; 1 any other error.")]
pub struct SelftestArgs {
    /// embedded, a GGUF file, or the root of a model in the store.
    #[arg(long, default_value = "embedded")]
    pub model: String,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// `camelid rastic power`
#[derive(Debug, Args)]
#[command(
    arg_required_else_help = true,
    after_help = "\
Detection needs --n, --k and --m: 1 - C(n-k, m) / C(n, m), sampling without replacement. The rejection of \
honest outputs needs --mismatch-ppm and --m: 1 - (1 - p)^m. The samples needed need --n, --k and --want. \
Every number is computed exactly and rounded once, to the nearest double.

Exit codes: 0 done; 2 wrong usage, also more bad positions or samples than positions; 1 any other error."
)]
pub struct PowerArgs {
    /// Positions that samples are drawn from.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(..=i64::from(MOST)))]
    pub n: Option<u32>,
    /// How many of them are bad.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(..=i64::from(MOST)))]
    pub k: Option<u32>,
    /// Samples drawn, all different.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(..=i64::from(MOST)))]
    pub m: Option<u32>,
    /// Millionths of positions at which honest machines differ.
    #[arg(long, value_name = "PPM", value_parser = clap::value_parser!(u32).range(..=1_000_000))]
    pub mismatch_ppm: Option<u32>,
    /// A chance of detection, as a decimal number such as 0.99: how many samples reach it?
    #[arg(long, value_name = "0..1", value_parser = probability)]
    pub want: Option<Decimal>,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// `camelid rastic economics`
#[derive(Debug, Args)]
#[command(after_help = "\
Cheating pays while g > q * d * (r + S): gain g, reward r, stake S, checked with probability q, detected \
with d. So the least stake is S = g / (q * d) - r, rounded up to a unit, and 0 if that is negative. When of \
v verifiers each colludes with probability c, d becomes d * (1 - c^v). An honest node takes part while its \
cost per job is below r - q * f * S, where f is the chance that a check slashes it wrongly.

Amounts are coins with up to 8 decimals, shares thousandths with up to 12 decimals, such as 11.71875.

Exit codes: 0 done, also when no stake suffices; 2 wrong usage; 1 any other error.")]
pub struct EconomicsArgs {
    /// What a node gains by cheating: cost saved, and any value outside.
    #[arg(long, value_name = "COINS", value_parser = coins)]
    pub gain: Amount,
    /// The reward of a job.
    #[arg(long, value_name = "COINS", value_parser = coins)]
    pub reward: Amount,
    /// Share of jobs that are checked, in thousandths.
    #[arg(long, value_name = "PERMILLE", value_parser = permille)]
    pub check_permille: Decimal,
    /// Share of checks that catch a cheat, in thousandths.
    #[arg(long, value_name = "PERMILLE", value_parser = permille)]
    pub detect_permille: Decimal,
    /// Verifiers that check independently.
    #[arg(long, value_name = "N", requires = "colluding_permille", value_parser = clap::value_parser!(u16).range(1..=1_000))]
    pub verifiers: Option<u16>,
    /// Share of verifiers that collude with the node, in thousandths.
    #[arg(long, value_name = "PERMILLE", requires = "verifiers", value_parser = permille)]
    pub colluding_permille: Option<Decimal>,
    /// Checks that slash an honest node, in millionths.
    #[arg(long, value_name = "PPM", default_value = "0", value_parser = clap::value_parser!(u32).range(..=1_000_000))]
    pub false_slash_ppm: u32,
    /// What a job costs an honest node; without it, the cost it can bear is shown.
    #[arg(long, value_name = "COINS", value_parser = coins)]
    pub cost: Option<Amount>,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// `camelid rastic replay`
#[derive(Debug, Args)]
#[command(after_help = "\
A claim is an output that a client opened, or that an honest node asked the model about. Beside the verdict \
of one draw stands the exact chance that a draw finds the claim invalid. v1-as-written draws one position \
whatever --samples says, v2 checks all.

Exit codes: 0 done, whatever the verdicts; 2 wrong usage; 4 the trace cannot be loaded; 9 this program does \
something else than the trace records; 1 any other error.")]
pub struct ReplayArgs {
    /// A trace, as `camelid sim run --trace-dir` writes them.
    #[arg(value_name = "TRACE")]
    pub trace: PathBuf,
    /// Specifications to judge by.
    #[arg(
        long,
        value_name = "SPEC,..",
        value_delimiter = ',',
        default_value = "v1-as-written,v1-repaired,v2"
    )]
    pub specs: Vec<Spec>,
    /// Positions that v1-repaired draws: a number, or each from A up to, but not including, B.
    #[arg(long, value_name = "A..B", default_value = "1")]
    pub samples: Samples,
    /// Print one JSON record per claim, and a summary last.
    #[arg(long, conflicts_with = "csv")]
    pub json: bool,
    /// Print one line of comma-separated values per claim, specification and number of samples.
    #[arg(long)]
    pub csv: bool,
}
