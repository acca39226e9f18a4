//! Evidence in a dispute that the ledger can judge by itself.

mod bad_delivery;

pub use bad_delivery::{BadDelivery, BadDeliveryError, Promise};
