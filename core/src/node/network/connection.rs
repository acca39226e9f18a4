//! A connection.

use crate::keys::NodeId;
use crate::peers::{Allowance, Conduct, Rate};
use crate::primitives::Time;
use crate::process::Direction;
use crate::wire::{NetAddress, PeerAddress};

/// Addresses that are taken from a peer: one in ten seconds in the long run (Bitcoin Core's rate), and a
/// whole message when they were asked for.
pub(super) const ADDRESS_RATE: Rate = Rate {
    milli_per_second: 100,
    burst: 1_000,
};

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::node) enum Purpose {
    /// The peer called.
    Inbound,
    /// This node called, and means to stay.
    Outbound,
}

/// A peer, as this node sees it.
pub(in crate::node) struct Connection {
    pub(super) address: NetAddress,
    /// Where a peer that called says that it can be called itself.
    pub(super) listens: Option<NetAddress>,
    pub(super) purpose: Purpose,
    pub(super) opened: Time,
    /// When it last gave a block that was news.
    pub(in crate::node) last_block: Time,
    /// When it last gave a transaction that was news.
    pub(in crate::node) last_transaction: Time,
    pub(super) conduct: Conduct,
    /// Addresses that are still taken from it.
    pub(super) addresses: Allowance,
    /// It has asked for addresses, and got them.
    pub(super) was_told_addresses: bool,
}

/// A connection, for the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerInfo {
    /// The peer.
    pub peer: NodeId,
    /// The other end. Of an inbound connection, where the peer calls from.
    pub address: NetAddress,
    /// Who opened it.
    pub direction: Direction,
    /// Since when.
    pub opened: Time,
    /// Points for offences, of [`BAN_POINTS`](crate::peers::BAN_POINTS).
    pub points: u32,
}

impl Connection {
    pub(super) fn new(address: NetAddress, purpose: Purpose, now: Time) -> Self {
        Self {
            address,
            listens: None,
            purpose,
            opened: now,
            last_block: Time(0),
            last_transaction: Time(0),
            conduct: Conduct::default(),
            // One for its own address.
            addresses: Allowance::with(ADDRESS_RATE, 1, now),
            was_told_addresses: false,
        }
    }

    /// Is the peer the one that would answer at `address`?
    pub(super) fn is_at(&self, address: &NetAddress) -> bool {
        match self.purpose {
            Purpose::Outbound => self.address == *address,
            Purpose::Inbound => self.listens == Some(*address),
        }
    }

    /// A peer that called tells of its own address first. It is believed where it calls from the same host:
    /// nobody can keep us from calling somebody else.
    pub(super) fn note_own_address(&mut self, told: &[PeerAddress]) {
        if let (Purpose::Inbound, None, [own]) = (self.purpose, self.listens, told)
            && own.address.host() == self.address.host()
        {
            self.listens = Some(own.address);
        }
    }

    pub(super) fn info(&self, peer: NodeId) -> PeerInfo {
        PeerInfo {
            peer,
            address: self.address,
            direction: match self.purpose {
                Purpose::Inbound => Direction::Inbound,
                Purpose::Outbound => Direction::Outbound,
            },
            opened: self.opened,
            points: self.conduct.points(),
        }
    }
}
