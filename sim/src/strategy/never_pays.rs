//! R06: the client has its outputs checked and pays nobody for it.

use super::{Context, Strategy};
use camelid_core::process::{Output, Outputs};
use camelid_core::wire::Message;

/// Keeps its payments to itself.
pub(super) struct NeverPays;

impl Strategy for NeverPays {
    fn on_output(&mut self, context: &mut Context<'_>, output: Output, out: &mut Outputs) {
        if let Output::Send { packet, .. } = &output
            && let Some((_, Message::Transaction(transaction))) = context.open(packet)
            && transaction.action.is_none()
            && transaction.inputs.iter().any(|input| {
                let key = context.key.public_key();
                input.script_sig.as_bytes().ends_with(key.as_bytes())
            })
        {
            context.attacked();
            return;
        }
        out.push(output);
    }
}
