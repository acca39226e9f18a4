//! H17: a node that others' messages pass through does with them what it likes, once `level` jobs have been
//! engaged.

use super::{Context, Strategy};
use camelid_core::escrow::{JobState, Outcome};
use camelid_core::keys::{KeyHash, NodeId};
use camelid_core::process::{Input, Output, Outputs, Timer};
use camelid_core::wire::{Envelope, MAX_HOPS, Message};

/// Does something to what it should pass on.
pub(super) struct Relay {
    does: Does,
    held: Vec<(NodeId, Envelope)>,
}

enum Does {
    /// Swallows messages of jobs.
    Mute,
    /// Swallows messages of jobs and transactions: its peers get blocks and nothing else.
    Eclipse,
    /// Holds messages of jobs until its next maintenance, and sends each twice, the last one first.
    Hold,
    /// Sends each message of a job to all its peers, back to where it came from included, with all hops.
    Loop,
    /// Passes messages of jobs on under another sender's name.
    Forge,
}

impl Relay {
    pub(super) const MUTE: Self = Self::that(Does::Mute);
    pub(super) const ECLIPSE: Self = Self::that(Does::Eclipse);
    pub(super) const HOLD: Self = Self::that(Does::Hold);
    pub(super) const LOOP: Self = Self::that(Does::Loop);
    pub(super) const FORGE: Self = Self::that(Does::Forge);

    const fn that(does: Does) -> Self {
        let held = Vec::new();
        Self { does, held }
    }
}

impl Strategy for Relay {
    fn on_output(&mut self, context: &mut Context<'_>, output: Output, out: &mut Outputs) {
        let Output::Send { to, packet } = &output else {
            return out.push(output);
        };
        let Some((envelope, message)) = context.open(packet) else {
            return out.push(output);
        };
        let passes_by = message.travels() && envelope.sender != context.node.id();
        let gossip = matches!(message, Message::Inventory(_) | Message::Transaction(_));
        let concerns_us = passes_by || gossip && matches!(self.does, Does::Eclipse);
        if !(concerns_us && has_begun(context)) {
            return out.push(output);
        }
        context.attacked();
        match self.does {
            Does::Mute | Does::Eclipse => {}
            Does::Hold => self.held.push((*to, envelope)),
            Does::Loop => {
                let hops_left = MAX_HOPS;
                let renewed = Envelope {
                    hops_left,
                    ..envelope
                };
                for peer in context.node.peers() {
                    send(*peer, &renewed, out);
                }
            }
            Does::Forge => {
                let mut name = [0; 20];
                name.copy_from_slice(&context.stream.bytes32()[..20]);
                let sender = KeyHash(name);
                send(*to, &Envelope { sender, ..envelope }, out);
            }
        }
    }

    fn on_input(&mut self, _context: &mut Context<'_>, input: Input, out: &mut Outputs) -> Option<Input> {
        if matches!(input, Input::TimerFired(Timer::Maintenance)) {
            for (to, envelope) in self.held.drain(..).rev() {
                send(to, &envelope, out);
                send(to, &envelope, out);
            }
        }
        Some(input)
    }
}

/// True once the ledger has seen `level` jobs engaged.
fn has_begun(context: &Context<'_>) -> bool {
    let was_engaged = |state: &JobState| match state {
        JobState::Open => false,
        JobState::Closed(outcome) => *outcome != Outcome::Refunded,
        _ => true,
    };
    let mut engaged = 0;
    let ledger = context.node.chain().ledger();
    ledger.each_job(|record| engaged += u64::from(was_engaged(&record.state)));
    engaged >= context.level
}

fn send(to: NodeId, envelope: &Envelope, out: &mut Outputs) {
    let packet = envelope.to_packet();
    out.push(Output::Send { to, packet });
}
