//! R05: a seat copies another's vote. Votes are hidden until all are cast, and a commitment binds the
//! ticket that made it: the copy can be committed to, and never be opened.

use super::{Context, Strategy};
use camelid_core::committee::sign_vote;
use camelid_core::escrow::Vote;
use camelid_core::keys::SecretKey;
use camelid_core::model::{InferenceResult, InferenceTask};
use camelid_core::primitives::{BoundedVec, Hash256, JobId};
use camelid_core::process::{Input, Output, Outputs, RequestId};
use camelid_core::tx::{Action, ActionKind, OutPoint, Transaction};
use camelid_core::wire::Message;
use std::collections::BTreeSet;

/// Never runs the model; repeats what others say.
#[derive(Default)]
pub(super) struct CopiedVote {
    questions: BTreeSet<RequestId>,
    copied: BTreeSet<(JobId, u32)>,
    /// Ballots that were copied: of two copiers, each would answer the other for ever.
    opened: BTreeSet<(JobId, u32, OutPoint)>,
}

impl Strategy for CopiedVote {
    fn on_input(&mut self, context: &mut Context<'_>, input: Input, out: &mut Outputs) -> Option<Input> {
        match &input {
            Input::Inferred { request, .. } if self.questions.remove(request) => {
                let result = InferenceResult::failed("why compute?");
                return Some(Input::Inferred {
                    request: *request,
                    result,
                });
            }
            Input::Message { packet, .. } => {
                if let Some((_, Message::Transaction(transaction))) = context.open(packet) {
                    self.see(context, &transaction, out);
                }
            }
            _ => {}
        }
        Some(input)
    }

    fn on_output(&mut self, _context: &mut Context<'_>, output: Output, out: &mut Outputs) {
        if let Output::Infer { request, task } = &output
            && matches!(&**task, InferenceTask::Predict { job, .. } if *job != JobId([0; 32]))
        {
            self.questions.insert(*request);
        }
        out.push(output);
    }
}

impl CopiedVote {
    fn see(&mut self, context: &mut Context<'_>, transaction: &Transaction, out: &mut Outputs) {
        let (Some(job), Some(Action { seq, kind })) = (transaction.job_id, &transaction.action) else {
            return;
        };
        let Some(own) = own_seat(context, job) else {
            return;
        };
        let copy = match kind {
            ActionKind::VoteCommit {
                ticket, commitment, ..
            } if *ticket != own.ticket && self.copied.insert((job, *seq)) => {
                context.attacked();
                own.commit(commitment, context.key)
            }
            ActionKind::VoteReveal { ticket, ballot, salt }
                if *ticket != own.ticket && self.opened.insert((job, *seq, *ticket)) =>
            {
                ActionKind::VoteReveal {
                    ticket: own.ticket,
                    ballot: *ballot,
                    salt: *salt,
                }
            }
            _ => return,
        };
        Self::send(
            context,
            job,
            Action {
                seq: *seq,
                kind: copy,
            },
            out,
        );
    }

    fn send(context: &mut Context<'_>, job: JobId, action: Action, out: &mut Outputs) {
        let transaction = Transaction {
            version: 2,
            inputs: BoundedVec::new(),
            outputs: BoundedVec::new(),
            lock_time: 0,
            job_id: Some(job),
            action: Some(action),
        };
        let message = Message::Transaction(Box::new(transaction));
        for peer in context.node.peers() {
            context.send(*peer, &message, out);
        }
    }
}

/// A seat of this node.
struct Own {
    round: Hash256,
    ticket: OutPoint,
}

impl Own {
    fn commit(&self, commitment: &Hash256, key: &SecretKey) -> ActionKind {
        ActionKind::VoteCommit {
            ticket: self.ticket,
            commitment: *commitment,
            signature: sign_vote(&self.round, &self.ticket, commitment, key),
        }
    }
}

/// This node's seat in the dispute over `job`, if it has one and has not voted.
fn own_seat(context: &Context<'_>, job: JobId) -> Option<Own> {
    let ledger = context.node.chain().ledger();
    let clock = ledger.clock(ledger.next_moment(context.now.timestamp()));
    let standing = ledger.job(&job)?.at(&clock);
    let dispute = standing.record.state.dispute()?;
    let own = context.key.public_key();
    let mut seats = dispute.current_seats().iter();
    let seat = seats.find(|seat| seat.key == own && !matches!(seat.vote, Vote::Revealed(_)))?;
    Some(Own {
        round: standing.round?,
        ticket: seat.ticket,
    })
}
