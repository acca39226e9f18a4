//! R02: the node commits to what another node has committed to, without having it.

use super::{Context, Strategy, engage};
use camelid_core::primitives::{Commitment, JobId};
use camelid_core::process::{Input, Output, Outputs};
use camelid_core::wire::Message;
use std::collections::BTreeMap;

/// Waits for another node's half-signed Engage to pass by, stops it, and sends one of its own with
/// the same commitment.
#[derive(Default)]
pub(super) struct CopiedCommitment {
    /// Commitments of others.
    seen: BTreeMap<JobId, Commitment>,
    /// Engages of our own that have nothing to copy yet.
    held: BTreeMap<JobId, Vec<Output>>,
}

impl Strategy for CopiedCommitment {
    fn on_input(&mut self, context: &mut Context<'_>, input: Input, out: &mut Outputs) -> Option<Input> {
        let Input::Message { packet, .. } = &input else {
            return Some(input);
        };
        let Some((envelope, Message::Engage(original))) = context.open(packet) else {
            return Some(input);
        };
        let Some((job, party)) = engage::party(&original) else {
            return Some(input);
        };
        if envelope.sender == context.node.id() {
            return Some(input);
        }
        self.seen.insert(job, party.commitment);
        for output in self.held.remove(&job).unwrap_or_default() {
            self.send(context, job, output, out);
        }
        None
    }

    fn on_output(&mut self, context: &mut Context<'_>, output: Output, out: &mut Outputs) {
        match engage::own(context, &output) {
            Some((job, _)) => self.send(context, job, output, out),
            None => out.push(output),
        }
    }
}

impl CopiedCommitment {
    /// Sends our Engage for `job` with the copied commitment, or holds it back until there is one.
    fn send(&mut self, context: &mut Context<'_>, job: JobId, output: Output, out: &mut Outputs) {
        let Some(commitment) = self.seen.get(&job) else {
            self.held.entry(job).or_default().push(output);
            return;
        };
        if let Some(copied) = engage::with_commitment(context, &output, *commitment) {
            context.attacked();
            out.push(copied);
        }
    }
}
