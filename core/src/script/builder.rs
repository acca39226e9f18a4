//! From instructions to bytes.

use super::number::encode_number;
use super::opcode::{OP_0, OP_PUSHBYTES_75, OP_PUSHDATA1, OP_PUSHDATA2, shortest_push};
use super::{MAX_ELEMENT_BYTES, Opcode, Script};
use alloc::vec::Vec;

/// Writes a script, each push in its shortest encoding.
#[derive(Clone, Debug, Default)]
pub struct ScriptBuilder {
    bytes: Vec<u8>,
    element_too_long: bool,
}

impl ScriptBuilder {
    /// The empty script.
    pub const fn new() -> Self {
        Self {
            bytes: Vec::new(),
            element_too_long: false,
        }
    }

    /// Appends an operation.
    #[must_use]
    pub fn operation(mut self, opcode: Opcode) -> Self {
        self.bytes.push(opcode.to_byte());
        self
    }

    /// Appends operations.
    #[must_use]
    pub fn operations(self, opcodes: &[Opcode]) -> Self {
        opcodes.iter().copied().fold(self, Self::operation)
    }

    /// Appends a push of `element`; past [`MAX_ELEMENT_BYTES`] bytes there will be no script.
    #[must_use]
    pub fn push(mut self, element: &[u8]) -> Self {
        let length = match u16::try_from(element.len()) {
            Ok(length) if element.len() <= MAX_ELEMENT_BYTES => length.to_le_bytes(),
            _ => {
                self.element_too_long = true;
                return self;
            }
        };
        let opcode = shortest_push(element);
        self.bytes.push(opcode);
        match opcode {
            OP_0..=OP_PUSHBYTES_75 => self.bytes.extend_from_slice(element),
            OP_PUSHDATA1 => {
                self.bytes.push(length[0]);
                self.bytes.extend_from_slice(element);
            }
            OP_PUSHDATA2 => {
                self.bytes.extend_from_slice(&length);
                self.bytes.extend_from_slice(element);
            }
            // The opcode alone is the push.
            _ => {}
        }
        self
    }

    /// Appends a push of `number`.
    #[must_use]
    pub fn push_number(self, number: i64) -> Self {
        self.push(&encode_number(number))
    }

    /// The script, if neither it nor an element in it is too long.
    pub fn build(self) -> Option<Script> {
        if self.element_too_long {
            return None;
        }
        Script::from_bytes(self.bytes)
    }
}
