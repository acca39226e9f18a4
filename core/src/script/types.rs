//! A script as bytes.

use super::{Instruction, Instructions, Opcode};
use crate::primitives::BoundedVec;
use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};
use core::fmt;

/// Bytes of the longest script.
pub const MAX_SCRIPT_BYTES: usize = 1000;

/// Operations of the longest run of a script. Those in branches that are not taken count too, and
/// so does each key that a CHECKMULTISIG lists (Bitcoin's limit and way to count).
pub const MAX_OPERATIONS: usize = 201;

/// Keys that one CHECKMULTISIG may list.
pub const MAX_MULTISIG_KEYS: u8 = 16;

/// A script: any bytes, whether or not they can be read or run.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct Script(BoundedVec<u8, MAX_SCRIPT_BYTES>);

impl Script {
    /// The script without instructions.
    pub const fn empty() -> Self {
        Self(BoundedVec::new())
    }

    /// `bytes` if they are at most [`MAX_SCRIPT_BYTES`].
    pub fn from_bytes(bytes: Vec<u8>) -> Option<Self> {
        BoundedVec::from_vec(bytes).map(Self)
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The instructions, first to last.
    pub fn instructions(&self) -> Instructions<'_> {
        Instructions::new(&self.0)
    }

    /// An upper bound on the signature checks that running the script can take, found without
    /// running it: what the per-block limit counts.
    ///
    /// CHECKSIG counts 1; CHECKMULTISIG as many as the small number pushed just before it, which is
    /// then the number of its keys, or else [`MAX_MULTISIG_KEYS`]. What cannot be read cannot run,
    /// and the count stops there.
    pub fn signature_operations(&self) -> u32 {
        let mut count = 0;
        let mut previous = None;
        for instruction in self.instructions().map_while(Result::ok) {
            count += match instruction {
                Instruction::Operation(Opcode::CheckSig | Opcode::CheckSigVerify) => 1,
                Instruction::Operation(Opcode::CheckMultiSig | Opcode::CheckMultiSigVerify) => {
                    let keys = previous.as_ref().and_then(Instruction::small_number);
                    u32::from(keys.unwrap_or(MAX_MULTISIG_KEYS))
                }
                _ => 0,
            };
            previous = Some(instruction);
        }
        count
    }
}

impl fmt::Debug for Script {
    /// The disassembly, up to what cannot be read.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (index, instruction) in self.instructions().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            match instruction {
                Ok(instruction) => write!(f, "{instruction}")?,
                Err(error) => write!(f, "({error})")?,
            }
        }
        f.write_str("]")
    }
}
