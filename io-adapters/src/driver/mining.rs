//! Proof of work beside the loop. The nonces are shared out to *lanes*, tasks that work in slices: on a
//! runtime with several threads they run on several cores, and elsewhere they take turns.

use super::task::OwnedTask;
use crate::clock::Clock;
use camelid_core::block::{BlockHeader, Target, search};
use std::future::pending;
use std::num::NonZeroU32;
use std::sync::Arc;
use tokio::sync::mpsc;

/// How hard to mine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MiningConfig {
    /// Searches at a time. More than the runtime has threads bring nothing; as many leave the other
    /// tasks to wait for the end of a slice.
    pub lanes: NonZeroU32,
    /// Hashes of a lane between two moments at which other tasks get their turn (at least 1).
    pub hashes_per_slice: u32,
    /// Milliseconds of rest before each slice; 0 only yields. On networks with a trivial target this
    /// is what sets the pace: it passes before the first slice of a template, too.
    pub pause_ms: u64,
}

impl Default for MiningConfig {
    /// One lane, half a millisecond of work at a time, without rest.
    fn default() -> Self {
        Self {
            lanes: NonZeroU32::MIN,
            hashes_per_slice: 4_096,
            pause_ms: 0,
        }
    }
}

/// Mines the newest template.
pub(super) struct Mining {
    config: Option<MiningConfig>,
    clock: Arc<dyn Clock>,
    search: Option<Search>,
}

/// The lanes of one template. They end when this is dropped.
struct Search {
    solutions: mpsc::Receiver<BlockHeader>,
    _lanes: Vec<OwnedTask<()>>,
}

impl Mining {
    /// Without a configuration templates are ignored.
    pub(super) fn new(config: Option<MiningConfig>, clock: Arc<dyn Clock>) -> Self {
        Self {
            config,
            clock,
            search: None,
        }
    }

    /// Drops the template in work and begins with this one. One whose target is malformed cannot be
    /// mined and only ends the work on the one before.
    pub(super) fn start(&mut self, template: BlockHeader) {
        self.search = None;
        let (Some(config), Ok(target)) = (self.config, template.bits.target()) else {
            return;
        };
        let (sender, solutions) = mpsc::channel(1);
        let lanes = (0..config.lanes.get()).map(|number| {
            let lane = Lane::new(template, target, number, config.lanes);
            OwnedTask::spawn(mine(lane, config, self.clock.clone(), sender.clone()))
        });
        self.search = Some(Search {
            _lanes: lanes.collect(),
            solutions,
        });
    }

    /// The solved header; pending for ever when nothing is mined. Cancel safe.
    pub(super) async fn solved(&mut self) -> BlockHeader {
        let Some(search) = &mut self.search else {
            return pending().await;
        };
        let solved = search.solutions.recv().await;
        self.search = None;
        match solved {
            Some(header) => header,
            None => pending().await,
        }
    }
}

async fn mine(
    mut lane: Lane,
    config: MiningConfig,
    clock: Arc<dyn Clock>,
    solutions: mpsc::Sender<BlockHeader>,
) {
    loop {
        match config.pause_ms {
            0 => tokio::task::yield_now().await,
            pause_ms => clock.sleep_until(clock.now().after_ms(pause_ms)).await,
        }
        if let Some(header) = lane.search(config.hashes_per_slice.max(1)) {
            // Another lane may have been faster.
            let _ = solutions.send(header).await;
            return;
        }
    }
}

/// One share of a template's nonces, in the order in which they are tried. After the last one the
/// header's time goes up by a second, which makes all nonces new.
struct Lane {
    header: BlockHeader,
    target: Target,
    first: u32,
    last: u32,
    next: u32,
}

impl Lane {
    /// Share `number` of `lanes`, from the template's own nonce on.
    fn new(template: BlockHeader, target: Target, number: u32, lanes: NonZeroU32) -> Self {
        let share = u32::MAX / lanes;
        let first = number * share;
        let last = if number + 1 == lanes.get() {
            u32::MAX
        } else {
            first + (share - 1)
        };
        Self {
            header: template,
            target,
            first,
            last,
            next: template.nonce.clamp(first, last),
        }
    }

    /// The solution, if it is among the next `hashes` nonces of the share.
    fn search(&mut self, hashes: u32) -> Option<BlockHeader> {
        let end = self.next.saturating_add(hashes - 1).min(self.last);
        if let Some(nonce) = search(&self.header, &self.target, self.next..=end) {
            return Some(BlockHeader { nonce, ..self.header });
        }
        if end == self.last {
            self.header.time.0 = self.header.time.0.saturating_add(1);
            self.next = self.first;
        } else {
            self.next = end + 1;
        }
        None
    }
}
