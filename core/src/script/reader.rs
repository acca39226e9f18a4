//! From bytes to instructions.

use super::opcode::{
    OP_0, OP_1, OP_1NEGATE, OP_16, OP_PUSHBYTES_75, OP_PUSHDATA1, OP_PUSHDATA2, OP_PUSHDATA4, shortest_push,
};
use super::{Opcode, ScriptError};
use core::fmt;
use core::iter::FusedIterator;

/// Bytes of the longest element.
pub const MAX_ELEMENT_BYTES: usize = 520;

/// One step of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instruction<'a> {
    /// Puts these bytes on the stack.
    Push(&'a [u8]),
    /// Anything else.
    Operation(Opcode),
}

impl Instruction<'_> {
    /// The number from 0 to 16 that this pushes, if it does: those have opcodes of their own.
    pub fn small_number(&self) -> Option<u8> {
        match self {
            Self::Push([]) => Some(0),
            Self::Push([number @ 1..=16]) => Some(*number),
            _ => None,
        }
    }
}

impl fmt::Display for Instruction<'_> {
    /// The operation's name, the small number, or the element in hexadecimal between angle brackets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self, self.small_number()) {
            (Self::Operation(opcode), _) => fmt::Display::fmt(opcode, f),
            (Self::Push(_), Some(number)) => write!(f, "{number}"),
            (Self::Push([0x81]), None) => f.write_str("-1"),
            (Self::Push(element), None) => {
                f.write_str("<")?;
                for byte in *element {
                    write!(f, "{byte:02x}")?;
                }
                f.write_str(">")
            }
        }
    }
}

/// The instructions of a script, first to last; ends at its end or after the first error.
///
/// Reading alone refuses truncated, long and not minimal pushes and unknown opcodes, so that they
/// fail in branches that never run, too.
#[derive(Clone, Debug)]
pub struct Instructions<'a> {
    rest: &'a [u8],
}

impl<'a> Instructions<'a> {
    /// Reads `script` from its first byte.
    pub(super) const fn new(script: &'a [u8]) -> Self {
        Self { rest: script }
    }

    fn read(&mut self, opcode: u8) -> Result<Instruction<'a>, ScriptError> {
        const SMALL_NUMBERS: &[u8; 16] = &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];
        let element = match opcode {
            OP_0..=OP_PUSHBYTES_75 => self.take(usize::from(opcode))?,
            OP_PUSHDATA1 => self.take_with_length(1)?,
            OP_PUSHDATA2 => self.take_with_length(2)?,
            OP_PUSHDATA4 => self.take_with_length(4)?,
            OP_1NEGATE => &[0x81],
            OP_1..=OP_16 => {
                let index = usize::from(opcode - OP_1);
                &SMALL_NUMBERS[index..=index]
            }
            _ => {
                return Opcode::from_byte(opcode)
                    .map(Instruction::Operation)
                    .ok_or(ScriptError::UnknownOpcode(opcode));
            }
        };
        if element.len() > MAX_ELEMENT_BYTES {
            return Err(ScriptError::ElementTooLong);
        }
        if opcode != shortest_push(element) {
            return Err(ScriptError::NonMinimalPush);
        }
        Ok(Instruction::Push(element))
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], ScriptError> {
        let (taken, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or(ScriptError::TruncatedPush)?;
        self.rest = rest;
        Ok(taken)
    }

    /// An element whose length stands before it in `width` little-endian bytes, at most 4.
    fn take_with_length(&mut self, width: usize) -> Result<&'a [u8], ScriptError> {
        let length = self
            .take(width)?
            .iter()
            .rev()
            .fold(0_u32, |high, byte| high << 8 | u32::from(*byte));
        self.take(usize::try_from(length).map_err(|_| ScriptError::TruncatedPush)?)
    }
}

impl<'a> Iterator for Instructions<'a> {
    type Item = Result<Instruction<'a>, ScriptError>;

    fn next(&mut self) -> Option<Self::Item> {
        let (opcode, rest) = self.rest.split_first()?;
        self.rest = rest;
        let instruction = self.read(*opcode);
        if instruction.is_err() {
            self.rest = &[];
        }
        Some(instruction)
    }
}

impl FusedIterator for Instructions<'_> {}
