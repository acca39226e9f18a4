//! Scripts, read, run and written back.

use camelid_core::primitives::sha256;
use camelid_core::script::{
    Instruction, Script, ScriptBuilder, ScriptError, SpendContext, StandardScript, evaluate,
};
use std::cell::Cell;

/// A spend in a world where a key signs by hashing itself twice.
struct Spend {
    lock_time: u32,
    sequence: u32,
    version: u32,
    checks: Cell<u32>,
}

impl SpendContext for Spend {
    fn check_signature(&self, public_key: &[u8; 33], signature: &[u8; 64]) -> bool {
        self.checks.set(self.checks.get() + 1);
        let first = sha256(public_key).0;
        signature[..32] == first && signature[32..] == sha256(&first).0
    }
    fn lock_time(&self) -> u32 {
        self.lock_time
    }
    fn sequence(&self) -> u32 {
        self.sequence
    }
    fn transaction_version(&self) -> u32 {
        self.version
    }
}

/// Runs a spend: lock time, sequence and version in four bytes each, the length of `script_sig` in two,
/// then both scripts. `None` if the bytes are no such thing.
pub fn scripts(data: &[u8]) -> Option<Result<(), ScriptError>> {
    let (numbers, rest) = data.split_first_chunk::<14>()?;
    let number =
        |at: usize| u32::from_le_bytes([numbers[at], numbers[at + 1], numbers[at + 2], numbers[at + 3]]);
    let length = usize::from(u16::from_le_bytes([numbers[12], numbers[13]]));
    let (script_sig, script_pubkey) = rest.split_at_checked(length)?;
    let script_sig = Script::from_bytes(script_sig.to_vec())?;
    let script_pubkey = Script::from_bytes(script_pubkey.to_vec())?;
    for script in [&script_sig, &script_pubkey] {
        check_reading(script);
    }
    let spend = || Spend {
        lock_time: number(0),
        sequence: number(4),
        version: number(8),
        checks: Cell::new(0),
    };
    let first = spend();
    let verdict = evaluate(&script_sig, &script_pubkey, &first);
    assert!(first.checks.get() <= script_pubkey.signature_operations());
    assert_eq!(evaluate(&script_sig, &script_pubkey, &spend()), verdict);
    Some(verdict)
}

/// What can be read writes back as the same bytes, and a standard form compiles to its script.
fn check_reading(script: &Script) {
    let mut builder = ScriptBuilder::new();
    for instruction in script.instructions().map_while(Result::ok) {
        builder = match instruction {
            Instruction::Push(element) => builder.push(element),
            Instruction::Operation(opcode) => builder.operation(opcode),
        };
    }
    let whole = script.instructions().all(|instruction| instruction.is_ok());
    let rewritten = builder.build().expect("no longer than what was read");
    assert!(script.as_bytes().starts_with(rewritten.as_bytes()));
    assert_eq!(whole, rewritten == *script);
    if let Some(form) = StandardScript::parse(script) {
        assert_eq!(form.compile().as_ref(), Some(script));
    }
    let _disassembly = format!("{script:?}");
}
