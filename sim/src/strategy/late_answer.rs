//! H5: the node answers a Withheld claim when the time for it is over.

use super::{Context, Strategy};
use camelid_core::primitives::JobId;
use camelid_core::process::{Input, Output, Outputs, Timer};
use camelid_core::tx::ActionKind;
use camelid_core::wire::Message;
use std::collections::BTreeMap;

/// Keeps its deliveries back, and sends the answer to a claim after the window.
#[derive(Default)]
pub(super) struct LateAnswer {
    answers: BTreeMap<JobId, Message>,
}

impl Strategy for LateAnswer {
    fn on_output(&mut self, context: &mut Context<'_>, output: Output, out: &mut Outputs) {
        if let Output::Send { packet, .. } = &output
            && let Some((_, message)) = context.open(packet)
        {
            match &message {
                Message::Delivery { .. } => return,
                Message::Transaction(transaction) => {
                    let action = transaction.action.as_ref();
                    if action.is_some_and(|action| matches!(action.kind, ActionKind::Deliver(_))) {
                        self.answers.extend(transaction.job_id.map(|job| (job, message)));
                        return;
                    }
                }
                _ => {}
            }
        }
        out.push(output);
    }

    fn on_input(&mut self, context: &mut Context<'_>, input: Input, out: &mut Outputs) -> Option<Input> {
        if matches!(input, Input::TimerFired(Timer::Maintenance)) {
            self.send_late(context, out);
        }
        Some(input)
    }
}

impl LateAnswer {
    fn send_late(&mut self, context: &mut Context<'_>, out: &mut Outputs) {
        let chain = context.node.chain();
        let moment = chain.ledger().next_moment(context.now.timestamp());
        let is_late = |job: &JobId| {
            chain
                .ledger()
                .job(job)
                .is_some_and(|record| record.at(&chain.ledger().clock(moment)).stage.settles())
        };
        let late: Vec<JobId> = self.answers.keys().copied().filter(is_late).collect();
        for answer in late.iter().filter_map(|job| self.answers.remove(job)) {
            context.attacked();
            for peer in context.node.peers() {
                context.send(*peer, &answer, out);
            }
        }
    }
}
