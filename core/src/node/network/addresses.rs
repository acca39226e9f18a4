//! Addresses that peers tell each other.

use super::super::base::Base;
use super::OpenNetwork;
use super::connection::Purpose;
use crate::keys::NodeId;
use crate::peers::{NetGroup, Reach};
use crate::primitives::{BoundedVec, Time, Timestamp, tagged_hash};
use crate::process::Outputs;
use crate::wire::{Message, NetAddress, PeerAddress};
use alloc::vec::Vec;

const MINUTE_S: u32 = 60;
const DAY_S: u32 = 86_400;
/// A message of so few tells of news; one of more answers a question.
const MAX_NEWS: usize = 10;
/// Peers that an address is passed on to.
const PASSED_ON_TO: usize = 2;
/// An address is passed on once in this time.
const PASSED_ON_S: u32 = 3_600;
/// Addresses that are remembered to have been passed on. What comes beyond waits.
const MAX_PASSED_ON: usize = 4_096;

impl Base {
    /// Tells peers where this node can be reached.
    pub(super) fn advertise(&mut self, now: Time, peers: &[NodeId], out: &mut Outputs) {
        let Some(network) = &self.network else { return };
        let Some(address) = network.config.listen else {
            return;
        };
        // Where it listens may be nowhere in particular (0.0.0.0).
        if Reach::of(&address) == Reach::Nowhere {
            return;
        }
        let own = PeerAddress {
            address,
            services: network.services,
            last_seen: now.timestamp(),
        };
        self.tell(peers, Vec::from([own]), out);
    }

    fn tell(&mut self, peers: &[NodeId], addresses: Vec<PeerAddress>, out: &mut Outputs) {
        if let (false, Some(addresses)) = (addresses.is_empty(), BoundedVec::from_vec(addresses)) {
            self.send_to_each(peers, &Message::Addresses(addresses), out);
        }
    }

    /// Answers once, and only who has called: who could ask whom it called, and ask often, would have the
    /// whole book soon, and see who is connected to whom in what is new in it.
    pub(in crate::node) fn reply_addresses(&mut self, now: Time, from: NodeId, out: &mut Outputs) {
        let Some(network) = &mut self.network else { return };
        let Some(connection) = network.connected.get_mut(&from) else {
            return;
        };
        if connection.purpose == Purpose::Outbound || connection.was_told_addresses {
            return;
        }
        connection.was_told_addresses = true;
        let sample = network.book.sample(now.timestamp());
        self.tell(&[from], sample, out);
    }

    pub(in crate::node) fn handle_addresses(
        &mut self,
        now: Time,
        from: NodeId,
        addresses: &[PeerAddress],
        out: &mut Outputs,
    ) {
        let Some(network) = &mut self.network else { return };
        if let Some(connection) = network.connected.get_mut(&from) {
            connection.note_own_address(addresses);
        }
        let mut pass_on = Vec::new();
        for told in addresses {
            let Some(kept) = network.take_in(now, &from, told) else {
                continue;
            };
            let fresh = kept.last_seen.0.saturating_add(10 * MINUTE_S) > now.timestamp().0;
            if fresh && addresses.len() <= MAX_NEWS && network.is_to_be_passed_on(now, &kept.address) {
                pass_on.push((network.listeners(now, &kept.address, &from), kept));
            }
        }
        for (peers, address) in pass_on {
            self.tell(&peers, Vec::from([address]), out);
        }
        self.call(now, out);
    }
}

impl OpenNetwork {
    /// Takes an address in from `from`, as far as it has any left; what was told, with a time that can be.
    fn take_in(&mut self, now: Time, from: &NodeId, told: &PeerAddress) -> Option<PeerAddress> {
        let connection = self.connected.get_mut(from)?;
        if !connection.addresses.take(now) {
            return None;
        }
        let source = NetGroup::of(&connection.address);
        let seconds = now.timestamp();
        let own = self.own.contains(&told.address);
        if own || !self.config.takes(&told.address) || self.bans.has_address(seconds, &told.address) {
            return None;
        }
        let told = PeerAddress {
            last_seen: plausible(told.last_seen, seconds),
            ..*told
        };
        self.book.add(seconds, &told, source);
        Some(told)
    }

    /// True once in a while for each address, so that none runs in circles.
    fn is_to_be_passed_on(&mut self, now: Time, address: &NetAddress) -> bool {
        let seconds = now.timestamp();
        let recent = |at: &Timestamp| seconds.0 < at.0.saturating_add(PASSED_ON_S);
        if self.passed_on.get(address).is_some_and(recent) {
            return false;
        }
        if self.passed_on.len() >= MAX_PASSED_ON {
            self.passed_on.retain(|_, at| recent(at));
        }
        if self.passed_on.len() >= MAX_PASSED_ON {
            return false;
        }
        self.passed_on.insert(*address, seconds);
        true
    }

    /// Whom an address is passed on to: for a day the same ones, so that repeating it spreads it no
    /// further.
    fn listeners(&self, now: Time, address: &NetAddress, from: &NodeId) -> Vec<NodeId> {
        let day = now.timestamp().0 / DAY_S;
        let rank = |peer: &&NodeId| tagged_hash("camelid/pass-on", &(&self.key, address, day, peer));
        let mut peers: Vec<&NodeId> = self.connected.keys().filter(|peer| *peer != from).collect();
        peers.sort_by_cached_key(rank);
        peers.into_iter().take(PASSED_ON_TO).copied().collect()
    }
}

/// A time that can be: one from the future, or from before all networks, is taken for five days ago.
fn plausible(seen: Timestamp, now: Timestamp) -> Timestamp {
    let future = seen.0 > now.0.saturating_add(10 * MINUTE_S);
    if future || seen.0 <= 100_000_000 {
        return Timestamp(now.0.saturating_sub(5 * DAY_S));
    }
    seen.min(now)
}
