//! A network in memory: one bounded queue for each node.

use super::lock;
use crate::transport::{Received, Transport};
use async_trait::async_trait;
use camelid_core::keys::NodeId;
use camelid_core::wire::{NetAddress, Packet};
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use tokio::sync::mpsc;

/// Connects the nodes of one process. Clones are the same network.
#[derive(Clone, Debug)]
pub struct MemoryNetwork {
    queue_capacity: NonZeroUsize,
    switch: Arc<Mutex<Switch>>,
}

#[derive(Debug, Default)]
struct Switch {
    queues: BTreeMap<NodeId, mpsc::Sender<(NodeId, Packet)>>,
    dropped: u64,
}

/// One node's end of a [`MemoryNetwork`].
#[derive(Debug)]
pub struct MemoryTransport {
    own: NodeId,
    switch: Arc<Mutex<Switch>>,
    queue: mpsc::Receiver<(NodeId, Packet)>,
}

impl MemoryNetwork {
    /// A network where each node has a queue of `queue_capacity` packets.
    pub fn new(queue_capacity: NonZeroUsize) -> Self {
        Self {
            queue_capacity,
            switch: Arc::default(),
        }
    }

    /// Connects a node. One that was connected before is cut off: its packets come here.
    pub fn join(&self, node: NodeId) -> MemoryTransport {
        let (sender, queue) = mpsc::channel(self.queue_capacity.get());
        lock(&self.switch).queues.insert(node, sender);
        MemoryTransport {
            own: node,
            switch: self.switch.clone(),
            queue,
        }
    }

    /// Packets that were lost, because the recipient's queue was full or it was not there.
    pub fn dropped(&self) -> u64 {
        lock(&self.switch).dropped
    }
}

impl Switch {
    fn pass_on(&mut self, from: NodeId, to: NodeId, packet: Packet) {
        let queued = self
            .queues
            .get(&to)
            .is_some_and(|queue| queue.try_send((from, packet)).is_ok());
        if !queued {
            self.dropped += 1;
        }
    }
}

#[async_trait]
impl Transport for MemoryTransport {
    async fn send(&mut self, to: NodeId, packet: Packet) {
        lock(&self.switch).pass_on(self.own, to, packet);
    }

    /// All nodes that have joined are connected.
    async fn connect(&mut self, _address: NetAddress) {}

    async fn disconnect(&mut self, _peer: NodeId) {}

    async fn recv(&mut self) -> Option<Received> {
        let (from, packet) = self.queue.recv().await?;
        Some(Received::Packet(from, packet))
    }
}
