//! Reading within bounds.

use super::GgufError;
use std::io::Read;

/// Reads at most a number of bytes, and never allocates for more than are left.
pub struct Reader<R> {
    source: R,
    position: u64,
    limit: u64,
    file_bytes: u64,
}

impl<R: Read> Reader<R> {
    /// Reads from the beginning of a file of `file_bytes` bytes, `limit` of them at most.
    pub fn new(source: R, limit: u64, file_bytes: u64) -> Self {
        Self {
            source,
            position: 0,
            limit,
            file_bytes,
        }
    }

    /// Bytes read.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// The next `N` bytes, of `what`.
    pub fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], GgufError> {
        self.reserve(N as u64, what)?;
        let mut bytes = [0; N];
        self.fill(&mut bytes, what)?;
        Ok(bytes)
    }

    /// The next `count` bytes, of `what`.
    pub fn bytes(&mut self, count: u64, what: &'static str) -> Result<Vec<u8>, GgufError> {
        let count = self.reserve(count, what)?;
        let mut bytes = vec![0; count];
        self.fill(&mut bytes, what)?;
        Ok(bytes)
    }

    /// The next 32-bit number.
    pub fn u32(&mut self, what: &'static str) -> Result<u32, GgufError> {
        self.array(what).map(u32::from_le_bytes)
    }

    /// The next 64-bit number.
    pub fn u64(&mut self, what: &'static str) -> Result<u64, GgufError> {
        self.array(what).map(u64::from_le_bytes)
    }

    /// The next 64-bit number, which is at most `max`.
    pub fn count(&mut self, what: &'static str, max: u64) -> Result<u64, GgufError> {
        let value = self.u64(what)?;
        if value > max {
            return Err(GgufError::TooMany { what, value, max });
        }
        Ok(value)
    }

    /// The next string, of at most `max` bytes, which names something.
    pub fn name(&mut self, what: &'static str, max: u64) -> Result<String, GgufError> {
        let length = self.count(what, max)?;
        let bytes = self.bytes(length, what)?;
        let name = String::from_utf8(bytes).map_err(|_| GgufError::Name { what })?;
        if name.is_empty() || name.contains('\0') {
            return Err(GgufError::Name { what });
        }
        Ok(name)
    }

    /// Are there `count` more bytes?
    pub fn reserve(&self, count: u64, what: &'static str) -> Result<usize, GgufError> {
        let left = self.limit - self.position;
        match usize::try_from(count) {
            Ok(bytes) if count <= left => Ok(bytes),
            _ if self.limit < self.file_bytes => Err(GgufError::HeaderTooLong),
            _ => Err(self.truncated(what)),
        }
    }

    fn fill(&mut self, bytes: &mut [u8], what: &'static str) -> Result<(), GgufError> {
        self.source
            .read_exact(bytes)
            .map_err(|error| match error.kind() {
                std::io::ErrorKind::UnexpectedEof => self.truncated(what),
                _ => GgufError::Io(error),
            })?;
        self.position += bytes.len() as u64;
        Ok(())
    }

    fn truncated(&self, what: &'static str) -> GgufError {
        GgufError::Truncated {
            what,
            file_bytes: self.file_bytes,
        }
    }
}
