//! What a node can say about its connections.

use crate::refusal::Refusal;
use camelid_core::keys::NodeId;
use camelid_core::process::Direction;
use camelid_core::wire::NetAddress;
use std::collections::BTreeMap;
use std::time::Duration;

/// A snapshot of a transport.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    /// The connected peers, by id.
    pub peers: Vec<PeerStats>,
    /// Connections that the peers opened.
    pub inbound: usize,
    /// Connections that this node opened.
    pub outbound: usize,
    /// Handshakes that others began and that are not done.
    pub handshakes: usize,
    /// Bytes of UDP payload received, from peers that are gone too.
    pub bytes_in: u64,
    /// Bytes of UDP payload sent, to peers that are gone too.
    pub bytes_out: u64,
    /// Packets that were not sent: no room in the queue, too long, or no such peer.
    pub dropped: u64,
    /// Connections that this node refused or ended.
    pub refused: BTreeMap<Refusal, u64>,
    /// Connections that peers refused or ended.
    pub refused_by_peers: BTreeMap<Refusal, u64>,
    /// Clients refused before any cryptography: banned, or too many.
    pub turned_away: u64,
    /// Clients that first had to show their address.
    pub retried: u64,
}

/// A connected peer.
#[derive(Clone, Copy, Debug)]
pub struct PeerStats {
    /// Who it is.
    pub id: NodeId,
    /// Where its packets come from, or where this node called it.
    pub address: NetAddress,
    /// Who opened the connection.
    pub direction: Direction,
    /// What it says it does for others.
    pub services: u8,
    /// The port at which it says it accepts connections.
    pub listen_port: Option<u16>,
    /// How long it has been connected.
    pub connected: Duration,
    /// QUIC's estimate of the round-trip time.
    pub rtt: Duration,
    /// Bytes of UDP payload received.
    pub bytes_in: u64,
    /// Bytes of UDP payload sent.
    pub bytes_out: u64,
    /// Packets received.
    pub packets_in: u64,
    /// Packets sent.
    pub packets_out: u64,
    /// Packets dropped on the way to it.
    pub dropped: u64,
}
