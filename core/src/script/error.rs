//! Why a script does not allow a spend: one reason per rule.

use super::{MAX_ELEMENT_BYTES, MAX_MULTISIG_KEYS, MAX_OPERATIONS, MAX_STACK_DEPTH, Opcode};

/// The rule that a script or its witness breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScriptError {
    /// The script ends inside a push.
    #[error("the script ends inside a push")]
    TruncatedPush,
    /// A pushed element is too long.
    #[error("an element is longer than {MAX_ELEMENT_BYTES} bytes")]
    ElementTooLong,
    /// A shorter encoding pushes the same element.
    #[error("a push is not in its shortest encoding")]
    NonMinimalPush,
    /// The byte names no opcode of ours; refused even where it would not run.
    #[error("unknown opcode {0:#04x}")]
    UnknownOpcode(u8),
    /// `script_sig` does more than push.
    #[error("script_sig holds the operation {0}")]
    NotPushOnly(Opcode),
    /// An operation needs more elements than the stack holds.
    #[error("not enough elements on the stack")]
    StackUnderflow,
    /// The stack outgrew its limit.
    #[error("more than {MAX_STACK_DEPTH} elements on the stack")]
    StackTooDeep,
    /// The script has more operations, keys of CHECKMULTISIGs that ran among them, than its limit.
    #[error("more than {MAX_OPERATIONS} operations")]
    TooManyOperations,
    /// ELSE or ENDIF without IF, or IF without ENDIF.
    #[error("unbalanced IF, ELSE and ENDIF")]
    UnbalancedConditional,
    /// The argument of IF or NOTIF is neither empty nor the single byte 1 (Bitcoin's MINIMALIF).
    #[error("the argument of a conditional is neither empty nor 1")]
    NonMinimalCondition,
    /// RETURN ran.
    #[error("RETURN")]
    Returned,
    /// The named operation found false where it requires true.
    #[error("{0} found false")]
    VerifyFailed(Opcode),
    /// A number has too many bytes for its use.
    #[error("a number is too long")]
    NumberTooLong,
    /// A number has a shorter encoding.
    #[error("a number is not in its shortest encoding")]
    NonMinimalNumber,
    /// The number of keys is negative or above the limit.
    #[error("the number of keys is not in 0..={MAX_MULTISIG_KEYS}")]
    KeyCountOutOfRange,
    /// The number of required signatures is negative or above the number of keys.
    #[error("the number of signatures is negative or above the number of keys")]
    SignatureCountOutOfRange,
    /// A public key is not 33 bytes.
    #[error("a public key is not 33 bytes")]
    KeyLength,
    /// A signature is neither 64 bytes nor empty.
    #[error("a signature is neither 64 bytes nor empty")]
    SignatureLength,
    /// A check failed on a signature that is not empty (Bitcoin's NULLFAIL, BIP 146).
    #[error("a signature that is not empty failed its check")]
    InvalidSignature,
    /// The unused element that CHECKMULTISIG takes is not empty (Bitcoin's NULLDUMMY, BIP 147).
    #[error("the unused element of CHECKMULTISIG is not empty")]
    DummyNotEmpty,
    /// A lock time is negative.
    #[error("a lock time is negative")]
    NegativeLockTime,
    /// The script's lock counts blocks and the transaction's counts seconds, or the reverse.
    #[error("the lock times of script and transaction differ in kind")]
    LockTimeKindMismatch,
    /// The transaction may be mined earlier than the script allows.
    #[error("the transaction's lock ends before the script's")]
    LockTimeNotReached,
    /// The input's sequence is final, which switches the transaction's lock time off (BIP 65).
    #[error("the input is final, so the transaction's lock time does not bind")]
    FinalSequence,
    /// Transactions below version 2 have no relative lock time (BIP 112).
    #[error("relative lock times need transaction version 2")]
    VersionTooLow,
    /// The input's sequence has its relative lock time switched off (BIP 112).
    #[error("the input's relative lock time is switched off")]
    RelativeLockDisabled,
    /// The script ran to its end and left false, or nothing.
    #[error("the script ended without true on the stack")]
    EndedFalse,
    /// The script left more than its result.
    #[error("the script left more than its result on the stack")]
    UncleanStack,
}
