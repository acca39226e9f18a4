//! Who is not wanted for a while.

use super::group::Reach;
use crate::keys::NodeId;
use crate::primitives::Timestamp;
use crate::wire::NetAddress;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};

/// Seconds that a ban lasts: a day, as in Bitcoin Core.
pub const BAN_S: u32 = 86_400;
/// Bans that are remembered: the ones that end first make room.
pub const MAX_BANS: usize = 2_000;

/// Who is banned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub(super) enum Banned {
    /// A node, wherever it calls from.
    Node(NodeId),
    /// Everything at a public address, whatever its port.
    Host([u8; 16]),
    /// One local address: others on the same machine have done nothing.
    Local(NetAddress),
}

/// A ban and its end.
pub(super) type SavedBan = (Banned, Timestamp);

/// Nodes and addresses that are refused.
#[derive(Clone, Debug, Default)]
pub struct Bans {
    ends: BTreeMap<Banned, Timestamp>,
    changed: bool,
}

impl Bans {
    /// Bans a node and where it was for [`BAN_S`]; returns the end.
    pub fn add(&mut self, now: Timestamp, node: NodeId, address: &NetAddress) -> Timestamp {
        let end = Timestamp(now.0.saturating_add(BAN_S));
        self.insert(Banned::Node(node), end);
        self.insert(place(address), end);
        self.ends.retain(|_, end| now < *end);
        self.changed = true;
        end
    }

    /// True once after somebody was banned.
    pub fn take_changed(&mut self) -> bool {
        core::mem::take(&mut self.changed)
    }

    /// Nodes that are refused, and until when.
    pub fn nodes(&self, now: Timestamp) -> impl Iterator<Item = (NodeId, Timestamp)> {
        self.ends.iter().filter_map(move |(banned, end)| match banned {
            Banned::Node(node) if now < *end => Some((*node, *end)),
            _ => None,
        })
    }

    fn insert(&mut self, banned: Banned, end: Timestamp) {
        self.ends.insert(banned, end);
        while self.ends.len() > MAX_BANS {
            let soonest = self.ends.iter().min_by_key(|(_, end)| **end);
            let Some(banned) = soonest.map(|(banned, _)| *banned) else {
                return;
            };
            self.ends.remove(&banned);
        }
    }

    /// Is this node refused?
    pub fn has_node(&self, now: Timestamp, node: NodeId) -> bool {
        self.has(now, &Banned::Node(node))
    }

    /// Is this address refused?
    pub fn has_address(&self, now: Timestamp, address: &NetAddress) -> bool {
        self.has(now, &place(address))
    }

    fn has(&self, now: Timestamp, banned: &Banned) -> bool {
        self.ends.get(banned).is_some_and(|end| now < *end)
    }

    /// Number of bans, of nodes and of addresses.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// True when nobody is banned.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    pub(super) fn saved(&self) -> Vec<SavedBan> {
        self.ends.iter().map(|(banned, end)| (*banned, *end)).collect()
    }

    pub(super) fn restore(&mut self, bans: Vec<SavedBan>) {
        for (banned, end) in bans {
            self.insert(banned, end);
        }
    }
}

fn place(address: &NetAddress) -> Banned {
    match Reach::of(address) {
        Reach::Public => Banned::Host(address.host()),
        Reach::Local | Reach::Nowhere => Banned::Local(*address),
    }
}
