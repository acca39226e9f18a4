//! C01, H2: the node swaps one token and continues honestly from there, so that exactly one position
//! is inconsistent.

use super::{Context, Strategy};
use camelid_core::model::{InferenceResult, InferenceTask, Tokens};
use camelid_core::primitives::BoundedVec;
use camelid_core::process::{Input, Output, Outputs, RequestId};
use std::collections::BTreeMap;

/// The shortest output worth attacking: boundary, interior, end.
const SHORTEST: usize = 4;

/// Rewrites each honest output once and lets the model go on from the swapped token.
#[derive(Default)]
pub(super) struct Substitution {
    /// Generations in progress; the second pass of an attack carries the swapped prefix.
    tasks: BTreeMap<RequestId, (InferenceTask, bool)>,
}

impl Strategy for Substitution {
    fn on_output(&mut self, _context: &mut Context<'_>, output: Output, out: &mut Outputs) {
        if let Output::Infer { request, task } = &output
            && matches!(**task, InferenceTask::Generate { .. })
        {
            self.tasks.insert(*request, ((**task).clone(), false));
        }
        out.push(output);
    }

    fn on_input(&mut self, context: &mut Context<'_>, input: Input, out: &mut Outputs) -> Option<Input> {
        let Input::Inferred {
            request,
            result: InferenceResult::Generated { output, .. },
        } = &input
        else {
            return Some(input);
        };
        let Some((task, false)) = self.tasks.remove(request) else {
            return Some(input);
        };
        let Some(second) = second_pass(context, &task, output) else {
            return Some(input);
        };
        self.tasks.insert(*request, (second.clone(), true));
        context.attacked();
        out.push(Output::Infer {
            request: *request,
            task: Box::new(second),
        });
        None
    }
}

/// The task of continuing after a swapped interior token.
fn second_pass(context: &mut Context<'_>, task: &InferenceTask, output: &Tokens) -> Option<InferenceTask> {
    let InferenceTask::Generate {
        model,
        job,
        prompt,
        max_tokens,
        seed,
        sampling,
        ..
    } = task.clone()
    else {
        return None;
    };
    if output.len() < SHORTEST {
        return None;
    }
    let last_interior = output.len() as u64 - 2;
    let position = usize::try_from(context.stream.range(1, last_interior)).ok()?;
    // Another token of the same output is in the vocabulary and ends nothing.
    let honest = *output.get(position)?;
    let others: Vec<_> = output
        .iter()
        .take(output.len() - 1)
        .filter(|token| **token != honest)
        .collect();
    let swapped = **context.stream.pick(&others)?;
    let prefix = output.iter().take(position).copied().chain([swapped]).collect();
    let prefix = BoundedVec::from_vec(prefix)?;
    Some(InferenceTask::Generate {
        model,
        job,
        prompt,
        prefix,
        max_tokens,
        seed,
        sampling,
    })
}
