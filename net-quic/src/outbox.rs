//! What waits to be sent to one peer.

use crate::config::{BULK_THRESHOLD_BYTES, QuicConfig};
use camelid_core::wire::{MAX_PACKET_BYTES, Packet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

/// A packet that waits, and its share of the bytes that may.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) packet: Packet,
    _bytes: OwnedSemaphorePermit,
}

/// The entrance of two bounded queues: what does not fit is dropped and counted.
#[derive(Debug)]
pub(crate) struct Outbox {
    control: Queue,
    bulk: Queue,
    counts: Arc<Counts>,
}

/// The exits.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) control: mpsc::Receiver<Waiting>,
    pub(crate) bulk: mpsc::Receiver<Waiting>,
}

/// Packets of one connection.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) received: AtomicU64,
    pub(crate) sent: AtomicU64,
    pub(crate) dropped: AtomicU64,
}

#[derive(Debug)]
struct Queue {
    packets: mpsc::Sender<Waiting>,
    bytes: Arc<Semaphore>,
}

impl Queue {
    fn new(packets: usize, bytes: usize) -> (Self, mpsc::Receiver<Waiting>) {
        let (sender, receiver) = mpsc::channel(packets.max(1));
        let bytes = Arc::new(Semaphore::new(bytes.min(Semaphore::MAX_PERMITS)));
        let queue = Self {
            packets: sender,
            bytes,
        };
        (queue, receiver)
    }

    fn try_push(&self, packet: Packet) -> bool {
        let Ok(length) = u32::try_from(packet.len()) else {
            return false;
        };
        let Ok(bytes) = self.bytes.clone().try_acquire_many_owned(length) else {
            return false;
        };
        let waiting = Waiting {
            packet,
            _bytes: bytes,
        };
        self.packets.try_send(waiting).is_ok()
    }
}

impl Outbox {
    /// Empty queues.
    pub(crate) fn new(config: &QuicConfig) -> (Self, Outgoing) {
        let (control, control_exit) = Queue::new(config.control_queue_packets, config.control_queue_bytes);
        let (bulk, bulk_exit) = Queue::new(config.bulk_queue_packets, config.bulk_queue_bytes);
        let outbox = Self {
            control,
            bulk,
            counts: Arc::default(),
        };
        let outgoing = Outgoing {
            control: control_exit,
            bulk: bulk_exit,
        };
        (outbox, outgoing)
    }

    /// Queues a packet; false when it was dropped.
    pub(crate) fn push(&self, packet: Packet) -> bool {
        let length = packet.len();
        // The peer would refuse what is empty or too long.
        let allowed = (1..=MAX_PACKET_BYTES).contains(&length);
        let queue = match length <= BULK_THRESHOLD_BYTES {
            true => &self.control,
            false => &self.bulk,
        };
        let queued = allowed && queue.try_push(packet);
        if !queued {
            self.counts.dropped.fetch_add(1, Ordering::Relaxed);
        }
        queued
    }

    pub(crate) fn counts(&self) -> &Arc<Counts> {
        &self.counts
    }
}
