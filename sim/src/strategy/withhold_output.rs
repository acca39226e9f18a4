//! E02: the node engages, collects the client's signature, and never delivers.

use super::{Context, Strategy};
use camelid_core::process::{Output, Outputs};
use camelid_core::tx::{ActionKind, Transaction};
use camelid_core::wire::Message;

/// Drops every delivery of its own, on the wire and on the ledger.
pub(super) struct WithholdOutput;

impl Strategy for WithholdOutput {
    fn on_output(&mut self, context: &mut Context<'_>, output: Output, out: &mut Outputs) {
        if let Output::Send { packet, .. } = &output
            && let Some((envelope, message)) = context.open(packet)
            && envelope.sender == context.node.id()
            && delivers(&message)
        {
            context.attacked();
            return;
        }
        out.push(output);
    }
}

fn delivers(message: &Message) -> bool {
    match message {
        Message::Delivery { .. } => true,
        Message::Transaction(transaction) => is_deliver(transaction),
        _ => false,
    }
}

fn is_deliver(transaction: &Transaction) -> bool {
    transaction
        .action
        .as_ref()
        .is_some_and(|action| matches!(action.kind, ActionKind::Deliver(_)))
}
