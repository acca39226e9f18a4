//! Who is connected, and which of two connections with the same peer is kept.

use crate::outbox::Outbox;
use camelid_core::keys::NodeId;
use camelid_core::process::Direction;
use camelid_core::wire::NetAddress;
use std::collections::BTreeMap;
use tokio::sync::watch;
use tokio::time::Instant;

/// A connection as both of its ends see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    /// Who opened it.
    pub(crate) direction: Direction,
    /// The peer's [`instance`](crate::hello::Claims::instance).
    pub(crate) instance: u64,
}

/// A connected peer.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Ours for the connection, never used again.
    pub(crate) number: u64,
    pub(crate) kind: Kind,
    pub(crate) connection: quinn::Connection,
    pub(crate) address: NetAddress,
    pub(crate) services: u8,
    pub(crate) listen_port: Option<u16>,
    pub(crate) since: Instant,
    pub(crate) outbox: Outbox,
    /// Ends when the connection's last event has been told.
    pub(crate) told: watch::Receiver<()>,
}

/// The connected peers, one connection each.
#[derive(Debug, Default)]
pub(crate) struct Table {
    pub(crate) peers: BTreeMap<NodeId, Entry>,
    last_number: u64,
}

impl Table {
    /// A number for a new entry.
    pub(crate) fn next_number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }

    /// May a new connection with `peer` take the place of the one there is, if any?
    pub(crate) fn has_place(&self, own: NodeId, peer: NodeId, new: Kind) -> bool {
        self.peers.get(&peer).is_none_or(|entry| {
            entry.connection.close_reason().is_some() || replaces(own, peer, entry.kind, new)
        })
    }
}

/// Which of two live connections between the same two nodes stays. Both ends come to the same answer
/// whatever they see first: of two that were opened from different ends, the one that the smaller id
/// opened; of two from the same end, the older, unless that end has been restarted in between.
fn replaces(own: NodeId, peer: NodeId, old: Kind, new: Kind) -> bool {
    if old.instance != new.instance {
        return true;
    }
    match (old.direction, new.direction) {
        (Direction::Inbound, Direction::Outbound) => own < peer,
        (Direction::Outbound, Direction::Inbound) => peer < own,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: NodeId = camelid_core::keys::KeyHash([1; 20]);
    const LARGE: NodeId = camelid_core::keys::KeyHash([2; 20]);

    fn kind(direction: Direction) -> Kind {
        Kind {
            direction,
            instance: 7,
        }
    }

    /// What each end keeps of two crossing connections, in either order of arrival, is the one that
    /// the smaller id opened.
    #[test]
    fn both_ends_keep_the_same_connection() {
        let (inbound, outbound) = (kind(Direction::Inbound), kind(Direction::Outbound));
        assert!(replaces(SMALL, LARGE, inbound, outbound));
        assert!(!replaces(SMALL, LARGE, outbound, inbound));
        assert!(replaces(LARGE, SMALL, outbound, inbound));
        assert!(!replaces(LARGE, SMALL, inbound, outbound));
    }

    #[test]
    fn a_second_call_waits_for_a_restart() {
        for direction in [Direction::Inbound, Direction::Outbound] {
            let old = kind(direction);
            assert!(!replaces(SMALL, LARGE, old, old));
            assert!(replaces(SMALL, LARGE, old, Kind { instance: 8, ..old }));
        }
    }
}
