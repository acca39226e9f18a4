//! E12: the checker takes requests and says nothing.

use super::{Context, Strategy};
use camelid_core::process::{Input, Outputs};
use camelid_core::wire::Message;

/// Drops every check that reaches it.
pub(super) struct NeverReplies;

impl Strategy for NeverReplies {
    fn on_input(&mut self, context: &mut Context<'_>, input: Input, _out: &mut Outputs) -> Option<Input> {
        if let Input::Message { packet, .. } = &input
            && let Some((_, Message::CheckRequest(_))) = context.open(packet)
        {
            context.attacked();
            return None;
        }
        Some(input)
    }
}
