//! The forms of script that wallets write and nodes relay.

use super::number::{MAX_LOCK_TIME_BYTES, decode_number};
use super::{Instruction, MAX_MULTISIG_KEYS, Opcode, Script, ScriptBuilder};
use alloc::vec::Vec;

/// Signatures that a standard [`StandardScript::MultiSig`] may require: those of 16 do not fit into
/// the 1,000 bytes of a `script_sig`, so a coin locked that way would be lost.
pub const MAX_REQUIRED_SIGNATURES: u8 = 15;

/// Bytes of the preimage that opens a [`StandardScript::HashTimeLock`].
const PREIMAGE_BYTES: i64 = 32;

/// A `script_pubkey` by its meaning. `hash` of a key is RIPEMD-160 of SHA-256 of its 33 bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StandardScript {
    /// Whoever signs with the key of this hash spends.
    KeyHash([u8; 20]),
    /// Any `required` of the keys spend, signing in the keys' order.
    MultiSig {
        /// Signatures needed: 1 to [`MAX_REQUIRED_SIGNATURES`], at most as many as keys.
        required: u8,
        /// Compressed keys, at most [`MAX_MULTISIG_KEYS`].
        keys: Vec<[u8; 33]>,
    },
    /// A payment against a secret, with a refund: the contract of BIP 199.
    HashTimeLock {
        /// SHA-256 of the 32-byte secret.
        hash: [u8; 32],
        /// Hash of the key that spends with the secret, at any time.
        recipient: [u8; 20],
        /// Hash of the key that spends without it from `lock_time` on.
        refund: [u8; 20],
        /// Height, or seconds from [`super::LOCK_TIME_THRESHOLD`] on.
        lock_time: u32,
    },
    /// A key hash that cannot spend before `lock_time`.
    TimeLock {
        /// Height, or seconds from [`super::LOCK_TIME_THRESHOLD`] on.
        lock_time: u32,
        /// Hash of the key that spends.
        key_hash: [u8; 20],
    },
    /// Two parties' money: it moves by both signatures at any time, and back to the payer alone
    /// when the payee has not closed in time (the payment channel of BIP 65).
    Channel {
        /// The compressed key of whoever put the money in.
        payer: [u8; 33],
        /// The compressed key of whoever is paid by ever better half-signed spends.
        payee: [u8; 33],
        /// Height, or seconds from [`super::LOCK_TIME_THRESHOLD`] on, from which the payer needs
        /// nobody.
        lock_time: u32,
    },
}

impl StandardScript {
    /// The script, or `None` where [`Self::MultiSig`]'s parameters are out of range.
    pub fn compile(&self) -> Option<Script> {
        match self {
            Self::KeyHash(hash) => Some(key_hash_script(hash)),
            Self::MultiSig { required, keys } => multi_sig_script(*required, keys),
            Self::HashTimeLock {
                hash,
                recipient,
                refund,
                lock_time,
            } => hash_time_lock_script(hash, recipient, refund, *lock_time),
            Self::TimeLock { lock_time, key_hash } => time_lock_script(*lock_time, key_hash),
            Self::Channel {
                payer,
                payee,
                lock_time,
            } => channel_script(payer, payee, *lock_time),
        }
    }

    /// The form that compiles to exactly this script, if one does.
    pub fn parse(script: &Script) -> Option<Self> {
        // Pushes have one encoding and so does each form: equal instructions are equal bytes.
        let instructions: Vec<Instruction<'_>> = script.instructions().collect::<Result<_, _>>().ok()?;
        parse_key_hash(&instructions)
            .map(Self::KeyHash)
            .or_else(|| parse_multi_sig(&instructions))
            .or_else(|| parse_hash_time_lock(&instructions))
            .or_else(|| parse_time_lock(&instructions))
            .or_else(|| parse_channel(&instructions))
    }
}

/// Whether nodes relay outputs with this script: whether it is one of the [`StandardScript`]s.
pub fn is_standard(script: &Script) -> bool {
    StandardScript::parse(script).is_some()
}

/// The script of [`StandardScript::KeyHash`].
pub fn key_hash_script(hash: &[u8; 20]) -> Script {
    always_fits(check_key_hash(ScriptBuilder::new(), hash))
}

/// Spends a [`StandardScript::KeyHash`], or a [`StandardScript::TimeLock`] that is open.
pub fn key_hash_script_sig(signature: &[u8; 64], key: &[u8; 33]) -> Script {
    always_fits(ScriptBuilder::new().push(signature).push(key))
}

