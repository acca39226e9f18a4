//! What is looked after every second: calls, numbers of connections, the saved book.

use super::super::base::Base;
use super::super::record::Record;
use super::OpenNetwork;
use super::connection::{Connection, Purpose};
use crate::keys::NodeId;
use crate::peers::SavedPeers;
use crate::primitives::Time;
use crate::process::{Event, Output, Outputs, Timer};
use alloc::boxed::Box;
use alloc::vec::Vec;

/// Milliseconds between looks.
const TENDING_MS: u64 = 1_000;
/// The first save comes soon, for the anchors.
const FIRST_SAVE_MS: u64 = 60_000;
/// The book is saved so often, if it has changed.
const SAVE_MS: u64 = 15 * 60_000;
/// A node's own address is told anew about once a day.
const ADVERTISEMENT_MS: (u64, u64) = (20 * 3_600_000, 28 * 3_600_000);

impl Base {
    pub(in crate::node) fn restore_peers(&mut self, saved: SavedPeers) {
        if let Some(network) = &mut self.network {
            network.restore(saved);
        }
    }

    pub(in crate::node) fn start_network(&mut self, now: Time, out: &mut Outputs) {
        let Some(network) = &mut self.network else { return };
        for (peer, until) in network.bans.nodes(now.timestamp()) {
            out.event(Event::Banned { peer, until });
        }
        network.next_save = now.after_ms(FIRST_SAVE_MS);
        network.next_feeler = now.after_ms(FIRST_SAVE_MS);
        network.next_advertisement =
            now.after_ms(network.stream.range(ADVERTISEMENT_MS.0, ADVERTISEMENT_MS.1));
        self.tend_connections(now, out);
    }

    pub(in crate::node) fn tend_connections(&mut self, now: Time, out: &mut Outputs) {
        let Some(network) = &mut self.network else { return };
        network.give_up_overdue(now);
        for peer in network.surplus() {
            self.drop_peer(now, peer, out);
        }
        self.advertise_again(now, out);
        self.save_peers(now, out);
        self.call(now, out);
        out.push(Output::SetTimer {
            timer: Timer::Connections,
            at: now.after_ms(TENDING_MS),
        });
    }

    /// Calls whom it wants to talk to.
    pub(super) fn call(&mut self, now: Time, out: &mut Outputs) {
        let Some(network) = &mut self.network else { return };
        for address in network.calls(now) {
            out.push(Output::Connect { address });
        }
    }

    fn advertise_again(&mut self, now: Time, out: &mut Outputs) {
        let Some(network) = &mut self.network else { return };
        if now < network.next_advertisement {
            return;
        }
        network.next_advertisement =
            now.after_ms(network.stream.range(ADVERTISEMENT_MS.0, ADVERTISEMENT_MS.1));
        let outbound = |(_, connection): &(&NodeId, &Connection)| connection.purpose == Purpose::Outbound;
        let peers = network.connected.iter().filter(outbound).map(|(peer, _)| *peer);
        let peers: Vec<NodeId> = peers.collect();
        self.advertise(now, &peers, out);
    }

    fn save_peers(&mut self, now: Time, out: &mut Outputs) {
        let Some(network) = &mut self.network else { return };
        if now < network.next_save || !(network.book.take_changed() | network.bans.take_changed()) {
            return;
        }
        network.next_save = now.after_ms(SAVE_MS);
        let saved = network.saved();
        out.push(Output::Persist(Box::new(Record::Peers(Box::new(saved)))));
    }
}

impl OpenNetwork {
    /// Outbound peers above the target, youngest first.
    fn surplus(&self) -> Vec<NodeId> {
        let mut outbound: Vec<_> = self
            .connected
            .iter()
            .filter(|(_, connection)| connection.purpose == Purpose::Outbound)
            .map(|(peer, connection)| (connection.opened, *peer))
            .collect();
        outbound.sort();
        let peers = outbound.into_iter().map(|(_, peer)| peer);
        peers.skip(self.config.outbound).collect()
    }
}
