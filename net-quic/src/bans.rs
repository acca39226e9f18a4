//! Who is not wanted, for a while.

use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// Nobody is banned for longer: ten years.
const MAX_BAN: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// A bounded number of bans that end by themselves.
#[derive(Debug)]
pub(crate) struct Bans<K> {
    until: BTreeMap<K, Instant>,
    max: usize,
}

impl<K: Ord + Copy> Bans<K> {
    /// No bans, and room for `max`.
    pub(crate) fn new(max: usize) -> Self {
        Self {
            until: BTreeMap::new(),
            max,
        }
    }

    /// Bans `key` for `duration`, or for as long as it is banned already. The ban that ends first
    /// makes room.
    pub(crate) fn ban(&mut self, key: K, duration: Duration, now: Instant) {
        let end = now + duration.min(MAX_BAN);
        let until = self.until.entry(key).or_insert(end);
        *until = end.max(*until);
        while self.until.len() > self.max {
            let first = self.until.iter().min_by_key(|(_, until)| **until);
            let Some(key) = first.map(|(key, _)| *key) else {
                return;
            };
            self.until.remove(&key);
        }
    }

    /// True while a ban lasts.
    pub(crate) fn contains(&self, key: &K, now: Instant) -> bool {
        self.until.get(key).is_some_and(|until| now < *until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_ban_ends_and_is_never_shortened() {
        let now = Instant::now();
        let mut bans = Bans::new(2);
        bans.ban(1, SECOND * 10, now);
        bans.ban(1, SECOND, now);
        assert!(bans.contains(&1, now + SECOND * 9));
        assert!(!bans.contains(&1, now + SECOND * 10));
        assert!(!bans.contains(&2, now));
    }

    #[test]
    fn the_ban_that_ends_first_makes_room() {
        let now = Instant::now();
        let mut bans = Bans::new(2);
        for (key, seconds) in [(1, 20), (2, 10), (3, 30)] {
            bans.ban(key, SECOND * seconds, now);
        }
        assert_eq!([1, 2, 3].map(|key| bans.contains(&key, now)), [true, false, true]);
    }

    #[test]
    fn the_longest_ban_has_an_end() {
        let now = Instant::now();
        let mut bans = Bans::new(1);
        bans.ban(1, Duration::MAX, now);
        assert!(bans.contains(&1, now));
    }
}
