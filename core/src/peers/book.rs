//! Addresses of nodes, so kept that an attacker who fills the book with its own gets a bounded share.
//!
//! Bitcoin Core's address manager in its essentials (`addrman.h`), with the countermeasures of Heilman,
//! Kendler, Zohar and Goldberg (*Eclipse Attacks on Bitcoin's Peer-to-Peer Network*, 2015): buckets by
//! keyed hash of groups, one place for each address, test before eviction, feelers.

use super::group::NetGroup;
use super::known::{Known, Standing};
use super::table::{NEW_BUCKETS, Place, TRIED_BUCKETS, Table};
use crate::keys::NodeId;
use crate::primitives::{Stream, Timestamp, tagged_hash};
use crate::wire::{MAX_ADDRESSES, NetAddress, PeerAddress, Services};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

/// Addresses in the table of the tried that somebody else wants the place of, at most.
pub const MAX_CONTESTED: usize = 16;
/// Thousandths of the book that are told to whoever asks.
pub const MAX_SHARED_PERMILLE: usize = 230;
/// A book of so few is told in whole: there is nothing to hide in it.
pub const MIN_SHARED: usize = 16;
/// Later sightings are news after so long.
const NEWS_S: u32 = 3_600;
/// Draws of an address before the search is given up.
const MAX_DRAWS: u32 = 256;

/// Addresses and what came of them.
#[derive(Clone, Debug)]
pub struct AddressBook {
    key: [u8; 32],
    stream: Stream,
    entries: BTreeMap<NetAddress, Known>,
    new: Table,
    tried: Table,
    contested: BTreeSet<NetAddress>,
    /// When any address last answered: without a network all fail, and none is to blame.
    last_success: Timestamp,
    changed: bool,
}

impl AddressBook {
    /// An empty book. Nobody else knows `key`, and it stays the same: places follow from it.
    pub fn new(key: [u8; 32]) -> Self {
        let seed = tagged_hash("camelid/address-book-draws", &key).to_u64();
        Self {
            key,
            stream: Stream::new(seed, "address book"),
            entries: BTreeMap::new(),
            new: Table::default(),
            tried: Table::default(),
            contested: BTreeSet::new(),
            last_success: Timestamp(1),
            changed: false,
        }
    }

    /// Number of addresses.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What is known of an address.
    pub fn get(&self, address: &NetAddress) -> Option<&Known> {
        self.entries.get(address)
    }

    /// All addresses, in their order.
    pub fn iter(&self) -> impl Iterator<Item = &Known> {
        self.entries.values()
    }

    /// The buckets of one table, one for each address in it.
    pub fn buckets(&self, standing: Standing) -> impl Iterator<Item = (u16, &NetAddress)> {
        match standing {
            Standing::New => self.new.buckets(),
            Standing::Tried => self.tried.buckets(),
        }
    }

    /// True once after something that is worth saving has changed.
    pub(crate) fn take_changed(&mut self) -> bool {
        core::mem::take(&mut self.changed)
    }

    // --- What is told and what is tried ---

    /// Somebody in the group `source` tells of an address. True if that is news.
    pub fn add(&mut self, now: Timestamp, told: &PeerAddress, source: NetGroup) -> bool {
        if let Some(known) = self.entries.get_mut(&told.address) {
            let news = told.last_seen.0 > known.last_seen.0.saturating_add(NEWS_S);
            if news {
                known.last_seen = told.last_seen;
                self.changed = true;
            }
            // What a node does for others is its own word, once it has answered.
            if known.standing == Standing::New {
                known.services.0 |= told.services.0;
            }
            return news;
        }
        let place = Place::of_new(&self.key, &told.address, &source);
        if let Some(holder) = self.new.get(&place).copied() {
            if !self
                .entries
                .get(&holder)
                .is_none_or(|known| known.is_terrible(now))
            {
                return false;
            }
            self.entries.remove(&holder);
        }
        self.new.put(place, told.address);
        self.entries.insert(told.address, Known::hearsay(told, source));
        self.changed = true;
        true
    }

    /// This node tries an address.
    pub fn note_attempt(&mut self, now: Timestamp, address: &NetAddress) {
        if let Some(known) = self.entries.get_mut(address) {
            known.last_attempt = now;
        }
    }

    /// Nobody answered. Counted once between two answers of any address, or a node that has lost its
    /// network would soon lose all addresses as well.
    pub fn note_failure(&mut self, now: Timestamp, address: &NetAddress) {
        self.contested.remove(address);
        if let Some(known) = self.entries.get_mut(address) {
            if known.last_failure <= self.last_success {
                known.failures = known.failures.saturating_add(1);
                known.last_failure = now;
            }
            known.last_attempt = now;
            self.changed = true;
        }
    }

    /// A connected peer was there all the time.
    pub fn note_seen(&mut self, now: Timestamp, address: &NetAddress) {
        if let Some(known) = self.entries.get_mut(address) {
            known.last_seen = known.last_seen.max(now);
            self.changed = true;
        }
    }

