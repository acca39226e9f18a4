//! Proof of work beside the loop, in slices, so that no thread is needed and a machine can be
//! shared.

use super::task::OwnedTask;
use crate::clock::Clock;
use camelid_core::block::{BlockHeader, Target};
use std::future::pending;
use std::sync::Arc;

/// How hard to mine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MiningConfig {
    /// Hashes between two moments at which other tasks get their turn (at least 1).
    pub hashes_per_slice: u32,
    /// Milliseconds of rest after each slice; 0 only yields. On networks with a trivial target this
    /// is what sets the pace.
    pub pause_ms: u64,
}

impl Default for MiningConfig {
    /// A few milliseconds of work at a time, without rest.
    fn default() -> Self {
        Self {
            hashes_per_slice: 4_096,
            pause_ms: 0,
        }
    }
}

/// Mines the newest template.
pub(super) struct Mining {
    config: Option<MiningConfig>,
    clock: Arc<dyn Clock>,
    task: Option<OwnedTask<BlockHeader>>,
}

impl Mining {
    /// Without a configuration templates are ignored.
    pub(super) fn new(config: Option<MiningConfig>, clock: Arc<dyn Clock>) -> Self {
        Self {
            config,
            clock,
            task: None,
        }
    }

    /// Drops the template in work and begins with this one. One whose target is malformed cannot be
    /// mined and only ends the work on the one before.
    pub(super) fn start(&mut self, template: BlockHeader) {
        self.task = None;
        if let (Some(config), Some(search)) = (self.config, Search::new(template)) {
            self.task = Some(OwnedTask::spawn(mine(search, config, self.clock.clone())));
        }
    }

    /// The solved header; pending for ever when nothing is mined. Cancel safe.
    pub(super) async fn solved(&mut self) -> BlockHeader {
        let Some(task) = &mut self.task else {
            return pending().await;
        };
        let solved = task.await;
        self.task = None;
        match solved {
            Some(header) => header,
            None => pending().await,
        }
    }
}

async fn mine(mut search: Search, config: MiningConfig, clock: Arc<dyn Clock>) -> BlockHeader {
    loop {
        if let Some(header) = search.try_hashes(config.hashes_per_slice.max(1)) {
            return header;
        }
        match config.pause_ms {
            0 => tokio::task::yield_now().await,
            pause_ms => clock.sleep_until(clock.now().after_ms(pause_ms)).await,
        }
    }
}

/// The headers of one template, in the order in which they are tried.
struct Search {
    header: BlockHeader,
    target: Target,
}

impl Search {
    fn new(template: BlockHeader) -> Option<Self> {
        let target = template.bits.target().ok()?;
        Some(Self {
            header: template,
            target,
        })
    }

    fn try_hashes(&mut self, hashes: u32) -> Option<BlockHeader> {
        for _ in 0..hashes {
            if self.target.is_met_by(&self.header.hash()) {
                return Some(self.header);
            }
            self.advance();
        }
        None
    }

    /// The next nonce; after the last one the header's time goes up by a second, which makes all
    /// nonces new.
    fn advance(&mut self) {
        self.header.nonce = self.header.nonce.wrapping_add(1);
        if self.header.nonce == 0 {
            self.header.time.0 = self.header.time.0.saturating_add(1);
        }
    }
}
