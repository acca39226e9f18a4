//! Connections that open and close.

use super::super::base::Base;
use super::OpenNetwork;
use super::connection::{ADDRESS_RATE, Connection, Purpose};
use super::dialling::Call;
use crate::keys::NodeId;
use crate::peers::{Candidate, NetGroup, choose_victim};
use crate::primitives::Time;
use crate::process::{ConnectionEvent, Direction, Output, Outputs};
use crate::wire::{Message, NetAddress};
use alloc::vec::Vec;

/// Who hangs up sooner than this was not worth the call.
const SHORT_MS: u64 = 60_000;

/// What becomes of a connection that has opened.
enum Admission {
    /// It stays; perhaps another one has to make room.
    Stay { instead_of: Option<NodeId> },
    /// It has served its purpose, or is not wanted.
    Leave,
}

impl Base {
    pub(in crate::node) fn handle_connection(
        &mut self,
        now: Time,
        event: ConnectionEvent,
        out: &mut Outputs,
    ) {
        match event {
            ConnectionEvent::Opened {
                peer,
                address,
                direction,
            } => self.handle_opened(now, peer, address, direction, out),
            ConnectionEvent::Closed { peer } => {
                self.forget_peer(now, &peer);
                self.download(now, out);
            }
            ConnectionEvent::Failed { address } => {
                if let Some(network) = &mut self.network {
                    network.note_failure(now, address);
                }
            }
        }
        self.call(now, out);
    }

    fn handle_opened(
        &mut self,
        now: Time,
        peer: NodeId,
        address: NetAddress,
        direction: Direction,
        out: &mut Outputs,
    ) {
        let own = self.id();
        let Some(network) = &mut self.network else {
            if peer != own && !self.peers.contains(&peer) {
                self.peers.push(peer);
            }
            return;
        };
        // One that opens again has been closed, whether or not that was said.
        let again = network.is_connected(&peer);
        let admission = network.admit(now, (own, peer), address, direction);
        if again {
            self.forget_peer(now, &peer);
        }
        match admission {
            Admission::Leave => out.push(Output::Disconnect { peer }),
            Admission::Stay { instead_of } => {
                if let Some(victim) = instead_of {
                    self.drop_peer(now, victim, out);
                }
                self.greet(now, peer, address, direction, out);
            }
        }
    }

    fn greet(
        &mut self,
        now: Time,
        peer: NodeId,
        address: NetAddress,
        direction: Direction,
        out: &mut Outputs,
    ) {
        let purpose = match direction {
            Direction::Inbound => Purpose::Inbound,
            Direction::Outbound => Purpose::Outbound,
        };
        self.peers.push(peer);
        if let Some(network) = &mut self.network {
            let mut connection = Connection::new(address, purpose, now);
            if purpose == Purpose::Outbound {
                connection.addresses.credit(ADDRESS_RATE.burst);
            }
            network.connected.insert(peer, connection);
        }
        if direction == Direction::Outbound {
            self.advertise(now, &[peer], out);
            self.send(peer, &Message::GetAddresses, out);
        }
        self.request_headers(peer, out);
        self.announce_mempool_to(peer, out);
    }

    /// Ends a connection.
    pub(in crate::node) fn drop_peer(&mut self, now: Time, peer: NodeId, out: &mut Outputs) {
        out.push(Output::Disconnect { peer });
        self.forget_peer(now, &peer);
        self.download(now, out);
    }

    /// A peer is gone, and with it all that was expected of it.
    fn forget_peer(&mut self, now: Time, peer: &NodeId) {
        self.peers.retain(|other| other != peer);
        self.announcements.forget(peer);
        self.header_sync.forget(peer);
        self.downloads.forget(peer);
        if let Some(network) = &mut self.network {
            network.note_closed(now, peer);
        }
    }
}

impl OpenNetwork {
    /// Decides on a connection between `own` and `peer` that has opened.
    fn admit(
        &mut self,
        now: Time,
        (own, peer): (NodeId, NodeId),
        address: NetAddress,
        direction: Direction,
    ) -> Admission {
        let call = match direction {
            Direction::Outbound => self.dials.end(&address).unwrap_or(Call::Keep),
            Direction::Inbound => Call::Keep,
        };
        if peer == own {
            if direction == Direction::Outbound {
                self.note_own(address);
            }
            return Admission::Leave;
        }
        let seconds = now.timestamp();
        if self.bans.has_node(seconds, peer) || self.bans.has_address(seconds, &address) {
            self.book.forget(&address);
            return Admission::Leave;
        }
        match direction {
            Direction::Outbound => {
                self.book.note_success(seconds, &address, peer);
                self.dials.forgive(&address);
                match call {
                    Call::Keep => Admission::Stay { instead_of: None },
                    Call::Feeler => Admission::Leave,
                }
            }
            Direction::Inbound => self.admit_inbound(&peer),
        }
    }

    fn admit_inbound(&self, peer: &NodeId) -> Admission {
        let others = self
            .connected
            .iter()
            .filter(|(other, connection)| *other != peer && connection.purpose == Purpose::Inbound);
        let candidates: Vec<Candidate> = others
            .map(|(peer, connection)| Candidate {
                peer: *peer,
                group: NetGroup::of(&connection.address),
                opened: connection.opened,
                last_block: connection.last_block,
                last_transaction: connection.last_transaction,
            })
            .collect();
        if candidates.len() < self.config.max_inbound {
            return Admission::Stay { instead_of: None };
        }
        match choose_victim(&self.key, candidates) {
            Some(victim) => Admission::Stay {
                instead_of: Some(victim),
            },
            None => Admission::Leave,
        }
    }

    fn note_closed(&mut self, now: Time, peer: &NodeId) {
        let Some(connection) = self.connected.remove(peer) else {
            return;
        };
        if connection.purpose == Purpose::Inbound {
            return;
        }
        if now < connection.opened.after_ms(SHORT_MS) {
            self.note_failure(now, connection.address);
        } else {
            self.book.note_seen(now.timestamp(), &connection.address);
        }
    }
}
