//! What scripts do.

use super::number::{MAX_LOCK_TIME_BYTES, MAX_NUMBER_BYTES, decode_number, encode_number};
use super::stack::{Element, Stack, is_true};
use super::{Instruction, MAX_MULTISIG_KEYS, MAX_OPERATIONS, Opcode, Script, ScriptError};
use crate::primitives::sha256;
use alloc::vec::Vec;
use ripemd::{Digest as _, Ripemd160};

/// Lock times below are block heights, those from here on are seconds since 1970.
pub const LOCK_TIME_THRESHOLD: u32 = 500_000_000;

/// The sequence of an input that the transaction's lock time does not bind.
const FINAL_SEQUENCE: u32 = 0xffff_ffff;
/// Set in a sequence that is no relative lock time (BIP 68).
const RELATIVE_DISABLE_FLAG: u32 = 1 << 31;
/// Set in a relative lock time that counts 512 seconds, not blocks (BIP 68).
const RELATIVE_TYPE_FLAG: u32 = 1 << 22;
/// The bits of a relative lock time that count (BIP 68).
const RELATIVE_VALUE_MASK: u32 = 0xffff;

/// What a script may learn about the spend that it judges.
pub trait SpendContext {
    /// Whether `signature` (compact: r, then s, 32 bytes each) is `public_key`'s over this spend.
    /// Bytes that are no key or no signature of ours are a plain `false`.
    fn check_signature(&self, public_key: &[u8; 33], signature: &[u8; 64]) -> bool;
    /// The transaction's lock time: a height, or seconds from [`LOCK_TIME_THRESHOLD`] on.
    fn lock_time(&self) -> u32;
    /// The sequence of the input that spends.
    fn sequence(&self) -> u32;
    /// The transaction's version.
    fn transaction_version(&self) -> u32;
}

/// Runs `script_sig`, then `script_pubkey` on the stack it left: `Ok` if the spend is allowed.
///
/// Time and memory are bounded by the limits on scripts, elements and stack; signature checks by
/// [`Script::signature_operations`].
///
/// # Errors
/// The first rule that is broken, in the order of execution.
pub fn evaluate(
    script_sig: &Script,
    script_pubkey: &Script,
    context: &dyn SpendContext,
) -> Result<(), ScriptError> {
    let mut machine = Machine {
        stack: Stack::default(),
        branches: Vec::new(),
        operations: 0,
        context,
    };
    machine.run_pushes(script_sig)?;
    machine.run(script_pubkey)?;
    machine.check_result()
}

struct Machine<'a> {
    stack: Stack,
    /// The open conditionals, outermost first: whether the current branch of each is taken.
    branches: Vec<bool>,
    /// Operations so far, by the count of [`MAX_OPERATIONS`].
    operations: usize,
    context: &'a dyn SpendContext,
}

