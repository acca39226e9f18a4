//! What time it is.

use async_trait::async_trait;
use camelid_core::primitives::Time;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::Instant;

/// Longest time for which a sleeper does not look at the system's clock.
const LONGEST_NAP_MS: u64 = 1_000;

/// A clock that counts milliseconds from the Unix epoch.
#[async_trait]
pub trait Clock: Send + Sync {
    /// The time now. It may go back (clocks get set); the driver hides that from its process.
    fn now(&self) -> Time;

    /// Returns when the clock shows `at` or later. Must be cancel safe.
    async fn sleep_until(&self, at: Time);
}

/// The system's clock, with tokio's timers.
#[derive(Clone, Copy, Debug, Default)]
pub struct TokioClock;

#[async_trait]
impl Clock for TokioClock {
    fn now(&self) -> Time {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Time(whole_milliseconds(since_epoch))
    }

    async fn sleep_until(&self, at: Time) {
        // Short naps notice a clock that was set and a machine that was suspended, which tokio's
        // timers do not.
        loop {
            let left_ms = at.0.saturating_sub(self.now().0);
            if left_ms == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(left_ms.min(LONGEST_NAP_MS))).await;
        }
    }
}

/// The runtime's own time, counted from a moment of the caller's choice. In a tokio runtime whose
/// time is paused, and under madsim, it is virtual: it jumps to the next timer when there is nothing
/// else to do.
#[derive(Clone, Copy, Debug)]
pub struct RuntimeClock {
    origin: Time,
    started: Instant,
}

impl RuntimeClock {
    /// A clock that shows `origin` now. Call it inside the runtime.
    pub fn starting_at(origin: Time) -> Self {
        Self {
            origin,
            started: Instant::now(),
        }
    }
}

#[async_trait]
impl Clock for RuntimeClock {
    fn now(&self) -> Time {
        self.origin.after_ms(whole_milliseconds(self.started.elapsed()))
    }

    async fn sleep_until(&self, at: Time) {
        loop {
            let left_ms = at.0.saturating_sub(self.now().0);
            if left_ms == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(left_ms)).await;
        }
    }
}

fn whole_milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
