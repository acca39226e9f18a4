//! Playing with the evidence in a dispute (E16): not supplying it, supplying it to one seat only, and
//! not looking at it.

use super::{Context, Strategy};
use camelid_core::dispute::Evidence;
use camelid_core::escrow::Vote;
use camelid_core::keys::NodeId;
use camelid_core::primitives::JobId;
use camelid_core::process::{Input, Output, Outputs};
use camelid_core::wire::{Envelope, Message};
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

/// A party that shows its evidence to one seat, and to no other.
#[derive(Default)]
pub(super) struct SelectiveEvidence {
    chosen: BTreeMap<JobId, NodeId>,
}

impl Strategy for SelectiveEvidence {
    fn on_output(&mut self, context: &mut Context<'_>, output: Output, out: &mut Outputs) {
        let Some((envelope, evidence)) = own_evidence(context, &output) else {
            return out.push(output);
        };
        let job = evidence.job;
        let Some(chosen) = self
            .chosen
            .get(&job)
            .copied()
            .or_else(|| first_seat(context, job))
        else {
            return;
        };
        self.chosen.insert(job, chosen);
        if envelope.recipient == Some(chosen) {
            return out.push(output);
        }
        context.attacked();
        let to_one = Envelope {
            recipient: Some(chosen),
            ..envelope
        };
        if let (None, Output::Send { to, .. }) = (envelope.recipient, output) {
            let packet = to_one.to_packet();
            out.push(Output::Send { to, packet });
        }
    }
}

/// Who holds the first seat that has not voted in the dispute over `job`.
fn first_seat(context: &Context<'_>, job: JobId) -> Option<NodeId> {
    let ledger = context.node.chain().ledger();
    let clock = ledger.clock(ledger.next_moment(context.now.timestamp()));
    let standing = ledger.job(&job)?.at(&clock);
    let dispute = standing.record.state.dispute()?;
    let mut seats = dispute.current_seats().iter();
    Some(seats.find(|seat| seat.vote == Vote::None)?.key.key_hash())
}

/// A seat that does not look at evidence, so as to be paid for saying that there was none.
#[derive(Default)]
pub(super) struct DeafVerifier;

impl Strategy for DeafVerifier {
    fn on_input(&mut self, context: &mut Context<'_>, input: Input, _out: &mut Outputs) -> Option<Input> {
        if let Input::Message { packet, .. } = &input
            && let Some((envelope, Message::Evidence(_))) = context.open(packet)
            && envelope
                .recipient
                .is_none_or(|recipient| recipient == context.node.id())
        {
            context.attacked();
            return None;
        }
        Some(input)
    }
}

/// Evidence that this node sends on its own account.
fn own_evidence(context: &Context<'_>, output: &Output) -> Option<(Envelope, Evidence)> {
    let Output::Send { packet, .. } = output else {
        return None;
    };
    match context.open(packet)? {
        (envelope, Message::Evidence(evidence)) if envelope.sender == context.node.id() => {
            Some((envelope, *evidence))
        }
        _ => None,
    }
}
