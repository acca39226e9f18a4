//! E10: a miner dates its blocks as late, or as early, as the rules allow.

use super::{Context, Strategy};
use camelid_core::block::BlockHeader;
use camelid_core::primitives::Timestamp;
use camelid_core::process::{Input, Outputs};

/// Nonces tried for a new date; simnet's target is met by every second hash.
const MAX_NONCES: u32 = 1 << 16;

/// Dates its blocks wrongly.
pub(super) enum Timestamps {
    /// As far ahead of its clock as nodes accept.
    Ahead,
    /// One second after the median time past.
    Back,
}

impl Strategy for Timestamps {
    fn on_input(&mut self, context: &mut Context<'_>, input: Input, _out: &mut Outputs) -> Option<Input> {
        let Input::Mined { header } = &input else {
            return Some(input);
        };
        let redated = self
            .date(context)
            .and_then(|time| solve(&BlockHeader { time, ..*header }));
        let Some(header) = redated else {
            return Some(input);
        };
        context.attacked();
        Some(Input::Mined { header })
    }
}

impl Timestamps {
    fn date(&self, context: &Context<'_>) -> Option<Timestamp> {
        let chain = context.node.chain();
        let after_median = chain.ledger().median_time_past().plus_seconds(1);
        let latest = context
            .now
            .timestamp()
            .plus_seconds(chain.params().max_future_s.into());
        let seconds = match self {
            Self::Ahead => latest.max(after_median),
            Self::Back => after_median,
        };
        u32::try_from(seconds).ok().map(Timestamp)
    }
}

fn solve(header: &BlockHeader) -> Option<BlockHeader> {
    (0..MAX_NONCES)
        .map(|nonce| BlockHeader { nonce, ..*header })
        .find(|header| header.check_work().is_ok())
}
