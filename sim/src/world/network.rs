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

#[cfg(test)]
mod tests {
    use super::*;

    const PACKETS: u64 = 20_000;

    fn network(loss: u32, duplicate: u32, reorder: u32) -> Network {
        let link = Link {
            latency_ms: Range { low: 20, high: 250 },
            loss_permille: loss,
            duplicate_permille: duplicate,
            reorder_permille: reorder,
        };
        Network::new(link, Stream::new(1, "network"))
    }

    /// Packets for which `fits` holds, in thousandths.
    fn permille(network: &mut Network, fits: impl Fn(&[u64]) -> bool) -> u64 {
        let count = (0..PACKETS).filter(|_| fits(&network.carry(0, 1))).count();
        count as u64 * 1_000 / PACKETS
    }

    /// Within five standard deviations, which are at most 3.6 permille each.
    fn is_about(measured: u64, drawn: u64) -> bool {
        measured.abs_diff(drawn) <= 18
    }

    #[test]
    fn packets_are_lost_and_repeated_as_often_as_drawn() {
        for drawn in [0, 30, 500, 1_000] {
            let lost = permille(&mut network(drawn, 0, 0), <[u64]>::is_empty);
            assert!(is_about(lost, drawn.into()), "{lost} of 1000 lost, {drawn} drawn");
            let twice = permille(&mut network(0, drawn, 0), |delays| delays.len() == 2);
            assert!(
                is_about(twice, drawn.into()),
                "{twice} of 1000 repeated, {drawn} drawn"
            );
        }
        assert_eq!(permille(&mut network(0, 0, 0), |delays| delays.len() == 1), 1_000);
        assert_eq!(permille(&mut network(1_000, 0, 0), <[u64]>::is_empty), 1_000);
    }

    #[test]
    fn delays_fill_their_range_and_some_are_held_back() {
        let mut plain = network(0, 0, 0);
        let delays: BTreeSet<u64> = (0..PACKETS).flat_map(|_| plain.carry(0, 1)).collect();
        assert!(delays.iter().eq(&(20..=250).collect::<Vec<u64>>()));
        let held_back = permille(&mut network(0, 0, 1_000), |delays| delays[0] >= 200);
        assert_eq!(held_back, 1_000);
    }

    #[test]
    fn nothing_crosses_a_cut_until_it_ends() {
        let mut network = network(0, 0, 0);
        network.cut(0, BTreeSet::from([0, 1]));
        network.cut(1, BTreeSet::from([1, 2]));
        let mut passes = |from, to| !network.carry(from, to).is_empty();
        let crossing = [(0, 1), (1, 2), (0, 2), (2, 3), (3, 0), (3, 1)];
        assert!(crossing.iter().all(|(a, b)| !passes(*a, *b) && !passes(*b, *a)));
        assert!(passes(3, 4) && passes(4, 3), "nobody is between them");
        network.join(0);
        let mut passes = |from, to| !network.carry(from, to).is_empty();
        assert!(passes(1, 2) && passes(0, 3), "the first cut is over");
        assert!(!passes(0, 1) && !passes(2, 3), "the second is not");
        network.heal();
        assert!(crossing.iter().all(|(a, b)| !network.carry(*a, *b).is_empty()));
    }

    #[test]
    fn what_becomes_of_one_packet_does_not_shift_the_next() {
        let (mut whole, mut cut) = (network(100, 100, 100), network(100, 100, 100));
        cut.cut(0, BTreeSet::from([0]));
        for _ in 0..100 {
            whole.carry(0, 1);
            cut.carry(0, 1);
        }
        cut.join(0);
        assert!((0..100).all(|_| whole.carry(0, 1) == cut.carry(0, 1)));
    }
}
