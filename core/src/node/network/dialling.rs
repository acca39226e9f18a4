//! Whom to call, and when to call again.

use super::super::config::NetworkConfig;
use super::OpenNetwork;
use super::connection::{Connection, Purpose};
use crate::keys::NodeId;
use crate::peers::{AddressBook, Bans, Known, NetGroup, Standing};
use crate::primitives::{Stream, Time};
use crate::wire::NetAddress;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

/// A call that the transport says nothing of for so long has failed.
const DIAL_TIMEOUT_MS: u64 = 30_000;
/// The pause after a first failure; it doubles with each further one.
const FIRST_PAUSE_MS: u64 = 5_000;
/// Doublings of the pause: the longest is about an hour.
const MAX_DOUBLINGS: u32 = 10;
/// Addresses whose pauses are remembered. The book remembers failures as well, more coarsely.
const MAX_PAUSES: usize = 1_024;
/// Milliseconds between tests of addresses that are hearsay: two minutes on average, as in Bitcoin Core.
const FEELER_MS: (u64, u64) = (60_000, 180_000);

/// What a call is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// A peer.
    Keep,
    /// Finding out whether somebody is there.
    Feeler,
}

/// Calls that are being made, and addresses that are left alone for a while.
#[derive(Default)]
pub(super) struct Dials {
    pending: BTreeMap<NetAddress, (Call, Time)>,
    pauses: BTreeMap<NetAddress, Pause>,
}

#[derive(Clone, Copy)]
struct Pause {
    failures: u32,
    until: Time,
}

impl Dials {
    /// Addresses of peers that are being called.
    pub(super) fn kept(&self) -> impl Iterator<Item = NetAddress> {
        let kept = self.pending.iter().filter(|(_, (call, _))| *call == Call::Keep);
        kept.map(|(address, _)| *address)
    }

    fn begin(&mut self, now: Time, address: NetAddress, call: Call) {
        self.pending.insert(address, (call, now));
    }

    /// A call has come to an end; what it was for.
    pub(super) fn end(&mut self, address: &NetAddress) -> Option<Call> {
        self.pending.remove(address).map(|(call, _)| call)
    }

    fn is_free(&self, now: Time, address: &NetAddress) -> bool {
        let paused = self.pauses.get(address).is_some_and(|pause| now < pause.until);
        !paused && !self.pending.contains_key(address)
    }

    fn has_feeler(&self) -> bool {
        self.pending.values().any(|(call, _)| *call == Call::Feeler)
    }

    fn overdue(&self, now: Time) -> Vec<NetAddress> {
        let overdue = |(_, (_, begun)): &(&NetAddress, &(Call, Time))| begun.after_ms(DIAL_TIMEOUT_MS) <= now;
        self.pending
            .iter()
            .filter(overdue)
            .map(|(address, _)| *address)
            .collect()
    }

    /// Leaves an address alone, longer each time.
    fn pause(&mut self, now: Time, address: NetAddress, stream: &mut Stream) {
        let failures = self.pauses.get(&address).map_or(0, |pause| pause.failures);
        let length_ms = FIRST_PAUSE_MS << failures.min(MAX_DOUBLINGS);
        // Not all that failed at once are called again at once.
        let until = now.after_ms(length_ms + stream.below(length_ms / 4));
        let failures = failures.saturating_add(1);
        self.pauses.insert(address, Pause { failures, until });
        if self.pauses.len() > MAX_PAUSES {
            let soonest = self.pauses.iter().min_by_key(|(_, pause)| pause.until);
            if let Some(address) = soonest.map(|(address, _)| *address) {
                self.pauses.remove(&address);
            }
        }
    }

    /// Somebody is there.
    pub(super) fn forgive(&mut self, address: &NetAddress) {
        self.pauses.remove(address);
    }
}

impl OpenNetwork {
    /// A call has failed, or a connection was not worth its opening.
    pub(super) fn note_failure(&mut self, now: Time, address: NetAddress) {
        self.dials.end(&address);
        self.book.note_failure(now.timestamp(), &address);
        self.dials.pause(now, address, &mut self.stream);
    }

