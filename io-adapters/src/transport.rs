//! Packets to and from peers.

use async_trait::async_trait;
use camelid_core::keys::NodeId;
use camelid_core::process::ConnectionEvent;
use camelid_core::wire::{NetAddress, Packet};

/// A way to reach peers. It may lose, repeat and reorder packets.
///
/// Every queue in it must be bounded: when one is full, packets are dropped, for a peer that does
/// not listen must not stop a node.
#[async_trait]
pub trait Transport: Send {
    /// Hands a packet over to be sent. Nobody waits for it to arrive, and nobody learns if it does
    /// not.
    async fn send(&mut self, to: NodeId, packet: Packet);

    /// Begins to connect to whoever listens at `address`; [`recv`](Self::recv) tells what came of it.
    async fn connect(&mut self, address: NetAddress);

    /// Ends the connection with a peer, if there is one.
    async fn disconnect(&mut self, peer: NodeId);

    /// What comes next; `None` when nothing will ever come again.
    ///
    /// Must be cancel safe: nothing is lost when the future is dropped before it is ready.
    async fn recv(&mut self) -> Option<Received>;
}

/// What a transport brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// A packet, and the peer that it came from.
    Packet(NodeId, Packet),
    /// What happened to a connection.
    Connection(ConnectionEvent),
}
