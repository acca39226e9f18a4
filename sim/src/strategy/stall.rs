//! E12: the worker accepts jobs, computes them, and never commits.

use super::{Context, Strategy};
use camelid_core::process::{Output, Outputs};
use camelid_core::wire::Message;

/// Drops every half-signed Engage of its own.
pub(super) struct Stall;

impl Strategy for Stall {
    fn on_output(&mut self, context: &mut Context<'_>, output: Output, out: &mut Outputs) {
        if let Output::Send { packet, .. } = &output
            && let Some((envelope, Message::Engage(_))) = context.open(packet)
            && envelope.sender == context.node.id()
        {
            context.attacked();
            return;
        }
        out.push(output);
    }
}
