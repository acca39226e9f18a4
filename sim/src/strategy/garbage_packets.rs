//! E14: a node sends its peers packets that are damaged, oversized, or not for this network.

use super::{Context, Strategy};
use camelid_core::primitives::BoundedVec;
use camelid_core::process::{Input, Output, Outputs, Timer};
use camelid_core::wire::{Envelope, MAX_HOPS, Message, Packet};

/// Sends one sort of garbage to all peers with each maintenance.
pub(super) struct GarbagePackets;

impl Strategy for GarbagePackets {
    fn on_input(&mut self, context: &mut Context<'_>, input: Input, out: &mut Outputs) -> Option<Input> {
        if matches!(input, Input::TimerFired(Timer::Maintenance)) {
            context.attacked();
            let garbage = garbage(context);
            let Some(packet) = context.stream.pick(&garbage) else {
                return Some(input);
            };
            for to in context.node.peers() {
                let (to, packet) = (*to, packet.clone());
                out.push(Output::Send { to, packet });
            }
        }
        Some(input)
    }
}

/// One packet for each rule that can be broken.
fn garbage(context: &mut Context<'_>) -> Vec<Packet> {
    let chain = context.node.chain();
    let locator = BoundedVec::from_vec(chain.locator()).unwrap_or_default();
    let id = context.stream.next_u64();
    let message = Message::GetHeaders(locator);
    let Some(whole) = Envelope::new(chain.params().magic, context.node.id(), None, id, 0, &message) else {
        return Vec::new();
    };
    let bytes = whole.to_packet().to_vec();
    let longer = [&bytes[..], &[0]].concat();
    let half = bytes.iter().take(bytes.len() / 2).copied().collect();
    // A list that says it has 2^32 - 1 elements, under a checksum that fits.
    let endless = Envelope {
        payload: BoundedVec::from_vec(vec![0xff; 4]).unwrap_or_default(),
        checksum: [0x3b, 0xb1, 0x30, 0x29],
        ..whole.clone()
    };
    let damaged = Envelope {
        checksum: [0; 4],
        ..whole.clone()
    };
    let foreign = Envelope {
        magic: *b"NONE",
        ..whole.clone()
    };
    let tireless = Envelope {
        hops_left: MAX_HOPS + 1,
        ..whole.clone()
    };
    let unknown = Envelope {
        kind: u8::MAX,
        ..whole
    };
    let broken = [endless, damaged, foreign, tireless, unknown].map(|envelope| envelope.to_packet());
    let cut = [Vec::new(), context.stream.bytes32().to_vec(), half, longer].map(Packet::from);
    cut.into_iter().chain(broken).collect()
}