/// Spends a [`StandardScript::MultiSig`]; signatures in the order of their keys. `None` for more
/// than [`MAX_REQUIRED_SIGNATURES`].
pub fn multi_sig_script_sig(signatures: &[[u8; 64]]) -> Option<Script> {
    let unused_element = ScriptBuilder::new().push(&[]);
    signatures
        .iter()
        .fold(unused_element, |builder, signature| builder.push(signature))
        .build()
}

/// Spends a [`StandardScript::HashTimeLock`] as its recipient.
pub fn hash_time_lock_claim_script_sig(signature: &[u8; 64], key: &[u8; 33], preimage: &[u8; 32]) -> Script {
    always_fits(
        ScriptBuilder::new()
            .push(signature)
            .push(key)
            .push(preimage)
            .push_number(1),
    )
}

/// Spends a [`StandardScript::HashTimeLock`] as the one refunded, once it is open.
pub fn hash_time_lock_refund_script_sig(signature: &[u8; 64], key: &[u8; 33]) -> Script {
    always_fits(ScriptBuilder::new().push(signature).push(key).push_number(0))
}

/// Spends a [`StandardScript::Channel`] by both parties' will.
pub fn channel_close_script_sig(payer_signature: &[u8; 64], payee_signature: &[u8; 64]) -> Script {
    always_fits(
        ScriptBuilder::new()
            .push(payer_signature)
            .push(payee_signature)
            .push_number(1),
    )
}

/// Spends a [`StandardScript::Channel`] as the payer alone, once it is open.
pub fn channel_refund_script_sig(payer_signature: &[u8; 64]) -> Script {
    always_fits(ScriptBuilder::new().push(payer_signature).push_number(0))
}

/// For scripts of fixed size, at most a few hundred bytes.
fn always_fits(builder: ScriptBuilder) -> Script {
    builder
        .build()
        .expect("a script of fixed size is within the limits")
}

fn check_key_hash(builder: ScriptBuilder, hash: &[u8; 20]) -> ScriptBuilder {
    builder
        .operations(&[Opcode::Dup, Opcode::Hash160])
        .push(hash)
        .operations(&[Opcode::EqualVerify, Opcode::CheckSig])
}

