//! E04, H10: the node delivers a signed ciphertext that opens to nothing.

use super::{Context, Strategy};
use camelid_core::job::SignedDelivery;
use camelid_core::primitives::JobId;
use camelid_core::process::{Output, Outputs};
use camelid_core::tx::{Action, ActionKind, Transaction};
use camelid_core::wire::Message;
use std::collections::BTreeMap;

/// Replaces the ciphertext of each delivery by noise of the same length, signed like a real one.
#[derive(Default)]
pub(super) struct GarbageCiphertext {
    /// The garbage for each job, so that every copy is the same.
    deliveries: BTreeMap<JobId, SignedDelivery>,
}

impl Strategy for GarbageCiphertext {
    fn on_output(&mut self, context: &mut Context<'_>, output: Output, out: &mut Outputs) {
        let replaced = match &output {
            Output::Send { to, packet } => context.open(packet).and_then(|(envelope, message)| {
                let message = self
                    .spoil(context, message)
                    .filter(|_| envelope.sender == context.node.id())?;
                Some(Output::Send {
                    to: *to,
                    packet: context.rewrap(&envelope, &message)?,
                })
            }),
            _ => None,
        };
        if replaced.is_some() {
            context.attacked();
        }
        out.push(replaced.unwrap_or(output));
    }
}

impl GarbageCiphertext {
    /// The message with garbage in the place of our delivery, on the wire or on its way to the ledger.
    fn spoil(&mut self, context: &mut Context<'_>, message: Message) -> Option<Message> {
        match message {
            Message::Delivery { job, delivery } => {
                let delivery = Box::new(self.garbage(context, &job, &delivery)?);
                Some(Message::Delivery { job, delivery })
            }
            Message::Transaction(transaction) => {
                let (job, action) = (transaction.job_id?, transaction.action.clone()?);
                let ActionKind::Deliver(delivery) = action.kind else {
                    return None;
                };
                let kind = ActionKind::Deliver(Box::new(self.garbage(context, &job, &delivery)?));
                let action = Some(Action { kind, ..action });
                Some(Message::Transaction(Box::new(Transaction {
                    action,
                    ..*transaction
                })))
            }
            _ => None,
        }
    }

    fn garbage(
        &mut self,
        context: &mut Context<'_>,
        job: &JobId,
        delivery: &SignedDelivery,
    ) -> Option<SignedDelivery> {
        if let Some(garbage) = self.deliveries.get(job) {
            return Some(garbage.clone());
        }
        let ledger = context.node.chain().ledger();
        let record = ledger.job(job)?;
        let engagement = record.state.engagement()?;
        if engagement.node_key != context.key.public_key() {
            return None;
        }
        let seal = record.seal_context(ledger.genesis(), engagement);
        let noise = delivery
            .ciphertext
            .iter()
            .map(|_| context.stream.bytes32()[0])
            .collect();
        let garbage = SignedDelivery::sign(&seal, delivery.ephemeral, noise, context.key)?;
        self.deliveries.insert(*job, garbage.clone());
        Some(garbage)
    }
}
