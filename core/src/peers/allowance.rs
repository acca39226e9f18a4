//! Token buckets.

use crate::primitives::Time;

/// How often something may be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// In the long run, thousandths a second.
    pub milli_per_second: u64,
    /// At once, after a pause.
    pub burst: u32,
}

/// One thing in an allowance, in its unit.
const ONE: u64 = 1_000_000;

/// A bucket that fills at a [`Rate`] and is emptied by use.
#[derive(Clone, Debug)]
pub struct Allowance {
    rate: Rate,
    /// In millionths.
    level: u64,
    filled: Time,
}

impl Allowance {
    /// A full bucket.
    pub fn full(rate: Rate, now: Time) -> Self {
        Self::with(rate, rate.burst, now)
    }

    /// A bucket with `count` in it.
    pub fn with(rate: Rate, count: u32, now: Time) -> Self {
        Self {
            rate,
            level: u64::from(count) * ONE,
            filled: now,
        }
    }

    /// Puts `count` in, also above the burst: for answers to what was asked.
    pub fn credit(&mut self, count: u32) {
        self.level = self.level.saturating_add(u64::from(count) * ONE);
    }

    /// Takes one out; false if there is none.
    pub fn take(&mut self, now: Time) -> bool {
        let elapsed_ms = now.0.saturating_sub(self.filled.0);
        self.filled = self.filled.max(now);
        let burst = u64::from(self.rate.burst) * ONE;
        if self.level < burst {
            let gain = elapsed_ms.saturating_mul(self.rate.milli_per_second);
            self.level = self.level.saturating_add(gain).min(burst);
        }
        match self.level.checked_sub(ONE) {
            Some(rest) => {
                self.level = rest;
                true
            }
            None => false,
        }
    }
}