impl Machine<'_> {
    fn run_pushes(&mut self, script: &Script) -> Result<(), ScriptError> {
        for instruction in script.instructions() {
            match instruction? {
                Instruction::Push(element) => self.stack.push(element.to_vec())?,
                Instruction::Operation(opcode) => return Err(ScriptError::NotPushOnly(opcode)),
            }
        }
        Ok(())
    }

    fn run(&mut self, script: &Script) -> Result<(), ScriptError> {
        for instruction in script.instructions() {
            let instruction = instruction?;
            if matches!(instruction, Instruction::Operation(_)) {
                self.count_operations(1)?;
            }
            match instruction {
                Instruction::Push(element) if self.is_executing() => self.stack.push(element.to_vec())?,
                // Followed in branches that are not taken, too, to find where these end.
                Instruction::Operation(opcode) if self.is_executing() || opcode.is_conditional() => {
                    self.operate(opcode)?;
                }
                _ => {}
            }
        }
        if self.branches.is_empty() {
            Ok(())
        } else {
            Err(ScriptError::UnbalancedConditional)
        }
    }

    fn count_operations(&mut self, count: usize) -> Result<(), ScriptError> {
        self.operations = self.operations.saturating_add(count);
        if self.operations > MAX_OPERATIONS {
            return Err(ScriptError::TooManyOperations);
        }
        Ok(())
    }

    fn check_result(mut self) -> Result<(), ScriptError> {
        if self.stack.depth() == 0 || !is_true(&self.stack.pop()?) {
            return Err(ScriptError::EndedFalse);
        }
        if self.stack.depth() > 0 {
            return Err(ScriptError::UncleanStack);
        }
        Ok(())
    }

    fn is_executing(&self) -> bool {
        !self.branches.contains(&false)
    }

    fn open_branch(&mut self, taken_if: bool) -> Result<(), ScriptError> {
        let taken = self.is_executing() && self.pop_condition()? == taken_if;
        self.branches.push(taken);
        Ok(())
    }

    fn turn_branch(&mut self) -> Result<(), ScriptError> {
        let taken = self
            .branches
            .last_mut()
            .ok_or(ScriptError::UnbalancedConditional)?;
        *taken = !*taken;
        Ok(())
    }

    fn close_branch(&mut self) -> Result<(), ScriptError> {
        self.branches
            .pop()
            .map(drop)
            .ok_or(ScriptError::UnbalancedConditional)
    }

    fn pop_condition(&mut self) -> Result<bool, ScriptError> {
        match self.stack.pop()?.as_slice() {
            [] => Ok(false),
            [1] => Ok(true),
            _ => Err(ScriptError::NonMinimalCondition),
        }
    }

    fn operate(&mut self, opcode: Opcode) -> Result<(), ScriptError> {
        match opcode {
            Opcode::If => self.open_branch(true),
            Opcode::NotIf => self.open_branch(false),
            Opcode::Else => self.turn_branch(),
            Opcode::EndIf => self.close_branch(),
            Opcode::Verify => self.verify(opcode),
            Opcode::Return => Err(ScriptError::Returned),
            Opcode::Drop => self.stack.pop().map(drop),
            Opcode::Dup => self.stack.push(self.stack.top()?.clone()),
            Opcode::Size => self.size(),
            Opcode::Equal => self.equal(),
            Opcode::EqualVerify => self.equal().and_then(|()| self.verify(opcode)),
            Opcode::Sha256 => self.hash(|element| sha256(element).0.to_vec()),
            Opcode::Hash160 => {
                self.hash(|element| Ripemd160::digest(sha256(element).as_ref()).as_slice().to_vec())
            }
            Opcode::CheckSig => self.check_signature(),
            Opcode::CheckSigVerify => self.check_signature().and_then(|()| self.verify(opcode)),
            Opcode::CheckMultiSig => self.check_signatures(),
            Opcode::CheckMultiSigVerify => self.check_signatures().and_then(|()| self.verify(opcode)),
            Opcode::CheckLockTimeVerify => self.check_lock_time(),
            Opcode::CheckSequenceVerify => self.check_sequence(),
        }
    }

    /// The second half of every operation that ends in VERIFY; `opcode` is named in the error.
    fn verify(&mut self, opcode: Opcode) -> Result<(), ScriptError> {
        if is_true(&self.stack.pop()?) {
            Ok(())
        } else {
            Err(ScriptError::VerifyFailed(opcode))
        }
    }

    fn size(&mut self) -> Result<(), ScriptError> {
        let length = i64::try_from(self.stack.top()?.len()).map_err(|_| ScriptError::ElementTooLong)?;
        self.stack.push(encode_number(length))
    }

    fn equal(&mut self) -> Result<(), ScriptError> {
        let pair = self.stack.pop_many(2)?;
        self.stack.push_bool(pair[0] == pair[1])
    }

    fn hash(&mut self, function: impl Fn(&[u8]) -> Element) -> Result<(), ScriptError> {
        let element = self.stack.pop()?;
        self.stack.push(function(&element))
    }

    fn check_signature(&mut self) -> Result<(), ScriptError> {
        let keys = self.stack.pop_many(1)?;
        let signatures = self.stack.pop_many(1)?;
        let valid = self.judge_signatures(&signatures, &keys)?;
        self.stack.push_bool(valid)
    }

    fn check_signatures(&mut self) -> Result<(), ScriptError> {
        let key_count = self
            .pop_count(usize::from(MAX_MULTISIG_KEYS))?
            .ok_or(ScriptError::KeyCountOutOfRange)?;
        self.count_operations(key_count)?;
        let keys = self.stack.pop_many(key_count)?;
        let signature_count = self
            .pop_count(key_count)?
            .ok_or(ScriptError::SignatureCountOutOfRange)?;
        let signatures = self.stack.pop_many(signature_count)?;
        if !self.stack.pop()?.is_empty() {
            return Err(ScriptError::DummyNotEmpty);
        }
        let valid = self.judge_signatures(&signatures, &keys)?;
        self.stack.push_bool(valid)
    }

    /// A number of elements; `None` if it is negative or above `limit`.
    fn pop_count(&mut self, limit: usize) -> Result<Option<usize>, ScriptError> {
        let number = decode_number(&self.stack.pop()?, MAX_NUMBER_BYTES)?;
        Ok(usize::try_from(number).ok().filter(|count| *count <= limit))
    }

    /// Whether each signature is valid for a key of its own, in the keys' order.
    ///
    /// The only way to `false` is to leave all signatures empty, so that nobody but the signer can
    /// turn a spend into another (BIP 146).
    fn judge_signatures(&self, signatures: &[Element], keys: &[Element]) -> Result<bool, ScriptError> {
        let keys: Vec<&[u8; 33]> = keys
            .iter()
            .map(|key| key.as_slice().try_into().map_err(|_| ScriptError::KeyLength))
            .collect::<Result<_, _>>()?;
        if signatures
            .iter()
            .any(|signature| !matches!(signature.len(), 0 | 64))
        {
            return Err(ScriptError::SignatureLength);
        }
        let mut keys = keys.into_iter();
        let valid = signatures.iter().all(|signature| {
            <&[u8; 64]>::try_from(signature.as_slice())
                .is_ok_and(|signature| keys.any(|key| self.context.check_signature(key, signature)))
        });
        if !valid && signatures.iter().any(|signature| !signature.is_empty()) {
            return Err(ScriptError::InvalidSignature);
        }
        Ok(valid)
    }

    /// The number on top, which stays there: in Bitcoin both lock-time operations were once no-ops.
    fn peek_lock_time(&self) -> Result<i64, ScriptError> {
        match decode_number(self.stack.top()?, MAX_LOCK_TIME_BYTES)? {
            number if number < 0 => Err(ScriptError::NegativeLockTime),
            number => Ok(number),
        }
    }

    fn check_lock_time(&self) -> Result<(), ScriptError> {
        let threshold = i64::from(LOCK_TIME_THRESHOLD);
        let required = self.peek_lock_time()?;
        let actual = i64::from(self.context.lock_time());
        if (required < threshold) != (actual < threshold) {
            return Err(ScriptError::LockTimeKindMismatch);
        }
        if required > actual {
            return Err(ScriptError::LockTimeNotReached);
        }
        if self.context.sequence() == FINAL_SEQUENCE {
            return Err(ScriptError::FinalSequence);
        }
        Ok(())
    }

    fn check_sequence(&self) -> Result<(), ScriptError> {
        let required = self.peek_lock_time()?;
        if required & i64::from(RELATIVE_DISABLE_FLAG) != 0 {
            return Ok(());
        }
        if self.context.transaction_version() < 2 {
            return Err(ScriptError::VersionTooLow);
        }
        let actual = self.context.sequence();
        if actual & RELATIVE_DISABLE_FLAG != 0 {
            return Err(ScriptError::RelativeLockDisabled);
        }
        let actual = i64::from(actual);
        let has_type_flag = |number: i64| number & i64::from(RELATIVE_TYPE_FLAG) != 0;
        if has_type_flag(required) != has_type_flag(actual) {
            return Err(ScriptError::LockTimeKindMismatch);
        }
        let mask = i64::from(RELATIVE_VALUE_MASK);
        if required & mask > actual & mask {
            return Err(ScriptError::LockTimeNotReached);
        }
        Ok(())
    }
}