fn parse_key_hash(instructions: &[Instruction<'_>]) -> Option<[u8; 20]> {
    use Instruction::{Operation, Push};
    let [
        Operation(Opcode::Dup),
        Operation(Opcode::Hash160),
        Push(hash),
        Operation(Opcode::EqualVerify),
        Operation(Opcode::CheckSig),
    ] = instructions
    else {
        return None;
    };
    (*hash).try_into().ok()
}

fn multi_sig_script(required: u8, keys: &[[u8; 33]]) -> Option<Script> {
    let key_count = u8::try_from(keys.len()).ok()?;
    if !is_multi_sig_in_range(required, key_count) {
        return None;
    }
    let required = ScriptBuilder::new().push_number(i64::from(required));
    keys.iter()
        .fold(required, |builder, key| builder.push(key))
        .push_number(i64::from(key_count))
        .operation(Opcode::CheckMultiSig)
        .build()
}

fn parse_multi_sig(instructions: &[Instruction<'_>]) -> Option<StandardScript> {
    let [
        required,
        keys @ ..,
        key_count,
        Instruction::Operation(Opcode::CheckMultiSig),
    ] = instructions
    else {
        return None;
    };
    let required = required.small_number()?;
    let key_count = key_count.small_number()?;
    if keys.len() != usize::from(key_count) || !is_multi_sig_in_range(required, key_count) {
        return None;
    }
    let keys = keys
        .iter()
        .map(|key| match key {
            Instruction::Push(key) => (*key).try_into().ok(),
            Instruction::Operation(_) => None,
        })
        .collect::<Option<_>>()?;
    Some(StandardScript::MultiSig { required, keys })
}

fn is_multi_sig_in_range(required: u8, key_count: u8) -> bool {
    (1..=MAX_REQUIRED_SIGNATURES).contains(&required) && (required..=MAX_MULTISIG_KEYS).contains(&key_count)
}

fn hash_time_lock_script(
    hash: &[u8; 32],
    recipient: &[u8; 20],
    refund: &[u8; 20],
    lock_time: u32,
) -> Option<Script> {
    ScriptBuilder::new()
        // One secret opens a contract on each of two chains. A length that only one of them accepts would open only that.
        .operations(&[Opcode::If, Opcode::Size])
        .push_number(PREIMAGE_BYTES)
        .operations(&[Opcode::EqualVerify, Opcode::Sha256])
        .push(hash)
        .operations(&[Opcode::EqualVerify, Opcode::Dup, Opcode::Hash160])
        .push(recipient)
        .operation(Opcode::Else)
        .push_number(i64::from(lock_time))
        .operations(&[Opcode::CheckLockTimeVerify, Opcode::Drop])
        .operations(&[Opcode::Dup, Opcode::Hash160])
        .push(refund)
        .operations(&[Opcode::EndIf, Opcode::EqualVerify, Opcode::CheckSig])
        .build()
}

fn parse_hash_time_lock(instructions: &[Instruction<'_>]) -> Option<StandardScript> {
    use Instruction::{Operation, Push};
    let [
        Operation(Opcode::If),
        Operation(Opcode::Size),
        preimage_bytes,
        Operation(Opcode::EqualVerify),
        Operation(Opcode::Sha256),
        Push(hash),
        Operation(Opcode::EqualVerify),
        Operation(Opcode::Dup),
        Operation(Opcode::Hash160),
        Push(recipient),
        Operation(Opcode::Else),
        lock_time,
        Operation(Opcode::CheckLockTimeVerify),
        Operation(Opcode::Drop),
        Operation(Opcode::Dup),
        Operation(Opcode::Hash160),
        Push(refund),
        Operation(Opcode::EndIf),
        Operation(Opcode::EqualVerify),
        Operation(Opcode::CheckSig),
    ] = instructions
    else {
        return None;
    };
    if parse_number(preimage_bytes)? != PREIMAGE_BYTES {
        return None;
    }
    Some(StandardScript::HashTimeLock {
        hash: (*hash).try_into().ok()?,
        recipient: (*recipient).try_into().ok()?,
        refund: (*refund).try_into().ok()?,
        lock_time: u32::try_from(parse_number(lock_time)?).ok()?,
    })
}

fn time_lock_script(lock_time: u32, key_hash: &[u8; 20]) -> Option<Script> {
    let locked = ScriptBuilder::new()
        .push_number(i64::from(lock_time))
        .operations(&[Opcode::CheckLockTimeVerify, Opcode::Drop]);
    check_key_hash(locked, key_hash).build()
}

fn parse_time_lock(instructions: &[Instruction<'_>]) -> Option<StandardScript> {
    let [
        lock_time,
        Instruction::Operation(Opcode::CheckLockTimeVerify),
        Instruction::Operation(Opcode::Drop),
        rest @ ..,
    ] = instructions
    else {
        return None;
    };
    Some(StandardScript::TimeLock {
        lock_time: u32::try_from(parse_number(lock_time)?).ok()?,
        key_hash: parse_key_hash(rest)?,
    })
}

fn channel_script(payer: &[u8; 33], payee: &[u8; 33], lock_time: u32) -> Option<Script> {
    ScriptBuilder::new()
        .operation(Opcode::If)
        .push(payee)
        .operations(&[Opcode::CheckSigVerify, Opcode::Else])
        .push_number(i64::from(lock_time))
        .operations(&[Opcode::CheckLockTimeVerify, Opcode::Drop, Opcode::EndIf])
        .push(payer)
        .operation(Opcode::CheckSig)
        .build()
}

fn parse_channel(instructions: &[Instruction<'_>]) -> Option<StandardScript> {
    use Instruction::{Operation, Push};
    let [
        Operation(Opcode::If),
        Push(payee),
        Operation(Opcode::CheckSigVerify),
        Operation(Opcode::Else),
        lock_time,
        Operation(Opcode::CheckLockTimeVerify),
        Operation(Opcode::Drop),
        Operation(Opcode::EndIf),
        Push(payer),
        Operation(Opcode::CheckSig),
    ] = instructions
    else {
        return None;
    };
    Some(StandardScript::Channel {
        payer: (*payer).try_into().ok()?,
        payee: (*payee).try_into().ok()?,
        lock_time: u32::try_from(parse_number(lock_time)?).ok()?,
    })
}

fn parse_number(instruction: &Instruction<'_>) -> Option<i64> {
    match instruction {
        Instruction::Push(element) => decode_number(element, MAX_LOCK_TIME_BYTES).ok(),
        Instruction::Operation(_) => None,
    }
}
