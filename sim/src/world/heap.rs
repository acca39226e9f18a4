//! What is due, by time and then by the order in which it was planned.

use camelid_core::primitives::Time;
use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

/// A queue of items by due time; equal times come out in the order they went in.
pub struct Heap<T> {
    entries: BinaryHeap<Reverse<Entry<T>>>,
    pushed: u64,
}

impl<T> Default for Heap<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Heap<T> {
    /// An empty queue.
    pub fn new() -> Self {
        Self {
            entries: BinaryHeap::new(),
            pushed: 0,
        }
    }

    /// Adds an item that is due at `at`.
    pub fn push(&mut self, at: Time, item: T) {
        self.entries.push(Reverse(Entry {
            key: (at, self.pushed),
            item,
        }));
        self.pushed += 1;
    }

    /// The next item that is due at or before `end`.
    pub fn pop_until(&mut self, end: Time) -> Option<(Time, T)> {
        if self.entries.peek()?.0.key.0 > end {
            return None;
        }
        self.entries.pop().map(|Reverse(entry)| (entry.key.0, entry.item))
    }
}

struct Entry<T> {
    key: (Time, u64),
    item: T,
}

impl<T> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl<T> Eq for Entry<T> {}

impl<T> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Entry<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key.cmp(&other.key)
    }
}
