//! Transactions: the paper's fields (2.3), and from version 2 one job action.

mod action;
mod sighash;
mod types;

pub use action::{Action, ActionKey, ActionKind, ClaimKind, claim_check};
pub use sighash::{SpendSignatures, signature_hash};
pub use types::{Lock, MAX_TRANSACTION_BYTES, NO_EXPIRY, OutPoint, Transaction, TxIn, TxOut};
