//! E02 from the other side: the client has the delivery and claims that it has not.

use super::{Context, Strategy};
use camelid_core::process::{Input, Outputs};
use camelid_core::wire::Message;

/// Drops every delivery that arrives by message, and so claims that it is withheld.
pub(super) struct FalseWithheld;

impl Strategy for FalseWithheld {
    fn on_input(&mut self, context: &mut Context<'_>, input: Input, _out: &mut Outputs) -> Option<Input> {
        if let Input::Message { packet, .. } = &input
            && let Some((envelope, Message::Delivery { .. })) = context.open(packet)
            && envelope.recipient == Some(context.node.id())
        {
            context.attacked();
            return None;
        }
        Some(input)
    }
}
