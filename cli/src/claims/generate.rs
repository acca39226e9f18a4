//! `camelid rastic generate`: honest claims.

use super::args::GenerateArgs;
use super::claim::Claim;
use super::label::Label;
use super::read::{Lines, check_sampling};
use super::write::write_claims;
use crate::exit::{Exit, Failure};
use crate::model::{self, encode};
use crate::sim::{progress_bar, stop_on_interrupt};
use camelid_core::model::{
    InferenceResult, LanguageModel as _, MAX_PROMPT_TOKENS, Sampling, TokenId, run_task_watched,
};
use camelid_core::primitives::{Hash256, JobId, tagged_hash};
use camelid_inference_ggml::Engine;
use std::ops::ControlFlow;
use std::sync::atomic::Ordering;
use std::time::Instant;

/// The output that starts with `prefix` and goes on as `model` writes on the terms of `claim`, whose own output
/// is not looked at. `go_on` hears of each token.
///
/// # Errors
/// Why there is no such output, also when `go_on` said no.
pub fn write(
    model: &Engine,
    claim: &Claim,
    prefix: &[TokenId],
    go_on: &mut dyn FnMut(TokenId) -> bool,
) -> Result<Vec<TokenId>, String> {
    let task = claim
        .task(model.manifest().id(), prefix)
        .ok_or("the claim is too long")?;
    let mut watch = |token| match go_on(token) {
        true => ControlFlow::Continue(()),
        false => ControlFlow::Break(()),
    };
    match run_task_watched(model, &task, &mut watch) {
        InferenceResult::Generated { output, .. } => Ok(output.into_vec()),
        InferenceResult::Failed { reason } => Err(reason.to_string()),
        InferenceResult::Predicted { .. } => Err("the model answered something else".into()),
    }
}

/// Writes a claim for each prompt.
///
/// # Errors
/// [`Failure`], before anything is written if a prompt does not fit.
pub fn generate(args: &GenerateArgs) -> Result<Exit, Failure> {
    let sampling = Sampling {
        temperature_milli: args.temperature_milli,
        top_k: args.top_k,
        top_p_milli: args.top_p_milli,
    };
    check_sampling(&sampling).map_err(|(message, hint)| Failure::Usage(format!("{message}; {hint}")))?;
    let model = model::open(&args.model)?;
    let asked = prompts(args, sampling, &model)?;
    let stop = stop_on_interrupt("stopping after this token; once more to stop at once")?;
    let stopped = || stop.load(Ordering::Relaxed);
    let bar = progress_bar(asked.len() as u64 * u64::from(args.max_tokens), "tokens");
    let begun = Instant::now();
    let mut claims = Vec::new();
    for mut claim in asked {
        let mut written = 0;
        let output = write(&model, &claim, &[], &mut |_| {
            written += 1;
            bar.inc(1);
            !stopped()
        });
        if stopped() {
            break;
        }
        claim.output = output.map_err(|reason| Failure::System(format!("prompt {}: {reason}", claim.id)))?;
        bar.inc(u64::from(args.max_tokens).saturating_sub(written));
        claims.push(claim);
    }
    bar.finish_and_clear();
    let tokens: usize = claims.iter().map(|claim| claim.output.len()).sum();
    let rate = tokens as f64 / begun.elapsed().as_secs_f64();
    write_claims(args.out.as_deref(), &claims, &model)?;
    eprintln!(
        "camelid: {} claims, {tokens} tokens, {rate:.1} tokens/s",
        claims.len()
    );
    if stopped() {
        eprintln!(
            "camelid: interrupted; {} claims were finished and written",
            claims.len()
        );
        return Ok(Exit::Interrupted);
    }
    Ok(Exit::Success)
}

/// Claims whose output is still to be written, one for each prompt.
fn prompts(args: &GenerateArgs, sampling: Sampling, model: &Engine) -> Result<Vec<Claim>, Failure> {
    let manifest = model.manifest();
    let mut claims = Vec::new();
    for line in Lines::open(&args.prompts)? {
        let (number, text) = line?;
        let at = |message: String| Failure::Usage(format!("{}:{number}: {message}", args.prompts.display()));
        let prompt = encode(model, &text, args.template).map_err(at)?;
        check_fits(prompt.len(), args.max_tokens, manifest.context).map_err(at)?;
        claims.push(Claim {
            id: number.to_string(),
            model: manifest.chunk_root,
            profile: Some(manifest.profile.name.to_string()),
            job: job(&manifest.chunk_root, &prompt, args.seed, number),
            text: Some(text),
            template: args.template,
            prompt,
            output: Vec::new(),
            seed: args.seed,
            sampling,
            max_tokens: args.max_tokens,
            label: Some(Label::honest()),
        });
    }
    if claims.is_empty() {
        let hint = "write one prompt a line";
        return Err(Failure::load(&args.prompts, "holds no prompt", hint));
    }
    Ok(claims)
}

fn check_fits(prompt: usize, max_tokens: u32, context: u32) -> Result<(), String> {
    if prompt == 0 {
        return Err("the prompt has no token: write some text".into());
    }
    if prompt > MAX_PROMPT_TOKENS {
        return Err(format!(
            "the prompt has {prompt} tokens, and the protocol knows at most {MAX_PROMPT_TOKENS}: shorten it"
        ));
    }
    let room = (context as usize).saturating_sub(prompt);
    if room < max_tokens as usize {
        return Err(format!(
            "the prompt has {prompt} tokens, which leaves {room} of the model's context of {context} for the \
             output: shorten it, or ask for --max-tokens {room}"
        ));
    }
    Ok(())
}

/// A job of its own for each line, so that no two share noise. The ledger would name it otherwise.
fn job(root: &Hash256, prompt: &[TokenId], seed: u64, line: usize) -> JobId {
    JobId(tagged_hash("camelid/claim-job", &(root, prompt, seed, line as u64)).0)
}
