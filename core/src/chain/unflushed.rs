//! What is not in the store yet.

use crate::primitives::Map;
use alloc::vec::Vec;
use core::hash::Hash;

/// Entries on their way to the store: those of the flush that is under way, and newer ones over them.
#[derive(Clone, Debug)]
pub(super) struct Unflushed<K, V> {
    fresh: Map<K, V>,
    leaving: Map<K, V>,
}

impl<K: Eq + Hash, V> Unflushed<K, V> {
    pub(super) fn new(map_seed: u64) -> Self {
        Self {
            fresh: Map::with_seed(map_seed),
            leaving: Map::with_seed(map_seed),
        }
    }

    /// Drops everything.
    pub(super) fn clear(&mut self) {
        let (_, _) = (self.fresh.take(), self.leaving.take());
    }

    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.fresh.get(key).or_else(|| self.leaving.get(key))
    }

    pub(super) fn insert(&mut self, key: K, value: V) {
        self.fresh.insert(key, value);
    }

    pub(super) fn remove(&mut self, key: &K) {
        self.fresh.remove(key);
        self.leaving.remove(key);
    }

    /// Everything that is here leaves.
    pub(super) fn begin_flush(&mut self) {
        debug_assert!(self.leaving.is_empty(), "one flush at a time");
        self.leaving = self.fresh.take();
    }

    /// What left has arrived.
    pub(super) fn finish_flush(&mut self) {
        drop(self.leaving.take());
    }
}

/// Changes over a table of the store: new values, and `None` for what is not there any more.
pub(super) type Changes<K, V> = Unflushed<K, Option<V>>;

impl<K: Eq + Hash, V: Clone> Changes<K, V> {
    /// Sets or removes the value at `key` and returns the one before. `below` reads the table; where there is none,
    /// nothing is kept of what is removed.
    pub(super) fn replace<F: FnOnce(&K) -> Option<V>>(
        &mut self,
        key: K,
        value: Option<V>,
        below: Option<F>,
    ) -> Option<V>
    where
        K: Copy,
    {
        let leaves_trace = value.is_some() || below.is_some() || !self.leaving.is_empty();
        let before = match leaves_trace {
            true => self.fresh.insert(key, value),
            false => self.fresh.remove(&key),
        };
        match before.or_else(|| self.leaving.get(&key).cloned()) {
            Some(before) => before,
            None => below.and_then(|below| below(&key)),
        }
    }

    /// The sum of `measure` over the values here.
    pub(super) fn sum(&self, measure: &impl Fn(&V) -> u128) -> u128 {
        let of = |value: &Option<V>| value.as_ref().map_or(0, measure);
        let newer = self.fresh.sum(|_, value| of(value));
        let is_older = |key: &K| !self.fresh.contains_key(key);
        newer
            + self
                .leaving
                .sum(|key, value| if is_older(key) { of(value) } else { 0 })
    }
}

impl<K: Copy + Eq + Hash + Ord, V: Clone> Changes<K, V> {
    /// The values here: newer ones, then those of the flush, each by key.
    pub(super) fn values(&self) -> impl Iterator<Item = &V> {
        let older = self.leaving.sorted().into_iter();
        let older = older.filter(|(key, _)| !self.fresh.contains_key(key));
        let newer = self.fresh.sorted().into_iter();
        newer.chain(older).filter_map(|(_, value)| value.as_ref())
    }

    /// What leaves with the flush that is under way, by key.
    pub(super) fn leaving(&self) -> Vec<(K, Option<V>)> {
        let entries = self.leaving.sorted().into_iter();
        entries.map(|(key, value)| (*key, value.clone())).collect()
    }
}
