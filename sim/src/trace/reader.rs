//! Reading a trace. Every byte is checked before anything is believed.

use super::format::{CHECK_BYTES, CheckChain, Frame, MAGIC, MAX_FRAME_BYTES, VERSION};
use camelid_core::primitives::{Hash256, decode};

/// A complete, undamaged trace.
#[derive(Clone, Debug)]
pub struct Trace {
    /// The scenario's name.
    pub name: String,
    /// The seed.
    pub seed: u64,
    /// The scenario file.
    pub scenario: String,
    /// What happened, without header and end.
    pub frames: Vec<Frame>,
    /// Number of steps among the frames.
    pub steps: u64,
    /// The run's digest.
    pub digest: Hash256,
}

/// Why a file is no trace.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TraceError {
    /// It does not begin like one.
    #[error("not a trace: it does not begin with CAMELTRC")]
    NotATrace,
    /// It has another version.
    #[error("trace format {0}, this program reads {VERSION}")]
    Version(u16),
    /// A frame is damaged.
    #[error("frame {frame} (at byte {offset}) is damaged: {reason}")]
    Damaged {
        /// Number of the frame, from 0.
        frame: usize,
        /// Where it begins.
        offset: usize,
        /// What is wrong.
        reason: String,
    },
    /// It has no end.
    #[error("the trace is cut off after frame {0}: it has no end frame")]
    CutOff(usize),
    /// Something follows the end.
    #[error("{0} bytes follow the end frame")]
    TrailingBytes(usize),
    /// The frames are in an impossible order.
    #[error("frame {0} stands where it cannot")]
    Misplaced(usize),
}

/// True when `bytes` begin like a trace.
pub fn is_trace(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

impl Trace {
    /// Reads a trace.
    ///
    /// # Errors
    /// [`TraceError`]: what is wrong, and where.
    pub fn read(bytes: &[u8]) -> Result<Self, TraceError> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(TraceError::NotATrace)?;
        let (version, rest) = rest.split_first_chunk::<2>().ok_or(TraceError::CutOff(0))?;
        if *version != VERSION.to_le_bytes() {
            return Err(TraceError::Version(u16::from_le_bytes(*version)));
        }
        let mut frames = Frames {
            rest,
            offset: bytes.len() - rest.len(),
            number: 0,
            checks: CheckChain::new(),
        };
        let Some(Frame::Header { name, seed, scenario }) = frames.next()? else {
            return Err(TraceError::Misplaced(0));
        };
        let mut trace = Self {
            name,
            seed,
            scenario,
            frames: Vec::new(),
            steps: 0,
            digest: Hash256::default(),
        };
        loop {
            match frames.next()? {
                None => return Err(TraceError::CutOff(frames.number)),
                Some(Frame::Header { .. }) => return Err(TraceError::Misplaced(frames.number - 1)),
                Some(Frame::End { steps, digest }) => {
                    (trace.steps, trace.digest) = (steps, digest);
                    return match frames.rest.len() {
                        0 => Ok(trace),
                        more => Err(TraceError::TrailingBytes(more)),
                    };
                }
                Some(frame) => trace.frames.push(frame),
            }
        }
    }
}

struct Frames<'a> {
    rest: &'a [u8],
    offset: usize,
    number: usize,
    checks: CheckChain,
}

impl Frames<'_> {
    /// The next frame, or `None` at the end of the bytes.
    fn next(&mut self) -> Result<Option<Frame>, TraceError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let (length, rest) = self
            .rest
            .split_first_chunk::<4>()
            .ok_or(TraceError::CutOff(self.number))?;
        let length = u32::from_le_bytes(*length) as usize;
        if length > MAX_FRAME_BYTES {
            return Err(self.damaged("its length is impossible"));
        }
        let (payload, rest) = rest
            .split_at_checked(length)
            .ok_or(TraceError::CutOff(self.number))?;
        let (check, rest) = rest
            .split_first_chunk::<CHECK_BYTES>()
            .ok_or(TraceError::CutOff(self.number))?;
        if self.checks.next(payload) != *check {
            return Err(self.damaged("its check does not fit"));
        }
        let frame = decode(payload, MAX_FRAME_BYTES).map_err(|error| self.damaged(&error.to_string()))?;
        self.offset += self.rest.len() - rest.len();
        self.rest = rest;
        self.number += 1;
        Ok(Some(frame))
    }

    fn damaged(&self, reason: &str) -> TraceError {
        TraceError::Damaged {
            frame: self.number,
            offset: self.offset,
            reason: reason.into(),
        }
    }
}
