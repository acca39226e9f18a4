//! Windows in blocks *and* in time.

use crate::primitives::{Height, Timestamp};
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
        let span_s = u64::from(blocks) * u64::from(spacing_s);
        self.height >= since.height.plus(blocks)
            && u64::from(self.mtp_before.0) >= since.mtp.plus_seconds(span_s)
    }
}
