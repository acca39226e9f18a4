//! `camelid rastic attack`: false claims made of honest ones.
//!
//! Each kind is a [`Forge`]: those that need no model are in [`edit`], those that run one in [`rerun`].

mod edit;
mod kind;
mod rerun;

use super::args::AttackArgs;
use super::claim::Claim;
use super::label::Label;
use super::read::read_claims;
use super::write::write_claims;
use crate::exit::{Exit, Failure};
use crate::model;
use crate::sim::{progress_bar, stop_on_interrupt};
use camelid_core::model::{LanguageModel as _, TokenId};
use camelid_core::primitives::Stream;
use camelid_inference_ggml::Engine;
pub use kind::{Chosen, Kind};
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

/// What a claim's output is replaced by; `None` when there is nothing to attack.
type Forge = fn(&mut Forger<'_>) -> Option<Vec<TokenId>>;

/// What a forger has to go on.
pub struct Forger<'a> {
    /// The model that the claims are about.
    pub model: &'a Engine,
    /// Another model with the same vocabulary.
    pub other: Option<&'a Engine>,
    /// All claims.
    pub claims: &'a [Claim],
    /// Which of them is attacked.
    pub number: usize,
    /// For random choices.
    pub stream: Stream,
}

impl Forger<'_> {
    /// The claim that is attacked.
    pub fn claim(&self) -> &Claim {
        &self.claims[self.number]
    }

    /// The claims that are not.
    pub fn others(&self) -> impl Iterator<Item = &Claim> {
        let number = self.number;
        let claims = self.claims.iter().enumerate();
        claims
            .filter(move |(other, _)| *other != number)
            .map(|(_, claim)| claim)
    }

    /// The first half of the output. `None` when it would be empty, or all there is.
    pub fn first_half(&self) -> Option<Vec<TokenId>> {
        let output = &self.claim().output;
        let half = output.len() / 2;
        (half > 0).then(|| output[..half].to_vec())
    }

    /// A random token that ends nothing, other than `token`.
    pub fn another(&mut self, token: TokenId) -> TokenId {
        let manifest = self.model.manifest();
        loop {
            let drawn = u32::try_from(self.stream.below(u64::from(manifest.vocabulary))).unwrap_or(0);
            let suits = drawn != token && !manifest.end_tokens.contains(&drawn);
            if suits || manifest.vocabulary < 4 {
                return drawn;
            }
        }
    }
}

/// Makes false claims of honest ones.
///
/// # Errors
/// [`Failure::Usage`] when no claim can be attacked as asked.
pub fn attack(args: &AttackArgs) -> Result<Exit, Failure> {
    let model = model::open(&args.model)?;
    let other = args.with.as_ref().map(|with| model::open(with)).transpose()?;
    check_other(args.kind, &model, other.as_ref())?;
    let claims = read_claims(&args.claims, &model)?;
    check_honest(&claims)?;
    let kinds = args.kind.kinds(other.is_some());
    let stop = stop_on_interrupt("stopping after this claim; once more to stop at once")?;
    let bar = progress_bar((kinds.len() * claims.len()) as u64, "claims");
    let mut forged = Vec::new();
    let mut missed: BTreeMap<Kind, usize> = BTreeMap::new();
    for kind in &kinds {
        for number in 0..claims.len() {
            if stop.load(Ordering::Relaxed) {
                eprintln!("camelid: interrupted; nothing was written");
                return Ok(Exit::Interrupted);
            }
            let forger = Forger {
                model: &model,
                other: other.as_ref(),
                claims: &claims,
                number,
                stream: Stream::new(args.seed, &format!("{} {number}", kind.name())),
            };
            match forge(*kind, forger) {
                Some(claim) => forged.push(claim),
                None => *missed.entry(*kind).or_default() += 1,
            }
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    if forged.is_empty() {
        return Err(Failure::Usage(not_applicable(args.kind, &claims)));
    }
    for (kind, missed) in missed {
        eprintln!(
            "camelid: {kind} does not apply to {missed} of {} claims: {}",
            claims.len(),
            kind.needs()
        );
    }
    write_claims(args.out.as_deref(), &forged, &model)?;
    Ok(Exit::Success)
}

/// The claim that `kind` makes, with its ground truth. `None` also when it comes out honest.
pub fn forge(kind: Kind, mut forger: Forger<'_>) -> Option<Claim> {
    let output = kind.forge()(&mut forger)?;
    let honest = forger.claim();
    if output == honest.output {
        return None;
    }
    let mut claim = Claim {
        id: format!("{}/{}", honest.id, kind.name()),
        output,
        label: None,
        ..honest.clone()
    };
    claim.label = Some(Label::forged(
        kind.name(),
        &claim,
        &honest.output,
        forger.model.manifest(),
    ));
    Some(claim)
}

fn check_other(chosen: Chosen, model: &Engine, other: Option<&Engine>) -> Result<(), Failure> {
    let Some(other) = other else {
        return match chosen {
            Chosen::One(Kind::OtherModel) => Err(Failure::Usage(
                "other-model needs --with MODEL, the one that writes in the place of --model".into(),
            )),
            _ => Ok(()),
        };
    };
    let (own, others) = (model.manifest(), other.manifest());
    if own.chunk_root == others.chunk_root {
        return Err(Failure::Usage(
            "--with is the same model as --model: name another one".into(),
        ));
    }
    if own.tokenizer != others.tokenizer {
        return Err(Failure::Usage(format!(
            "--with has another vocabulary ({} tokens) than --model ({} tokens): its token ids would mean \
             something else; use a copy of the same model in another quantization \
             (`camelid model quantize`), or one of its family",
            others.vocabulary, own.vocabulary
        )));
    }
    Ok(())
}

fn check_honest(claims: &[Claim]) -> Result<(), Failure> {
    let known_false = |claim: &&Claim| claim.label.as_ref().is_some_and(Label::is_false);
    match claims.iter().find(known_false) {
        None => Ok(()),
        Some(claim) => Err(Failure::Usage(format!(
            "the claim {:?} is labelled false already: attacks are made of honest claims, as `camelid rastic \
             generate` writes them",
            claim.id
        ))),
    }
}

fn not_applicable(chosen: Chosen, claims: &[Claim]) -> String {
    let count = match claims.len() {
        1 => "the one claim".into(),
        count => format!("any of the {count} claims"),
    };
    match chosen {
        Chosen::One(kind) => format!("{kind} does not apply to {count}: {}", kind.needs()),
        Chosen::All => format!("no kind of attack applies to {count}: give longer outputs"),
    }
}
