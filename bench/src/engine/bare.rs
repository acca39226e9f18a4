//! The bare engine: heap and network model, without nodes.

use crate::Load;
use camelid_core::primitives::{Stream, Time};
use camelid_core::wire::Packet;
use camelid_sim::scenario::{Link, Range};
use camelid_sim::world::{Heap, Network};

/// Moves the load around the ring.
pub(crate) fn run() {
    let link = Link {
        latency_ms: Range { low: 20, high: 250 },
        loss_permille: 0,
        duplicate_permille: 0,
        reorder_permille: 0,
    };
    let mut network = Network::new(link, Stream::new(0, "bench"));
    let mut heap = Heap::new();
    for number in 0..Load::IN_FLIGHT {
        heap.push(
            Time(0),
            (number % Load::NODES, Packet::from(vec![0; Load::BYTES])),
        );
    }
    for _ in 0..Load::MESSAGES {
        let Some((now, (node, packet))) = heap.pop_until(Time(u64::MAX)) else {
            return;
        };
        let next = (node + 1) % Load::NODES;
        for delay_ms in network.carry(node, next) {
            heap.push(now.after_ms(delay_ms), (next, packet.clone()));
        }
    }
}
