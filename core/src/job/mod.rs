//! What a job is: its terms, the node's salted opening and the signed delivery of it.
//!
//! State on the ledger is [`crate::escrow`]'s; the pool here holds hints only.

mod delivery;
mod opening;
mod pool;
mod terms;

pub use delivery::{MAX_CIPHERTEXT_BYTES, SignedDelivery, receipt_hash};
pub use opening::{MAX_OPENING_BYTES, Opening};
pub use pool::{JobPool, Offer, PoolState};
pub use terms::{Terms, TermsError, prompt_hash};
