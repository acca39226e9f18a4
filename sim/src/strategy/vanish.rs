//! The client signs an Engage, and from the moment that it is mined nothing is heard of it again.

use super::{Context, Strategy};
use camelid_core::process::{Input, Outputs};

/// Stops once a node is bound.
#[derive(Default)]
pub(super) struct Vanish {
    gone: bool,
}

impl Strategy for Vanish {
    fn on_input(&mut self, context: &mut Context<'_>, input: Input, _out: &mut Outputs) -> Option<Input> {
        let own = context.node.id();
        let mut jobs = context.node.chain().ledger().unclosed_jobs();
        if !self.gone && jobs.any(|record| record.terms.contact == own && record.state.engagement().is_some())
        {
            self.gone = true;
            context.attacked();
        }
        (!self.gone).then_some(input)
    }
}
