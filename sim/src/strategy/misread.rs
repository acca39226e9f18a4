//! Lies about what the model says of an output: by clients that want their money back, and by seats
//! of a committee.
//!
//! The node behind asks its model as always, and is told something else.

use super::{Context, Strategy};
use camelid_core::model::{InferenceResult, InferenceTask, Prediction, TokenId};
use camelid_core::primitives::{BoundedVec, JobId};
use camelid_core::process::{Input, Output, Outputs, RequestId};
use std::collections::BTreeMap;

/// What the node is told instead of the model's answer; `None` to tell the truth.
pub(super) type Lie = fn(&Question, &[Prediction]) -> Option<InferenceResult>;

/// A question to the model about an output.
pub(super) struct Question {
    tokens: Vec<TokenId>,
    positions: Vec<u32>,
}

impl Question {
    fn of(task: &InferenceTask) -> Option<Self> {
        match task {
            // The golden task is about no job: lying there only costs the ticket.
            InferenceTask::Predict { job, .. } if *job == JobId([0; 32]) => None,
            InferenceTask::Predict {
                prompt,
                output,
                positions,
                ..
            } => Some(Self {
                tokens: [&prompt[..], &output[..]].concat(),
                positions: positions.to_vec(),
            }),
            InferenceTask::Generate { .. } => None,
        }
    }

    /// What it takes no model to say: the claimed token at each position.
    fn echo(&self) -> Vec<Prediction> {
        let claimed = |position: &u32| self.tokens.get(*position as usize).copied().unwrap_or(0);
        let prediction = |token| Prediction {
            token,
            runner_up: token,
            ..Prediction::default()
        };
        self.positions.iter().map(claimed).map(prediction).collect()
    }

    /// True when the model's answer bears the output out.
    fn is_borne_out(&self, answer: &[Prediction]) -> bool {
        let claimed = self.echo();
        answer
            .iter()
            .zip(&claimed)
            .all(|(own, claimed)| own.token == claimed.token)
    }
}

/// R03: every token is as claimed, says a verifier that never ran the model.
pub(super) fn echo(question: &Question, _answer: &[Prediction]) -> Option<InferenceResult> {
    predicted(question.echo())
}

/// E05, C19: the first token is wrong, says whoever gains by that.
pub(super) fn find_fault(question: &Question, answer: &[Prediction]) -> Option<InferenceResult> {
    if !question.is_borne_out(answer) {
        return None;
    }
    let mut answer = answer.to_vec();
    let first = answer.first_mut()?;
    first.token ^= 1;
    first.gap_milli = Prediction::EXCLUDED;
    predicted(answer)
}

/// E06, E07: the opposite of the truth, and all who tell it tell it alike: one score root.
pub(super) fn opposite(question: &Question, answer: &[Prediction]) -> Option<InferenceResult> {
    if question.is_borne_out(answer) {
        find_fault(question, &question.echo())
    } else {
        predicted(question.echo())
    }
}

/// Nothing: the seat stays silent.
pub(super) fn nothing(_question: &Question, _answer: &[Prediction]) -> Option<InferenceResult> {
    Some(InferenceResult::failed("not in the mood"))
}

fn predicted(predictions: Vec<Prediction>) -> Option<InferenceResult> {
    let predictions = BoundedVec::from_vec(predictions)?;
    Some(InferenceResult::Predicted { predictions })
}

/// The node behind a [`Lie`].
pub(super) struct Misread {
    lie: Lie,
    questions: BTreeMap<RequestId, Question>,
}

impl Misread {
    pub(super) fn boxed(lie: Lie) -> Box<dyn Strategy> {
        Box::new(Self {
            lie,
            questions: BTreeMap::new(),
        })
    }
}

impl Strategy for Misread {
    fn on_input(&mut self, context: &mut Context<'_>, input: Input, _out: &mut Outputs) -> Option<Input> {
        let Input::Inferred { request, result } = input else {
            return Some(input);
        };
        let question = self.questions.remove(&request);
        let lie = match (&question, &result) {
            (Some(question), InferenceResult::Predicted { predictions }) => (self.lie)(question, predictions),
            _ => None,
        };
        if lie.is_some() {
            context.attacked();
        }
        let result = lie.unwrap_or(result);
        Some(Input::Inferred { request, result })
    }

    fn on_output(&mut self, _context: &mut Context<'_>, output: Output, out: &mut Outputs) {
        if let Output::Infer { request, task } = &output
            && let Some(question) = Question::of(task)
        {
            self.questions.insert(*request, question);
        }
        out.push(output);
    }
}
