//! The network: latency, loss, repetition, reordering and partitions.

use crate::scenario::{Link, Range};
use camelid_core::primitives::Stream;
use std::collections::{BTreeMap, BTreeSet};

/// A packet that is held back takes this many times its latency, so that others overtake it.
const HELD_BACK: u64 = 10;

/// Decides what becomes of each packet.
pub struct Network {
    link: Link,
    stream: Stream,
    /// Sets of nodes that are cut off from all others, by fault.
    cuts: BTreeMap<usize, BTreeSet<usize>>,
}

impl Network {
    /// A network with these links, which draws from `stream`.
    pub fn new(link: Link, stream: Stream) -> Self {
        Self {
            link,
            stream,
            cuts: BTreeMap::new(),
        }
    }

    /// The delays after which copies of a packet arrive; none if it is lost.
    pub fn carry(&mut self, from: usize, to: usize) -> Vec<u64> {
        // The draws are made whatever becomes of the packet, so that a partition does not shift them.
        let lost = self.stream.chance(self.link.loss_permille);
        let twice = self.stream.chance(self.link.duplicate_permille);
        let mut delays = vec![self.delay()];
        if twice {
            delays.push(self.delay());
        }
        let cut = self
            .cuts
            .values()
            .any(|cut| cut.contains(&from) != cut.contains(&to));
        if lost || cut { Vec::new() } else { delays }
    }

    fn delay(&mut self) -> u64 {
        let Range { low, high } = self.link.latency_ms;
        let delay = self.stream.range(low, high);
        if self.stream.chance(self.link.reorder_permille) {
            delay.saturating_mul(HELD_BACK)
        } else {
            delay
        }
    }

    /// Cuts `nodes` off.
    pub fn cut(&mut self, fault: usize, nodes: BTreeSet<usize>) {
        self.cuts.insert(fault, nodes);
    }

    /// Ends a partition.
    pub fn join(&mut self, fault: usize) {
        self.cuts.remove(&fault);
    }

    /// From now on every packet arrives once and in time.
    pub fn heal(&mut self) {
        self.link.loss_permille = 0;
        self.link.duplicate_permille = 0;
        self.link.reorder_permille = 0;
        self.cuts.clear();
    }
}
