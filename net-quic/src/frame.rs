//! Frames: a length of four bytes, little-endian, and as many bytes.
//!
//! The length is checked before anything is allocated, and is no promise: memory grows with what
//! arrives.

use crate::budget::Throttle;
use quinn::{ReadError, RecvStream, SendStream, WriteError};

const HEADER_BYTES: usize = 4;
/// What is reserved for a frame before its bytes arrive, and what is read from a stream at a time.
pub const PIECE_BYTES: usize = 16 * 1024;

/// Why bytes are not a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Nothing is said in no bytes.
    #[error("an empty frame")]
    Empty,
    /// Longer than is allowed where it came.
    #[error("a frame of {length} bytes, at most {limit} are allowed")]
    TooLong {
        /// Bytes announced.
        length: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// The stream ended inside a frame.
    #[error("a frame that breaks off")]
    Truncated,
    /// A stream for one frame went on behind it.
    #[error("bytes after the only frame of a stream")]
    Trailing,
}

/// Puts frames together from pieces of any size.
///
/// Give it bytes with [`push`](Self::push) until it returns a frame; it then waits for the next.
/// Never holds more than twice what has arrived of a frame and [`PIECE_BYTES`].
#[derive(Debug)]
pub struct FrameDecoder {
    limit: usize,
    header: [u8; HEADER_BYTES],
    header_filled: usize,
    body: Vec<u8>,
}

impl FrameDecoder {
    /// A decoder of frames of 1 to `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            header: [0; HEADER_BYTES],
            header_filled: 0,
            body: Vec::new(),
        }
    }

    /// Takes bytes off the front of `input`, none beyond the end of a frame, and returns the frame if
    /// it is complete.
    ///
    /// # Errors
    /// [`FrameError`] as soon as a length is read that is not allowed; there is no going on after it.
    pub fn push(&mut self, input: &mut &[u8]) -> Result<Option<Vec<u8>>, FrameError> {
        while self.header_filled < HEADER_BYTES {
            let Some((&byte, rest)) = input.split_first() else {
                return Ok(None);
            };
            *input = rest;
            self.header[self.header_filled] = byte;
            self.header_filled += 1;
        }
        let length = self.check_length()?;
        let (piece, rest) = input.split_at(input.len().min(length - self.body.len()));
        *input = rest;
        self.reserve(piece.len(), length);
        self.body.extend_from_slice(piece);
        if self.body.len() < length {
            return Ok(None);
        }
        self.header_filled = 0;
        Ok(Some(std::mem::take(&mut self.body)))
    }

    /// How many more bytes certainly belong to the header or body at hand; never 0 and at most
    /// [`PIECE_BYTES`].
    pub fn wanted(&self) -> usize {
        if self.header_filled < HEADER_BYTES {
            return HEADER_BYTES - self.header_filled;
        }
        self.length()
            .saturating_sub(self.body.len())
            .clamp(1, PIECE_BYTES)
    }

    /// True when the last frame is complete and nothing of another has come.
    pub fn is_between_frames(&self) -> bool {
        self.header_filled == 0
    }

    /// Bytes of memory held for the frame at hand.
    pub fn held_bytes(&self) -> usize {
        self.body.capacity()
    }

    fn length(&self) -> usize {
        u32::from_le_bytes(self.header) as usize
    }

    fn check_length(&self) -> Result<usize, FrameError> {
        match self.length() {
            0 => Err(FrameError::Empty),
            length if length > self.limit => Err(FrameError::TooLong {
                length,
                limit: self.limit,
            }),
            length => Ok(length),
        }
    }

    /// Makes room for `more` bytes, never for more than the frame has.
    fn reserve(&mut self, more: usize, length: usize) {
        let needed = self.body.len() + more;
        if needed > self.body.capacity() {
            let room = needed.max(self.body.len() * 2).max(PIECE_BYTES).min(length);
            self.body.reserve_exact(room - self.body.len());
        }
    }
}

/// Why no frame came from a stream.
#[derive(Debug, thiserror::Error)]
pub enum ReadFrameError {
    /// The peer sent something else.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// The stream or its connection is gone.
    #[error(transparent)]
    Stream(#[from] ReadError),
}

/// Reads the next frame, not faster than a `throttle` allows; `None` at the end of the stream.
///
/// # Errors
/// [`ReadFrameError`]; the stream is of no use after it.
pub(crate) async fn read_frame(
    stream: &mut RecvStream,
    decoder: &mut FrameDecoder,
    throttle: Option<&Throttle<'_>>,
) -> Result<Option<Vec<u8>>, ReadFrameError> {
    loop {
        let Some(chunk) = stream.read_chunk(decoder.wanted(), true).await? else {
            return match decoder.is_between_frames() {
                true => Ok(None),
                false => Err(FrameError::Truncated.into()),
            };
        };
        if let Some(throttle) = throttle {
            throttle.pay_bytes(chunk.bytes.len()).await;
        }
        if let Some(frame) = decoder.push(&mut &chunk.bytes[..])? {
            return Ok(Some(frame));
        }
    }
}

/// Writes one frame.
///
/// # Errors
/// [`WriteError`] when the stream or its connection is gone.
///
/// # Panics
/// When `bytes` are 4 GiB or more, which no packet is.
pub async fn write_frame(stream: &mut SendStream, bytes: &[u8]) -> Result<(), WriteError> {
    let length = u32::try_from(bytes.len()).expect("packets have a bound far below 4 GiB");
    stream.write_all(&length.to_le_bytes()).await?;
    stream.write_all(bytes).await
}
