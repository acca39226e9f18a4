//! E10: the client signs an Engage only when its deadline is `level` blocks away, so that it races with the
//! refund.

use super::coins::cosign;
use super::{Context, Strategy};
use camelid_core::primitives::JobId;
use camelid_core::process::{Input, Outputs, Timer};
use camelid_core::tx::Transaction;
use camelid_core::wire::Message;
use std::collections::BTreeMap;

/// Keeps half-signed Engages until it is nearly too late.
#[derive(Default)]
pub(super) struct LateEngage {
    kept: BTreeMap<JobId, Transaction>,
}

impl Strategy for LateEngage {
    fn on_input(&mut self, context: &mut Context<'_>, input: Input, out: &mut Outputs) -> Option<Input> {
        match &input {
            Input::Message { packet, .. } => {
                if let Some((envelope, Message::Engage(engage))) = context.open(packet)
                    && envelope.recipient == Some(context.node.id())
                {
                    self.kept
                        .extend(engage.job_id.map(|job| (job, (*engage).clone())));
                    return None;
                }
            }
            Input::TimerFired(Timer::Maintenance) => self.send_late(context, out),
            _ => {}
        }
        Some(input)
    }
}

impl LateEngage {
    fn send_late(&mut self, context: &mut Context<'_>, out: &mut Outputs) {
        let ledger = context.node.chain().ledger();
        let next = u64::from(ledger.height().0) + 1;
        let is_due = |job: &JobId| {
            ledger
                .job(job)
                .is_some_and(|record| next + context.level >= u64::from(record.terms.deadline.0))
        };
        let due: Vec<JobId> = self.kept.keys().copied().filter(is_due).collect();
        for job in due {
            let signed = self.kept.remove(&job).and_then(|engage| cosign(context, &engage));
            let Some(signed) = signed else { continue };
            context.attacked();
            let message = Message::Transaction(Box::new(signed));
            for peer in context.node.peers() {
                context.send(*peer, &message, out);
            }
        }
    }
}