    pub(super) fn give_up_overdue(&mut self, now: Time) {
        for address in self.dials.overdue(now) {
            self.note_failure(now, address);
        }
    }

    /// Addresses to call now.
    pub(super) fn calls(&mut self, now: Time) -> Vec<NetAddress> {
        let mut calls = Vec::new();
        let open = self.outbound().count() + self.dials.kept().count();
        for _ in open..self.config.outbound {
            let Some(address) = self.next_peer(now) else { break };
            self.begin(now, address, Call::Keep);
            calls.push(address);
        }
        if let Some(address) = self.next_feeler(now) {
            self.begin(now, address, Call::Feeler);
            calls.push(address);
        }
        calls
    }

    fn begin(&mut self, now: Time, address: NetAddress, call: Call) {
        self.book.note_attempt(now.timestamp(), &address);
        self.dials.begin(now, address, call);
    }

    /// Anchors first, then whom the book knows, then the seeds.
    fn next_peer(&mut self, now: Time) -> Option<NetAddress> {
        while let Some(anchor) = self.anchors.pop() {
            if self.rules(now).0.may_call(&anchor) {
                return Some(anchor);
            }
        }
        let (rules, book, stream) = self.rules(now);
        let known = book.select(now.timestamp(), |known| {
            !rules.knows(known) && rules.may_call(&known.address)
        });
        known.or_else(|| {
            let mut seeds = rules.config.seeds.clone();
            seeds.retain(|seed| rules.may_call(seed));
            stream.pick(&seeds).copied()
        })
    }

    fn next_feeler(&mut self, now: Time) -> Option<NetAddress> {
        if self.config.outbound == 0 || now < self.next_feeler || self.dials.has_feeler() {
            return None;
        }
        let (low, high) = FEELER_MS;
        self.next_feeler = now.after_ms(self.stream.range(low, high));
        let (rules, book, _) = self.rules(now);
        let contested = book.contested().find(|address| rules.is_callable(address));
        contested.copied().or_else(|| {
            book.select_from(Standing::New, now.timestamp(), |known| {
                !rules.knows(known) && rules.is_callable(&known.address)
            })
        })
    }

    /// What decides whether an address may be called, and what draws one.
    fn rules(&mut self, now: Time) -> (Rules<'_>, &mut AddressBook, &mut Stream) {
        let rules = Rules {
            now,
            config: &self.config,
            connected: &self.connected,
            dials: &self.dials,
            own: &self.own,
            bans: &self.bans,
        };
        (rules, &mut self.book, &mut self.stream)
    }
}

/// Decides whether an address may be called.
struct Rules<'a> {
    now: Time,
    config: &'a NetworkConfig,
    connected: &'a BTreeMap<NodeId, Connection>,
    dials: &'a Dials,
    own: &'a BTreeSet<NetAddress>,
    bans: &'a Bans,
}

impl Rules<'_> {
    /// Is the node that answered at this address connected, wherever from?
    fn knows(&self, known: &Known) -> bool {
        known.node.is_some_and(|node| self.connected.contains_key(&node))
    }

    /// May this node open a connection to an address, to keep?
    fn may_call(&self, address: &NetAddress) -> bool {
        let group = NetGroup::of(address);
        let crowded = !group.is_local() && self.outbound_in(&group) >= self.config.max_outbound_per_group;
        !crowded && self.is_callable(address)
    }

    fn is_callable(&self, address: &NetAddress) -> bool {
        let connected = |connection: &Connection| connection.is_at(address);
        let allowed = self.config.takes(address) || self.config.seeds.contains(address);
        allowed
            && !self.own.contains(address)
            && !self.connected.values().any(connected)
            && self.dials.is_free(self.now, address)
            && !self.bans.has_address(self.now.timestamp(), address)
    }

    /// Outbound connections, open or being opened, to a group of addresses.
    fn outbound_in(&self, group: &NetGroup) -> usize {
        let outbound = self
            .connected
            .values()
            .filter(|connection| connection.purpose == Purpose::Outbound);
        let open = outbound.map(|connection| connection.address);
        let all = open.chain(self.dials.kept());
        all.filter(|address| NetGroup::of(address) == *group).count()
    }
}