    /// A node has answered at an address: it moves to the tried ones, unless somebody stands there who
    /// has not failed since; then that one is tested first.
    pub fn note_success(&mut self, now: Timestamp, address: &NetAddress, node: NodeId) {
        self.changed = true;
        self.last_success = now;
        self.contested.remove(address);
        if !self.entries.contains_key(address) {
            let told = PeerAddress {
                address: *address,
                services: Services::default(),
                last_seen: now,
            };
            self.add(now, &told, NetGroup::of(address));
        }
        let Some(known) = self.entries.get_mut(address) else {
            return;
        };
        known.node = Some(node);
        known.last_seen = known.last_seen.max(now);
        (known.last_success, known.last_attempt, known.failures) = (now, now, 0);
        if known.standing == Standing::New {
            self.promote(now, address);
        }
    }

    fn promote(&mut self, now: Timestamp, address: &NetAddress) {
        let place = Place::of_tried(&self.key, address);
        if let Some(holder) = self.tried.get(&place).copied() {
            let stands = |known: &Known| known.failures == 0 && !known.is_terrible(now);
            if self.entries.get(&holder).is_some_and(stands) {
                if self.contested.len() < MAX_CONTESTED {
                    self.contested.insert(holder);
                }
                return;
            }
            self.demote(&holder);
        }
        let Some(known) = self.entries.get_mut(address) else {
            return;
        };
        known.standing = Standing::Tried;
        let source = known.source;
        self.new.clear(&Place::of_new(&self.key, address, &source));
        self.tried.put(place, *address);
    }

    /// Back to hearsay, in the place of whoever stands there.
    fn demote(&mut self, address: &NetAddress) {
        self.contested.remove(address);
        self.tried.clear(&Place::of_tried(&self.key, address));
        let Some(known) = self.entries.get_mut(address) else {
            return;
        };
        known.standing = Standing::New;
        let place = Place::of_new(&self.key, address, &known.source);
        if let Some(displaced) = self.new.put(place, *address) {
            self.entries.remove(&displaced);
        }
    }

    /// Removes an address.
    pub fn forget(&mut self, address: &NetAddress) {
        let Some(known) = self.entries.remove(address) else {
            return;
        };
        self.changed = true;
        self.contested.remove(address);
        match known.standing {
            Standing::New => self.new.clear(&Place::of_new(&self.key, address, &known.source)),
            Standing::Tried => self.tried.clear(&Place::of_tried(&self.key, address)),
        }
    }

    // --- Choosing ---

    /// An address to connect to among those that `permit` allows: as often hearsay as not, rather one
    /// that has not failed.
    pub fn select(&mut self, now: Timestamp, permit: impl Fn(&Known) -> bool) -> Option<NetAddress> {
        let tried = self.tried.len() > 0 && (self.new.len() == 0 || self.stream.chance(500));
        let (first, second) = match tried {
            true => (Standing::Tried, Standing::New),
            false => (Standing::New, Standing::Tried),
        };
        self.select_from(first, now, &permit)
            .or_else(|| self.select_from(second, now, &permit))
    }

    /// An address of one table.
    pub fn select_from(
        &mut self,
        standing: Standing,
        now: Timestamp,
        permit: impl Fn(&Known) -> bool,
    ) -> Option<NetAddress> {
        let (table, buckets) = match standing {
            Standing::New => (&self.new, NEW_BUCKETS),
            Standing::Tried => (&self.tried, TRIED_BUCKETS),
        };
        // The more were looked at and left, the less choosy.
        let mut factor_percent = 100u64;
        for _ in 0..MAX_DRAWS {
            let address = table.pick(&mut self.stream, buckets)?;
            let known = self.entries.get(&address)?;
            if !permit(known) {
                continue;
            }
            let chance = known.chance_millionths(now).saturating_mul(factor_percent) / 100;
            if self.stream.below(1_000_000) < chance {
                return Some(address);
            }
            factor_percent = factor_percent.saturating_mul(6) / 5;
        }
        None
    }

    /// Tried addresses whose places others want: they should be tested.
    pub fn contested(&self) -> impl Iterator<Item = &NetAddress> {
        self.contested.iter()
    }

    /// A random sample for a peer that asks, never the whole of a book that is worth hiding.
    pub fn sample(&mut self, now: Timestamp) -> Vec<PeerAddress> {
        let limit = (self.entries.len() * MAX_SHARED_PERMILLE / 1_000).clamp(MIN_SHARED, MAX_ADDRESSES);
        let mut told: Vec<PeerAddress> = self
            .entries
            .values()
            .filter(|known| !known.is_terrible(now))
            .map(Known::told)
            .collect();
        // The first steps of Fisher and Yates' shuffle.
        let count = told.len().min(limit);
        for at in 0..count {
            let left = u64::try_from(told.len() - at).unwrap_or(0);
            let other = at + usize::try_from(self.stream.below(left)).unwrap_or(0);
            told.swap(at, other);
        }
        told.truncate(count);
        told
    }

    // --- Saving ---

    pub(super) fn saved(&self) -> Vec<Known> {
        self.entries.values().cloned().collect()
    }

    /// Puts entries back, each in the place it has under this book's key. What no longer fits is left out.
    pub(super) fn restore(&mut self, entries: impl IntoIterator<Item = Known>) {
        for known in entries {
            let address = known.address;
            let (table, place) = match known.standing {
                Standing::New => (&mut self.new, Place::of_new(&self.key, &address, &known.source)),
                Standing::Tried => (&mut self.tried, Place::of_tried(&self.key, &address)),
            };
            if table.get(&place).is_none() && !self.entries.contains_key(&address) {
                table.put(place, address);
                self.last_success = self.last_success.max(known.last_success);
                self.entries.insert(address, known);
            }
        }
    }
}
