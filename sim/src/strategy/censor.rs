//! H9, E09: a miner leaves a kind of transaction out of its blocks.

use super::{Context, Strategy};
use camelid_core::process::{Input, Outputs};
use camelid_core::tx::ActionKind;
use camelid_core::wire::Message;

/// Neither mines nor passes on what `unwanted` names.
pub(super) struct Censor {
    unwanted: fn(&ActionKind) -> bool,
}

impl Censor {
    /// What clients say against a node.
    pub(super) const CLAIMS: Self = Self {
        unwanted: |kind| matches!(kind, ActionKind::Claim { .. } | ActionKind::BadDelivery(_)),
    };
    /// What a node answers a claim with.
    pub(super) const DELIVER: Self = Self {
        unwanted: |kind| matches!(kind, ActionKind::Deliver(_)),
    };
    /// What binds client and node.
    pub(super) const ENGAGE: Self = Self {
        unwanted: |kind| matches!(kind, ActionKind::Engage { .. }),
    };
}

impl Strategy for Censor {
    fn on_input(&mut self, context: &mut Context<'_>, input: Input, _out: &mut Outputs) -> Option<Input> {
        if let Input::Message { packet, .. } = &input
            && let Some((_, Message::Transaction(transaction))) = context.open(packet)
            && let Some(action) = &transaction.action
            && (self.unwanted)(&action.kind)
        {
            context.attacked();
            return None;
        }
        Some(input)
    }
}
