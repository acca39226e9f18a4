//! E04, H10: the node delivers a signed ciphertext that opens to nothing.

use super::{Context, Strategy};
use camelid_core::job::SignedDelivery;
use camelid_core::primitives::JobId;
use camelid_core::process::{Output, Outputs};
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
                let Message::Delivery { job, delivery } = message else {
                    return None;
                };
                if envelope.sender != context.node.id() {
                    return None;
                }
                let garbage = self.garbage(context, &job, &delivery)?;
                let message = Message::Delivery {
                    job,
                    delivery: Box::new(garbage),
                };
                Some(Output::Send {
                    to: *to,
                    packet: context.rewrap(&envelope, &message)?,
                })
            }),
            _ => None,
        };
        match replaced {
            Some(replaced) => {
                context.attacked();
                out.push(replaced);
            }
            None => out.push(output),
        }
    }
}

impl GarbageCiphertext {
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
        let seal = record.seal_context(ledger.genesis(), record.state.engagement()?);
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
