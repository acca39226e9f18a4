//! Playing with the evidence in a dispute (E16): not supplying it, supplying it to one seat only, and
//! not looking at it.

use super::{Context, Strategy};
use camelid_core::keys::NodeId;
use camelid_core::primitives::JobId;
use camelid_core::process::{Input, Output, Outputs};
use camelid_core::wire::Message;
use std::collections::BTreeMap;

/// A party that shows its evidence to nobody.
#[derive(Default)]
pub(super) struct NoEvidence;

impl Strategy for NoEvidence {
    fn on_output(&mut self, context: &mut Context<'_>, output: Output, out: &mut Outputs) {
        if own_evidence(context, &output).is_some() {
            return context.attacked();
        }
        out.push(output);
    }
}

/// A party that shows its evidence to the first seat it writes to, and to no other.
#[derive(Default)]
pub(super) struct SelectiveEvidence {
    chosen: BTreeMap<JobId, NodeId>,
}

impl Strategy for SelectiveEvidence {
    fn on_output(&mut self, context: &mut Context<'_>, output: Output, out: &mut Outputs) {
        if let Some((job, recipient)) = own_evidence(context, &output)
            && *self.chosen.entry(job).or_insert(recipient) != recipient
        {
            return context.attacked();
        }
        out.push(output);
    }
}

/// A seat that does not look at evidence, so as to be paid for saying that there was none.
#[derive(Default)]
pub(super) struct DeafVerifier;

impl Strategy for DeafVerifier {
    fn on_input(&mut self, context: &mut Context<'_>, input: Input, _out: &mut Outputs) -> Option<Input> {
        if let Input::Message { packet, .. } = &input
            && let Some((envelope, Message::Evidence(_))) = context.open(packet)
            && envelope.recipient == Some(context.node.id())
        {
            context.attacked();
            return None;
        }
        Some(input)
    }
}

/// The job and the recipient of evidence that this node sends on its own account.
fn own_evidence(context: &Context<'_>, output: &Output) -> Option<(JobId, NodeId)> {
    let Output::Send { packet, .. } = output else {
        return None;
    };
    match context.open(packet)? {
        (envelope, Message::Evidence(evidence)) if envelope.sender == context.node.id() => {
            Some((evidence.job, envelope.recipient?))
        }
        _ => None,
    }
}
