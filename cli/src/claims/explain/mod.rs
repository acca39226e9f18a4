//! `camelid rastic explain`: what a check found at each token of an output.

mod page;
mod terminal;

use super::args::ExplainArgs;
use super::bench::{Bench, Checked};
use super::claim::Claim;
use super::read::{model_of, no_claim, read_claims};
use crate::color::ColorWhen;
use crate::exit::{Exit, Failure};
use crate::model::{self, pieces, write_whole};
use camelid_core::model::{InferenceResult, Prediction};
use camelid_core::rastic::{Role, matches};
use camelid_inference_ggml::Engine;
use std::collections::BTreeMap;
use std::io::{Write, stdout};

/// Shows a claim, token by token.
///
/// # Errors
/// [`Failure`] when model or claim cannot be had.
pub fn explain(args: &ExplainArgs, color: ColorWhen) -> Result<Exit, Failure> {
    let model = match &args.model {
        Some(model) => model::open(model)?,
        None => model::open(&model_of(&args.claims, &args.id)?.to_string())?,
    };
    let claims = read_claims(&args.claims, &model)?;
    let claim = claims.iter().find(|claim| claim.id == args.id);
    let claim = claim.ok_or_else(|| no_claim(&args.claims, &args.id))?;
    let bench = args.check.bench(&model)?;
    let explained = Explained::new(&bench, claim);
    match &args.html {
        Some(path) => {
            write_whole(path, page::render(&explained).as_bytes())?;
            eprintln!("camelid: written to {}", path.display());
        }
        None => stdout()
            .lock()
            .write_all(terminal::render(&explained, color.on_stdout()).as_bytes())?,
    }
    Ok(Exit::Success)
}

/// Everything there is to show about a claim.
pub struct Explained<'a> {
    pub claim: &'a Claim,
    pub checked: Checked,
    pub spec: &'static str,
    /// What was asked, as text.
    pub prompt: String,
    /// The output.
    pub tokens: Vec<Token>,
}

/// A token of the output.
pub struct Token {
    /// Index into prompt and output together.
    pub position: u32,
    /// As text.
    pub text: String,
    /// What the model writes here instead, as text; `None` when it writes this, or was not asked.
    pub expected: Option<String>,
    /// How far the claimed token's score lies under the best one, in milli-logits, if that can be said.
    pub gap_milli: Option<u32>,
    /// What the check made of it.
    pub mark: Mark,
}

/// What a check makes of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Checked, and fine.
    Matched,
    /// Checked, and not the model's.
    Failed,
    /// Checked, and undecided.
    Open,
    /// Not checked; the model agrees.
    Unchecked,
    /// Not checked; it would have failed.
    Missed,
    /// The model was not asked.
    Unknown,
}

impl Mark {
    /// All, with their names and meanings.
    pub const ALL: [(Self, &'static str, &'static str); 6] = [
        (Self::Matched, "matched", "checked, and what the model writes"),
        (Self::Failed, "failed", "checked, and not what the model writes"),
        (Self::Open, "open", "checked, and undecided"),
        (
            Self::Unchecked,
            "unchecked",
            "not checked, and what the model writes",
        ),
        (
            Self::Missed,
            "missed",
            "not checked, and not what the model writes",
        ),
        (Self::Unknown, "unknown", "the model was not asked"),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        let found = Self::ALL.iter().find(|(mark, ..)| *mark == self);
        found.map_or("unknown", |(_, name, _)| name)
    }
}

impl<'a> Explained<'a> {
    /// Checks `claim`, and asks the model about the positions that the check leaves out as well.
    fn new(bench: &Bench<'_>, claim: &'a Claim) -> Self {
        let checked = bench.check(claim);
        let first = u32::try_from(claim.prompt.len()).unwrap_or(u32::MAX);
        let all: Vec<u32> = (first..).take(claim.output.len()).collect();
        let predictions: BTreeMap<u32, Prediction> = match bench.ask(claim, &all) {
            InferenceResult::Predicted { predictions } => {
                all.iter().copied().zip(predictions.iter().copied()).collect()
            }
            InferenceResult::Generated { .. } | InferenceResult::Failed { .. } => BTreeMap::new(),
        };
        let profile = bench.profile(claim);
        let texts = pieces(bench.model, &claim.output);
        let token = |((&position, text), &claimed)| {
            let prediction = predictions.get(&position);
            // The paper's rule about the limit compares predictions with each other, not with the token.
            let is_checked = checked
                .plan
                .checks()
                .iter()
                .any(|check| check.position == position && check.role != Role::LastPredictionRepeats);
            let decided = prediction.map(|prediction| matches(&profile, claimed, prediction));
            let mark = match (decided, is_checked) {
                (None, _) => Mark::Unknown,
                (Some(Some(true)), true) => Mark::Matched,
                (Some(Some(false)), true) => Mark::Failed,
                (Some(None), true) => Mark::Open,
                (Some(Some(true) | None), false) => Mark::Unchecked,
                (Some(Some(false)), false) => Mark::Missed,
            };
            Token {
                position,
                text,
                expected: prediction
                    .filter(|prediction| prediction.token != claimed)
                    .map(|prediction| pieces(bench.model, &[prediction.token]).concat()),
                gap_milli: prediction
                    .map(|prediction| prediction.gap_milli)
                    .filter(|gap| *gap < Prediction::EXCLUDED),
                mark,
            }
        };
        let tokens = all.iter().zip(texts).zip(&claim.output).map(token).collect();
        Self {
            spec: bench.spec.name(),
            prompt: prompt(claim, bench.model),
            claim,
            checked,
            tokens,
        }
    }

    /// Tokens that are not what the model writes, or may not be.
    pub fn faults(&self) -> impl Iterator<Item = &Token> {
        let is_fault = |token: &&Token| matches!(token.mark, Mark::Failed | Mark::Open | Mark::Missed);
        self.tokens.iter().filter(is_fault)
    }

    /// How many tokens have `mark`.
    pub fn count(&self, mark: Mark) -> usize {
        self.tokens.iter().filter(|token| token.mark == mark).count()
    }

    /// What came of it, in one line.
    pub fn verdict(&self) -> String {
        let verdict = &self.checked.verdict;
        let position = match verdict {
            camelid_core::rastic::Verdict::Invalid { position, .. } => format!(" at position {position}"),
            _ => String::new(),
        };
        let reason = super::verdict::reason(verdict).map_or(String::new(), |reason| format!(": {reason}"));
        format!("{}{position}{reason}", super::verdict::name(verdict))
    }
}

fn prompt(claim: &Claim, model: &Engine) -> String {
    let shown = claim.text.clone();
    shown.unwrap_or_else(|| model.model().detokenize(&claim.prompt, false))
}
