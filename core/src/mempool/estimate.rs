//! What fee rate would have been enough lately.

use super::fee::FeeRate;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

/// Blocks that are looked back on.
pub const ESTIMATE_WINDOW: usize = 48;

/// The least fee rate that each of the last [`ESTIMATE_WINDOW`] blocks had room for.
///
/// A block that is not full had room for the least rate that is relayed. A full one had room for
/// whatever is above the cheapest transaction in it, of those that waited in this pool: what a miner
/// puts into its own blocks without showing it to anybody does not count.
#[derive(Clone, Debug, Default)]
pub(super) struct Estimator {
    blocks: VecDeque<Option<FeeRate>>,
}

impl Estimator {
    /// A block that had room for `rate`; `None` says nothing.
    pub(super) fn push(&mut self, rate: Option<FeeRate>) {
        if self.blocks.len() == ESTIMATE_WINDOW {
            self.blocks.pop_front();
        }
        self.blocks.push_back(rate);
    }

    /// The last block was taken back.
    pub(super) fn pop(&mut self) {
        self.blocks.pop_back();
    }

    /// The least rate that would have been mined within `blocks` blocks from nine in ten of the last
    /// blocks on. `None` before there are as many blocks to look back on.
    pub(super) fn estimate(&self, blocks: usize) -> Option<FeeRate> {
        let recent: Vec<FeeRate> = self.blocks.iter().copied().flatten().collect();
        let mut enough: Vec<FeeRate> = recent
            .windows(blocks.max(1))
            .filter_map(|window| window.iter().min().copied())
            .collect();
        enough.sort_unstable();
        let rank = (enough.len() * 9).div_ceil(10).checked_sub(1)?;
        enough.get(rank).copied()
    }
}
