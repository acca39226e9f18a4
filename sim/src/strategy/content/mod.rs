//! Attacks on the content of outputs: the node computes and commits as always, but to another output
//! than the model's.
//!
//! What differs from attack to attack is a [`Forge`]; those that need no model are in [`edit`],
//! those that run one again in [`rerun`].

pub(super) mod edit;
mod opening;
pub(super) mod rerun;
#[cfg(test)]
mod tests;

use super::{Context, Strategy};
use crate::model::{LanguageModel, Models, run_task};
use camelid_core::job::Opening;
use camelid_core::model::{Finish, InferenceResult, InferenceTask, Sampling, TokenId};
use camelid_core::primitives::{BoundedVec, JobId, ModelId, Stream};
use camelid_core::process::{Input, Output, Outputs, RequestId, Timer};
use opening::Openings;
use std::collections::BTreeMap;

/// The shortest output worth attacking: boundary, interior, end.
const SHORTEST: usize = 4;

/// What the node hands in instead of the honest output; `None` when there is nothing to attack.
pub(super) type Forge = fn(&mut Forger<'_>) -> Option<Vec<TokenId>>;

/// What a forger has to go on.
pub(super) struct Forger<'a> {
    /// What was asked for.
    job: &'a Job,
    /// What the model writes.
    honest: &'a [TokenId],
    /// Honest outputs of earlier jobs.
    earlier: &'a [(Job, Vec<TokenId>)],
    models: &'a Models,
    stream: &'a mut Stream,
}

impl Forger<'_> {
    /// An interior position and another token for it, one from elsewhere in the output: so it is in
    /// the vocabulary and ends nothing. `None` when the output is too short.
    fn swap(&mut self) -> Option<(usize, TokenId)> {
        let last = self.honest.len().checked_sub(1)?;
        if last + 1 < SHORTEST {
            return None;
        }
        let position = usize::try_from(self.stream.range(1, last as u64 - 1)).ok()?;
        let kept = *self.honest.get(position)?;
        let others: Vec<TokenId> = self.honest[..last]
            .iter()
            .copied()
            .filter(|token| *token != kept)
            .collect();
        Some((position, *self.stream.pick(&others)?))
    }

    /// `output`, unless it is the honest one after all: then nothing was forged.
    fn forged(&self, output: Vec<TokenId>) -> Option<Vec<TokenId>> {
        (output != self.honest).then_some(output)
    }

    fn end_token(&self) -> Option<TokenId> {
        self.models.full.manifest().end_tokens.first().copied()
    }

    /// The honest output without the end token, if it has one.
    fn text(&self) -> &[TokenId] {
        match self.honest.split_last() {
            Some((last, text)) if Some(*last) == self.end_token() => text,
            _ => self.honest,
        }
    }
}

/// What a node is asked to generate.
#[derive(Clone)]
struct Job {
    id: JobId,
    prompt: Vec<TokenId>,
    max_tokens: u32,
    seed: u64,
    sampling: Sampling,
}

impl Job {
    fn of(task: &InferenceTask) -> Option<Self> {
        match task {
            InferenceTask::Generate {
                job,
                prompt,
                max_tokens,
                seed,
                sampling,
                ..
            } => Some(Self {
                id: *job,
                prompt: prompt.to_vec(),
                max_tokens: *max_tokens,
                seed: *seed,
                sampling: *sampling,
            }),
            InferenceTask::Predict { .. } => None,
        }
    }

    /// The output that starts with `prefix` and goes on as `model` would.
    fn write(&self, model: &dyn LanguageModel, prefix: &[TokenId]) -> Option<Vec<TokenId>> {
        match run_task(model, &self.task(model.manifest().id(), prefix)?) {
            InferenceResult::Generated { output, .. } => Some(output.into_vec()),
            InferenceResult::Predicted { .. } | InferenceResult::Failed { .. } => None,
        }
    }

    fn task(&self, model: ModelId, prefix: &[TokenId]) -> Option<InferenceTask> {
        Some(InferenceTask::Generate {
            model,
            job: self.id,
            prompt: BoundedVec::from_vec(self.prompt.clone())?,
            prefix: BoundedVec::from_vec(prefix.to_vec())?,
            max_tokens: self.max_tokens,
            seed: self.seed,
            sampling: self.sampling,
        })
    }
}

/// A worker that hands in what its [`Forge`] makes of each output.
///
/// The forger's own runs of models take no virtual time: what matters is what it hands in.
pub(super) struct Content {
    forge: Forge,
    /// Generations in progress.
    tasks: BTreeMap<RequestId, Job>,
    earlier: Vec<(Job, Vec<TokenId>)>,
    /// For outputs that the node behind us would refuse to commit to.
    openings: Openings,
}

impl Content {
    pub(super) fn boxed(forge: Forge) -> Box<dyn Strategy> {
        Box::new(Self {
            forge,
            tasks: BTreeMap::new(),
            earlier: Vec::new(),
            openings: Openings::default(),
        })
    }

    /// What the node is told that the model wrote.
    fn hand_in(&mut self, context: &mut Context<'_>, job: Job, result: InferenceResult) -> InferenceResult {
        let InferenceResult::Generated { output: honest, .. } = &result else {
            return result;
        };
        let forged = (self.forge)(&mut Forger {
            job: &job,
            honest,
            earlier: &self.earlier,
            models: context.models,
            stream: context.stream,
        });
        let (id, max_tokens) = (job.id, job.max_tokens);
        self.earlier.push((job, honest.to_vec()));
        let Some(output) = forged.and_then(BoundedVec::from_vec) else {
            return result;
        };
        let end_tokens = &context.models.full.manifest().end_tokens;
        match Finish::derive(&output, end_tokens, max_tokens) {
            Some(finish) => {
                context.attacked();
                InferenceResult::Generated { output, finish }
            }
            None => {
                let salt = context.key.derive("forged-opening", id.as_ref());
                // There is no right finish; this one a client could believe without counting.
                let finish = Finish::Limit;
                self.openings.plan(id, Opening { finish, output, salt });
                result
            }
        }
    }
}

impl Strategy for Content {
    fn on_input(&mut self, context: &mut Context<'_>, input: Input, out: &mut Outputs) -> Option<Input> {
        match input {
            Input::Inferred { request, result } => {
                let result = match self.tasks.remove(&request) {
                    Some(job) => self.hand_in(context, job, result),
                    None => result,
                };
                Some(Input::Inferred { request, result })
            }
            Input::TimerFired(Timer::Maintenance) => {
                self.openings.deliver(context, out);
                Some(input)
            }
            _ => Some(input),
        }
    }

    fn on_output(&mut self, context: &mut Context<'_>, output: Output, out: &mut Outputs) {
        if let Output::Infer { request, task } = &output
            && let Some(job) = Job::of(task)
        {
            self.tasks.insert(*request, job);
        }
        out.push(self.openings.commit(context, output));
    }
}
