//! An open network: whom this node talks to (`docs/src/peers.md`).
//!
//! `OpenNetwork` decides and sends nothing; the parts of `Base` beside it carry its decisions out. A
//! node whose peers are fixed has none of this.

mod addresses;
mod conduct;
mod connection;
mod dialling;
mod opening;
mod tending;

pub use connection::PeerInfo;

use super::config::{NetworkConfig, NodeConfig};
use crate::keys::NodeId;
use crate::peers::{AddressBook, Bans, MAX_ANCHORS, SavedPeers};
use crate::primitives::{BoundedVec, Stream, Time, Timestamp};
use crate::wire::{NetAddress, Services};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use connection::{Connection, Purpose};
use dialling::Dials;

/// Own addresses that are remembered so as not to be called again.
const MAX_OWN_ADDRESSES: usize = 16;

/// Connections, addresses and bans.
pub(super) struct OpenNetwork {
    config: NetworkConfig,
    /// What this node does for others.
    services: Services,
    /// Nobody else can tell which peers and places follow from it.
    key: [u8; 32],
    stream: Stream,
    book: AddressBook,
    bans: Bans,
    connected: BTreeMap<NodeId, Connection>,
    dials: Dials,
    /// Outbound peers of last time.
    anchors: Vec<NetAddress>,
    /// Where this node has met itself.
    own: BTreeSet<NetAddress>,
    /// Addresses that were passed on, and when.
    passed_on: BTreeMap<NetAddress, Timestamp>,
    /// When a `new` address is tested next.
    next_feeler: Time,
    /// When the peers are told of this node's address next.
    next_advertisement: Time,
    /// When addresses may be saved next.
    next_save: Time,
}

impl OpenNetwork {
    pub(super) fn new(config: NetworkConfig, node: &NodeConfig) -> Self {
        let key = node.key.derive("peers", &[]);
        Self {
            services: node.services(),
            own: config.listen.into_iter().collect(),
            config,
            stream: Stream::new(node.seed, "connections"),
            book: AddressBook::new(key),
            key,
            bans: Bans::default(),
            connected: BTreeMap::new(),
            dials: Dials::default(),
            anchors: Vec::new(),
            passed_on: BTreeMap::new(),
            next_feeler: Time(0),
            next_advertisement: Time(0),
            next_save: Time(0),
        }
    }

    /// What is known of addresses.
    pub(super) fn book(&self) -> &AddressBook {
        &self.book
    }

    /// Its connections.
    pub(super) fn infos(&self) -> impl Iterator<Item = PeerInfo> {
        self.connected
            .iter()
            .map(|(peer, connection)| connection.info(*peer))
    }

    pub(super) fn connection(&mut self, peer: &NodeId) -> Option<&mut Connection> {
        self.connected.get_mut(peer)
    }

    pub(super) fn is_connected(&self, peer: &NodeId) -> bool {
        self.connected.contains_key(peer)
    }

    /// Takes back what was saved.
    pub(super) fn restore(&mut self, saved: SavedPeers) {
        self.anchors = saved.anchors.to_vec();
        saved.restore(&mut self.book, &mut self.bans);
    }

    /// What is to be saved: the anchors are the outbound peers that have been there longest.
    fn saved(&self) -> SavedPeers {
        let mut outbound: Vec<&Connection> = self.outbound().collect();
        outbound.sort_by_key(|connection| connection.opened);
        let anchors = outbound.into_iter().map(|connection| connection.address);
        let anchors = anchors.take(MAX_ANCHORS).collect();
        let anchors = BoundedVec::from_vec(anchors).unwrap_or_default();
        SavedPeers::new(&self.book, anchors, &self.bans)
    }

    fn outbound(&self) -> impl Iterator<Item = &Connection> {
        self.connected
            .values()
            .filter(|connection| connection.purpose == Purpose::Outbound)
    }

    fn note_own(&mut self, address: NetAddress) {
        self.book.forget(&address);
        if self.own.len() < MAX_OWN_ADDRESSES {
            self.own.insert(address);
        }
    }
}
