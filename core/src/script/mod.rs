//! Spending conditions: a loop-free subset of Bitcoin's stack language (`docs/src/protocol.md`, "Scripts").
//!
//! Opcodes keep Bitcoin's byte values and effects. Every rule that Bitcoin has as relay policy or as
//! an option is always on, and what is left out fails, so that Bitcoin accepts whatever is accepted
//! here. One thing differs in kind: signatures are compact, not DER.
//!
//! Reading order: [`Script`] (the bytes), [`Instructions`] (how they are read), [`evaluate`] (what
//! they do), [`StandardScript`] (the forms that wallets write and nodes relay).

mod builder;
mod error;
mod interpreter;
mod number;
pub mod opcode;
mod reader;
mod stack;
mod standard;
mod types;

pub use builder::ScriptBuilder;
pub use error::ScriptError;
pub use interpreter::{LOCK_TIME_THRESHOLD, SpendContext, evaluate};
pub use opcode::Opcode;
pub use reader::{Instruction, Instructions, MAX_ELEMENT_BYTES};
pub use stack::MAX_STACK_DEPTH;
pub use standard::{
    MAX_REQUIRED_SIGNATURES, StandardScript, channel_close_script_sig, channel_refund_script_sig,
    hash_time_lock_claim_script_sig, hash_time_lock_refund_script_sig, is_standard, key_hash_script,
    key_hash_script_sig, multi_sig_script_sig,
};
pub use types::{MAX_MULTISIG_KEYS, MAX_OPERATIONS, MAX_SCRIPT_BYTES, Script};
