//! How much a peer may say: token buckets, and waiting for them.

use crate::config::QuicConfig;
use crate::group::Group;
use camelid_core::wire::Envelope;
use std::sync::Mutex;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// So much per second, and so much at once after a silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Units per second, at least 1.
    pub per_second: u32,
    /// Units that may come at once.
    pub burst: u32,
}

/// A token bucket that may go into debt: what has come has come, and the next waits for it.
#[derive(Clone, Copy, Debug)]
pub struct TokenBucket {
    rate: Rate,
    /// When the bucket will be full again: the only state, as in the generic cell rate algorithm.
    full_at: Instant,
}

impl TokenBucket {
    /// A full bucket.
    pub fn new(rate: Rate, now: Instant) -> Self {
        Self { rate, full_at: now }
    }

    /// Takes `units` and says how long to wait until nothing is owed.
    pub fn take(&mut self, units: u32, now: Instant) -> Duration {
        self.full_at = self.full_at.max(now) + self.time_for(units);
        self.full_at
            .saturating_duration_since(now)
            .saturating_sub(self.time_for(self.rate.burst))
    }

    /// How long it takes to earn `units`.
    fn time_for(&self, units: u32) -> Duration {
        let nanos = u64::from(units) * 1_000_000_000 / u64::from(self.rate.per_second.max(1));
        Duration::from_nanos(nanos)
    }
}

/// All that one peer may say.
#[derive(Debug)]
pub(crate) struct Budget(Mutex<Buckets>);

#[derive(Debug)]
struct Buckets {
    control_bytes: TokenBucket,
    bulk_bytes: TokenBucket,
    messages: [TokenBucket; Group::ALL.len()],
}

/// Which bytes a stream is charged for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Lane {
    Control,
    Bulk,
}

/// Holds the reader of a stream back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Throttle<'a> {
    pub(crate) budget: &'a Budget,
    pub(crate) lane: Lane,
}

impl Budget {
    /// A full one.
    pub(crate) fn new(config: &QuicConfig) -> Self {
        let now = Instant::now();
        Self(Mutex::new(Buckets {
            control_bytes: TokenBucket::new(config.control_bytes, now),
            bulk_bytes: TokenBucket::new(config.bulk_bytes, now),
            messages: Group::ALL.map(|group| TokenBucket::new(config.messages.of(group), now)),
        }))
    }

    fn take(&self, bucket: impl FnOnce(&mut Buckets) -> &mut TokenBucket, units: u32) -> Duration {
        let mut buckets = crate::shared::lock(&self.0);
        bucket(&mut buckets).take(units, Instant::now())
    }
}

impl Throttle<'_> {
    /// Waits until `bytes` that were read are paid for.
    pub(crate) async fn pay_bytes(&self, bytes: usize) {
        let units = u32::try_from(bytes).unwrap_or(u32::MAX);
        let wait = self.budget.take(
            |buckets| match self.lane {
                Lane::Control => &mut buckets.control_bytes,
                Lane::Bulk => &mut buckets.bulk_bytes,
            },
            units,
        );
        wait_for(wait).await;
    }

    /// Waits until a message is paid for.
    pub(crate) async fn pay_message(&self, packet: &[u8]) {
        let group = Group::of_kind(Envelope::peek_kind(packet));
        let wait = self
            .budget
            .take(|buckets| &mut buckets.messages[group as usize], 1);
        wait_for(wait).await;
    }
}

/// Sleeping for no time costs a turn of the runtime.
async fn wait_for(wait: Duration) {
    if !wait.is_zero() {
        sleep(wait).await;
    }
}
