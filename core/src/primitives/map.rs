//! A hash map whose order cannot show.

use alloc::vec::Vec;
use core::hash::Hash;
use foldhash::quality::FixedState;

#[allow(clippy::disallowed_types)] // `Map` is what makes it safe to use
type Inner<K, V> = hashbrown::HashMap<K, V, FixedState>;

/// A hash map with a seed of its own and without iteration in its own order: nothing that is computed from it can
/// depend on hash order. Where order matters, use a `BTreeMap`.
#[derive(Clone, Debug)]
pub struct Map<K, V> {
    inner: Inner<K, V>,
}

impl<K: Eq + Hash, V> Map<K, V> {
    /// An empty map. `seed` is secret to its owner, so that nobody else can aim at its buckets.
    pub fn with_seed(seed: u64) -> Self {
        Self {
            inner: Inner::with_hasher(FixedState::with_seed(seed)),
        }
    }

    /// The value at `key`.
    pub fn get(&self, key: &K) -> Option<&V> {
        self.inner.get(key)
    }

    /// The value at `key`, writable.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.inner.get_mut(key)
    }

    /// True when `key` has a value.
    pub fn contains_key(&self, key: &K) -> bool {
        self.inner.contains_key(key)
    }

    /// Sets the value at `key` and returns the one before.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        self.inner.insert(key, value)
    }

    /// Takes the value at `key` out.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        self.inner.remove(key)
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.inner.len()
    }

    /// True when there are no entries.
    pub fn is_empty(&self) -> bool {
        self.inner.is_empty()
    }

    /// Takes all entries out.
    #[must_use]
    pub fn take(&mut self) -> Self {
        let empty = Inner::with_hasher(self.inner.hasher().clone());
        Self {
            inner: core::mem::replace(&mut self.inner, empty),
        }
    }

    /// All entries, by key.
    pub fn sorted(&self) -> Vec<(&K, &V)>
    where
        K: Ord,
    {
        let mut entries: Vec<_> = self.inner.iter().collect();
        entries.sort_unstable_by(|a, b| a.0.cmp(b.0));
        entries
    }

    /// The sum of `measure` over all entries, which has no order.
    pub fn sum(&self, measure: impl Fn(&K, &V) -> u128) -> u128 {
        self.inner.iter().map(|(key, value)| measure(key, value)).sum()
    }
}
