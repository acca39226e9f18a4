//! Running a model on a task.

use super::{
    Draw, Finish, InferenceResult, InferenceTask, LanguageModel, MAX_TOKENS, Manifest, Prediction, TokenId,
};
use crate::primitives::{BoundedVec, ModelId};
use core::ops::ControlFlow;

/// Why a task cannot be run; the text goes into [`InferenceResult::Failed`].
type Refusal = &'static str;

/// Runs `task` on `model`.
///
/// A task for another model, with parameters out of range, tokens outside the vocabulary or more of
/// them than the context holds fails with a reason.
pub fn run_task(model: &dyn LanguageModel, task: &InferenceTask) -> InferenceResult {
    run_task_watched(model, task, &mut |_| ControlFlow::Continue(()))
}

/// [`run_task`] that tells `watch` each token as it is generated and gives up, with a failure, when
/// told to break.
pub fn run_task_watched(
    model: &dyn LanguageModel,
    task: &InferenceTask,
    watch: &mut dyn FnMut(TokenId) -> ControlFlow<()>,
) -> InferenceResult {
    let result = match task {
        InferenceTask::Generate {
            model: id,
            job,
            prompt,
            prefix,
            max_tokens,
            seed,
            sampling,
        } => check_tokens(model.manifest(), *id, &[prompt, prefix]).and_then(|()| {
            let draw = check_draw(Draw {
                seed: *seed,
                job: *job,
                sampling: *sampling,
            })?;
            generate(model, &draw, prompt, prefix, *max_tokens, watch)
        }),
        InferenceTask::Predict {
            model: id,
            job,
            prompt,
            output,
            positions,
            seed,
            sampling,
        } => check_tokens(model.manifest(), *id, &[prompt, output]).and_then(|()| {
            let draw = check_draw(Draw {
                seed: *seed,
                job: *job,
                sampling: *sampling,
            })?;
            predict(model, &draw, &[&prompt[..], &output[..]].concat(), positions)
        }),
    };
    result.unwrap_or_else(InferenceResult::failed)
}

fn check_tokens(manifest: &Manifest, id: ModelId, parts: &[&[TokenId]]) -> Result<(), Refusal> {
    if manifest.id() != id {
        return Err("the task is for another model");
    }
    let mut tokens = parts.iter().copied().flatten();
    if tokens.any(|&token| token >= manifest.vocabulary) {
        return Err("a token is not in the vocabulary");
    }
    check_context(manifest, parts.iter().map(|part| part.len()).sum())
}

fn check_context(manifest: &Manifest, tokens: usize) -> Result<(), Refusal> {
    if tokens > manifest.context as usize {
        return Err("more tokens than the context holds");
    }
    Ok(())
}

fn check_draw(draw: Draw) -> Result<Draw, Refusal> {
    match draw.sampling.check() {
        Ok(()) => Ok(draw),
        Err(_) => Err("sampling parameters out of range"),
    }
}

fn generate(
    model: &dyn LanguageModel,
    draw: &Draw,
    prompt: &[TokenId],
    prefix: &[TokenId],
    max_tokens: u32,
    watch: &mut dyn FnMut(TokenId) -> ControlFlow<()>,
) -> Result<InferenceResult, Refusal> {
    let limit = max_tokens as usize;
    if limit == 0 || limit > MAX_TOKENS || prefix.len() > limit {
        return Err("token limit out of range");
    }
    check_context(model.manifest(), prompt.len() + limit)?;
    let end_tokens = &model.manifest().end_tokens;
    let mut tokens = [prompt, prefix].concat();
    loop {
        let output = &tokens[prompt.len()..];
        if let Some(finish) = Finish::derive(output, end_tokens, max_tokens) {
            let output = BoundedVec::from_vec(output.to_vec()).ok_or("the output is too long")?;
            return Ok(InferenceResult::Generated { output, finish });
        }
        let next = model.predict(draw, &tokens, None);
        if next.margin_milli == Prediction::NOT_FINITE {
            return Err("the model computed no finite scores");
        }
        tokens.push(next.token);
        if watch(next.token).is_break() {
            return Err("cancelled");
        }
    }
}

fn predict(
    model: &dyn LanguageModel,
    draw: &Draw,
    tokens: &[TokenId],
    positions: &[u32],
) -> Result<InferenceResult, Refusal> {
    if positions.iter().any(|&position| position as usize > tokens.len()) {
        return Err("a position lies behind the output");
    }
    let predictions = model.predict_each(draw, tokens, positions);
    let predictions = BoundedVec::from_vec(predictions).ok_or("too many predictions")?;
    Ok(InferenceResult::Predicted { predictions })
}
