//! E03: the client lets nodes compute and commit, and never signs an Engage.

use super::{Context, Strategy};
use camelid_core::process::{Input, Outputs};
use camelid_core::wire::Message;

/// Drops every half-signed Engage that arrives.
pub(super) struct NeverCosign;

impl Strategy for NeverCosign {
    fn on_input(&mut self, context: &mut Context<'_>, input: Input, _out: &mut Outputs) -> Option<Input> {
        if let Input::Message { packet, .. } = &input
            && let Some((envelope, Message::Engage(_))) = context.open(packet)
            && envelope.recipient == Some(context.node.id())
        {
            context.attacked();
            return None;
        }
        Some(input)
    }
}
