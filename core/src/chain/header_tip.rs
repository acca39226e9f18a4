//! The rules for headers.

use crate::block::{BlockHeader, TargetError, Work, required_bits};
use crate::params::Params;
use crate::primitives::{BlockHash, Height, Time, Timestamp};

/// Why a header is not taken in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// Its parent is not known (yet).
    #[error("unknown parent {0}")]
    UnknownParent(BlockHash),
    /// It extends an invalid block.
    #[error("extends an invalid block")]
    InvalidParent,
    /// Its target is not the required one.
    #[error("target is not the required one")]
    WrongBits,
    /// Its proof of work fails.
    #[error(transparent)]
    Work(#[from] TargetError),
    /// Its time is not after the median of the last 11.
    #[error("time {0} is not after the median time past")]
    TooOld(u32),
    /// Its time is too far ahead. Not remembered: it may be fine later.
    #[error("time {0} is too far ahead")]
    TooFarAhead(u32),
    /// It was found invalid before.
    #[error("the block is known to be invalid")]
    KnownInvalid,
}

/// Header times that a median is taken of.
const MEDIAN_OF: usize = 11;

/// The last header of a chain, and what the rules for the next one look at: constant memory, however
/// long the chain is.
#[derive(Clone, Debug)]
pub struct HeaderTip {
    hash: BlockHash,
    header: BlockHeader,
    height: Height,
    work: Work,
    /// Times of the last headers, each in the place of its height modulo 11.
    times: [Timestamp; MEDIAN_OF],
}

impl HeaderTip {
    /// The last of `chain`, which has it and its ancestors, last one first, as far as anybody looks, with
    /// the work of the whole chain.
    pub(super) fn new<'a>(
        hash: BlockHash,
        work: Work,
        chain: impl Iterator<Item = (Height, &'a BlockHeader)>,
    ) -> Option<Self> {
        let mut chain = chain.take(MEDIAN_OF).peekable();
        let (height, header) = *chain.peek()?;
        let mut tip = Self {
            hash,
            header: *header,
            height,
            work,
            times: [Timestamp::default(); MEDIAN_OF],
        };
        chain.for_each(|(height, header)| tip.times[place(height)] = header.time);
        Some(tip)
    }

    /// Its hash.
    pub fn hash(&self) -> BlockHash {
        self.hash
    }

    /// Its height.
    pub fn height(&self) -> Height {
        self.height
    }

    /// Work of the whole chain up to here.
    pub fn work(&self) -> Work {
        self.work
    }

    /// Moves on to `header`, whose hash is `hash`.
    ///
    /// # Errors
    /// The first rule that `header` breaks as the next one of the chain at `now`.
    pub fn extend(
        &mut self,
        header: &BlockHeader,
        hash: BlockHash,
        params: &Params,
        now: Time,
    ) -> Result<(), HeaderError> {
        if header.previous != self.hash {
            return Err(HeaderError::UnknownParent(header.previous));
        }
        if header.bits != required_bits(params, &self.header, self.height) {
            return Err(HeaderError::WrongBits);
        }
        let target = header.bits.target()?;
        if !target.is_met_by(&hash) {
            return Err(TargetError::Missed.into());
        }
        if header.time <= self.median_time_past() {
            return Err(HeaderError::TooOld(header.time.0));
        }
        if u64::from(header.time.0) > now.timestamp().plus_seconds(u64::from(params.max_future_s)) {
            return Err(HeaderError::TooFarAhead(header.time.0));
        }
        self.hash = hash;
        self.header = *header;
        self.height = self.height.plus(1);
        self.work = self.work.plus(&target.work());
        self.times[place(self.height)] = header.time;
        Ok(())
    }

    fn median_time_past(&self) -> Timestamp {
        let mut times = self.times;
        let count = MEDIAN_OF.min(self.height.0 as usize + 1);
        let times = &mut times[..count];
        times.sort_unstable();
        times[count / 2]
    }
}

fn place(height: Height) -> usize {
    height.0 as usize % MEDIAN_OF
}
