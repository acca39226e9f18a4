//! Windows in blocks *and* in time.

use crate::committee::Ticket;
use crate::params::Params;
use crate::primitives::{BlockHash, Height, Timestamp};
use crate::tx::OutPoint;
use alloc::collections::BTreeMap;
use borsh::{BorshDeserialize, BorshSerialize};

/// The block in which a window opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Since {
    /// Its height `s`.
    pub height: Height,
    /// Its median time past, `MTP(s)`.
    pub mtp: Timestamp,
}

/// Where a transaction stands: the block that contains it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Height `h` of the block.
    pub height: Height,
    /// Median time past of its parent, `MTP(h - 1)`.
    pub mtp_before: Timestamp,
    /// Median time past of the block itself, `MTP(h)`.
    pub mtp: Timestamp,
}

impl Moment {
    /// The window that opens here.
    pub fn opens(&self) -> Since {
        Since {
            height: self.height,
            mtp: self.mtp,
        }
    }

    /// True when a window of `blocks` blocks, opened at `since`, is closed here:
    /// `h >= s + n` and `MTP(h - 1) >= MTP(s) + n × spacing`. Until then it is open; there is
    /// neither gap nor overlap.
    pub fn closed(&self, since: &Since, blocks: u32, spacing_s: u32) -> bool {
        self.height >= since.height.plus(blocks)
            && u64::from(self.mtp_before.0) >= since.mtp.plus_seconds(span_s(blocks, spacing_s))
    }
}

fn span_s(blocks: u32, spacing_s: u32) -> u64 {
    u64::from(blocks) * u64::from(spacing_s)
}

/// What the ledger remembers of the blocks before a [`Moment`].
pub trait History {
    /// `MTP(h)` of the block at `height`.
    fn median_time_past_at(&self, height: Height) -> Option<Timestamp>;

    /// Hash of the block at `height`.
    fn block_hash_at(&self, height: Height) -> Option<BlockHash>;

    /// All verifier tickets, by the outpoint of their bond.
    fn tickets(&self) -> &BTreeMap<OutPoint, Ticket>;
}

/// Tells which windows are closed at a moment, and when they closed.
#[derive(Clone, Copy)]
pub struct Clock<'a> {
    /// The network's parameters.
    pub params: &'a Params,
    /// The network.
    pub genesis: &'a BlockHash,
    /// The blocks before.
    pub history: &'a dyn History,
    /// Now.
    pub moment: Moment,
}

impl Clock<'_> {
    /// The first block at which a window of `blocks` blocks, opened at `since`, was closed; `None`
    /// while it is open. The window that follows it opens there, and the block before is the beacon
    /// of a draw.
    pub fn closed(&self, since: &Since, blocks: u32) -> Option<Since> {
        let spacing_s = self.params.spacing_s;
        if !self.moment.closed(since, blocks, spacing_s) {
            return None;
        }
        let due = since.mtp.plus_seconds(span_s(blocks, spacing_s));
        let time_is_up = |height: u32| {
            let before = self.mtp(Height(height.saturating_sub(1)));
            before.is_some_and(|mtp| u64::from(mtp.0) >= due)
        };
        // Median time never goes back, so the first block is found by halving.
        let (mut low, mut high) = (since.height.plus(blocks).0, self.moment.height.0);
        while low < high {
            let middle = low + (high - low) / 2;
            if time_is_up(middle) {
                high = middle;
            } else {
                low = middle.saturating_add(1);
            }
        }
        let height = Height(high);
        Some(Since {
            height,
            mtp: self.mtp(height)?,
        })
    }

    /// Hash of the last block before `since`.
    pub fn beacon(&self, since: &Since) -> Option<BlockHash> {
        self.history.block_hash_at(since.height.minus(1))
    }

    fn mtp(&self, height: Height) -> Option<Timestamp> {
        if height == self.moment.height {
            Some(self.moment.mtp)
        } else {
            self.history.median_time_past_at(height)
        }
    }
}
