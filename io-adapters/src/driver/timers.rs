//! The timers of one process.

use crate::clock::Clock;
use camelid_core::primitives::Time;
use camelid_core::process::Timer;
use std::collections::BTreeMap;
use std::future::pending;

/// When each timer is due; one that is not set is not in the map.
#[derive(Debug, Default)]
pub(super) struct Timers(BTreeMap<Timer, Time>);

impl Timers {
    /// Sets a timer, in place of its earlier setting.
    pub(super) fn set(&mut self, timer: Timer, at: Time) {
        self.0.insert(timer, at);
    }

    /// Waits for the first timer to come due and takes it out. Cancel safe.
    pub(super) async fn fire(&mut self, clock: &dyn Clock) -> Timer {
        let first = self.0.iter().min_by_key(|(_, at)| **at);
        let Some((timer, at)) = first.map(|(timer, at)| (*timer, *at)) else {
            return pending().await;
        };
        clock.sleep_until(at).await;
        self.0.remove(&timer);
        timer
    }
}
