//! The kinds of attack.

use super::{Forge, edit, rerun};
use clap::ValueEnum;
use clap::builder::PossibleValue;
use std::fmt;

/// A kind of attack on the content of an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// One interior token swapped, and the model goes on from there.
    Substitution,
    /// One interior token changed, the rest left as it was.
    Edit,
    /// The beginning of one output and the end of another.
    Splice,
    /// The first half, without an end token.
    Truncation,
    /// The first half and an end token.
    ForgedEnd,
    /// The first half and junk up to the limit.
    Padding,
    /// The first half, and its last tokens again and again up to the limit.
    Repetition,
    /// What another model writes.
    OtherModel,
    /// Honest ends, and between them what an n-gram model writes.
    Ngram,
    /// What the model writes when half of the prompt is dropped.
    PromptDropped,
    /// What the model writes under another seed.
    WrongSeed,
    /// What the model writes at another temperature.
    WrongTemperature,
    /// The answer to another job.
    Cached,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Substitution,
        Self::Edit,
        Self::Splice,
        Self::Truncation,
        Self::ForgedEnd,
        Self::Padding,
        Self::Repetition,
        Self::OtherModel,
        Self::Ngram,
        Self::PromptDropped,
        Self::WrongSeed,
        Self::WrongTemperature,
        Self::Cached,
    ];

    /// The name, as users write it.
    pub const fn name(self) -> &'static str {
        self.table().0
    }

    /// What it does, for the help.
    const fn does(self) -> &'static str {
        self.table().1
    }

    /// What it takes to apply.
    pub const fn needs(self) -> &'static str {
        self.table().2
    }

    /// How it is done.
    pub(super) const fn forge(self) -> Forge {
        self.table().3
    }

    const fn table(self) -> (&'static str, &'static str, &'static str, Forge) {
        const HALF: &str = "it needs outputs of two tokens or more";
        const INTERIOR: &str = "it needs outputs of three tokens or more";
        match self {
            Self::Substitution => (
                "substitution",
                "one interior token swapped, and the model goes on from there",
                INTERIOR,
                rerun::substitution,
            ),
            Self::Edit => (
                "edit",
                "one interior token changed, the rest left as it was",
                INTERIOR,
                edit::one_token,
            ),
            Self::Splice => (
                "splice",
                "the beginning of one output and the end of another",
                "it needs two claims with different outputs of two tokens or more",
                edit::splice,
            ),
            Self::Truncation => (
                "truncation",
                "the first half, without an end token; max_tokens stays",
                HALF,
                edit::truncation,
            ),
            Self::ForgedEnd => (
                "forged-end",
                "the first half and an end token",
                "it needs outputs of two tokens or more, and a model with an end token",
                edit::forged_end,
            ),
            Self::Padding => (
                "padding",
                "the first half and junk up to max_tokens",
                HALF,
                edit::padding,
            ),
            Self::Repetition => (
                "repetition",
                "the first half, and its last eight tokens again and again up to max_tokens",
                HALF,
                edit::repetition,
            ),
            Self::OtherModel => (
                "other-model",
                "what another model (--with) writes",
                "it needs a model --with that writes something else",
                rerun::other_model,
            ),
            Self::Ngram => (
                "ngram",
                "honest first and last token, between them what an n-gram model of the file writes",
                INTERIOR,
                edit::ngram,
            ),
            Self::PromptDropped => (
                "prompt-dropped",
                "what the model writes when the second half of the prompt is dropped",
                "it needs prompts of two tokens or more",
                rerun::prompt_dropped,
            ),
            Self::WrongSeed => (
                "wrong-seed",
                "what the model writes under another seed",
                "it needs a temperature above 0",
                rerun::wrong_seed,
            ),
            Self::WrongTemperature => (
                "wrong-temperature",
                "what the model writes at temperature 0, or at 1 where 0 was asked for",
                "the output is the same at the other temperature",
                rerun::wrong_temperature,
            ),
            Self::Cached => (
                "cached",
                "the answer to another job, one with the same prompt if there is any",
                "it needs two claims with different outputs",
                edit::cached,
            ),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// `--kind`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chosen {
    /// One kind.
    One(Kind),
    /// Every kind that applies.
    All,
}

impl Chosen {
    /// The kinds to try; `other-model` only when there is another model.
    pub fn kinds(self, other: bool) -> Vec<Kind> {
        match self {
            Self::One(kind) => vec![kind],
            Self::All => Kind::ALL
                .into_iter()
                .filter(|kind| other || *kind != Kind::OtherModel)
                .collect(),
        }
    }
}

impl ValueEnum for Chosen {
    fn value_variants<'a>() -> &'a [Self] {
        const ALL: [Chosen; 14] = {
            let mut all = [Chosen::All; 14];
            let mut index = 0;
            while index < Kind::ALL.len() {
                all[index] = Chosen::One(Kind::ALL[index]);
                index += 1;
            }
            all
        };
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::One(kind) => PossibleValue::new(kind.name()).help(kind.does()),
            Self::All => {
                PossibleValue::new("all").help("every kind that applies; other-model only with --with")
            }
        })
    }
}
