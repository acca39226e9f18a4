//! Packets to and from peers.

use async_trait::async_trait;
use camelid_core::keys::NodeId;
use camelid_core::wire::Packet;

/// A way to reach peers. It may lose, repeat and reorder packets.
///
/// Every queue in it must be bounded: when one is full, packets are dropped, for a peer that does
/// not listen must not stop a node.
#[async_trait]
pub trait Transport: Send {
    /// Hands a packet over to be sent. Nobody waits for it to arrive, and nobody learns if it does
    /// not.
    async fn send(&mut self, to: NodeId, packet: Packet);

    /// The next packet and the peer that it came from; `None` when none will ever come again.
    ///
    /// Must be cancel safe: a packet is not lost when the future is dropped before it is ready.
    async fn recv(&mut self) -> Option<(NodeId, Packet)>;
}
