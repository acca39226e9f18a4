//! What peers may do, and what becomes of those who do more.

use super::super::base::Base;
use super::connection::Connection;
use crate::keys::NodeId;
use crate::peers::{Offence, Refusal};
use crate::primitives::Time;
use crate::process::{Event, Outputs};
use crate::wire::Message;

impl Base {
    /// Is anything from this peer listened to? In an open network only while it is connected: what a
    /// peer that was sent away has sent before is on its way yet.
    pub(in crate::node) fn admits_from(&self, peer: &NodeId) -> bool {
        let network = self.network.as_ref();
        network.is_none_or(|network| network.is_connected(peer))
    }

    pub(in crate::node) fn connection(&mut self, peer: Option<NodeId>) -> Option<&mut Connection> {
        self.network.as_mut()?.connection(&peer?)
    }

    /// Counts a message of type `kind`; false if it is one too many, and not to be handled.
    pub(in crate::node) fn within_budget(
        &mut self,
        now: Time,
        from: NodeId,
        kind: u8,
        out: &mut Outputs,
    ) -> bool {
        let Some(connection) = self.connection(Some(from)) else {
            return true;
        };
        if connection.conduct.admit(now, kind) {
            return true;
        }
        // Others write what travels, and whoever passes it on cannot help it.
        if !Message::kind_travels(kind) {
            self.punish(now, from, Offence::Flood, out);
        }
        false
    }

    /// `peer` was asked for `count` messages of type `kind`.
    pub(in crate::node) fn expect_from(&mut self, now: Time, peer: NodeId, kind: u8, count: usize) {
        if let Some(connection) = self.connection(Some(peer)) {
            let count = u32::try_from(count).unwrap_or(u32::MAX);
            connection.conduct.expect(now, kind, count);
        }
    }

    /// Reports that something from `from` is refused, and lets it answer for it.
    pub(in crate::node) fn refuse(&mut self, now: Time, from: NodeId, refusal: Refusal, out: &mut Outputs) {
        let Refusal { offence, reason } = refusal;
        out.event(Event::Rejected { from, reason });
        self.punish(now, from, offence, out);
    }

    fn punish(&mut self, now: Time, peer: NodeId, offence: Offence, out: &mut Outputs) {
        let Some(network) = &mut self.network else { return };
        let Some(connection) = network.connected.get_mut(&peer) else {
            return;
        };
        if !connection.conduct.note(now, offence) {
            return;
        }
        let address = connection.address;
        let until = network.bans.add(now.timestamp(), peer, &address);
        network.book.forget(&address);
        out.event(Event::Banned { peer, until });
        self.drop_peer(now, peer, out);
    }
}
