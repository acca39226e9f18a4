//! Evidence in a dispute: for the ledger to judge by itself, and for a committee.

mod bad_delivery;
mod evidence;

pub use bad_delivery::{BadDelivery, BadDeliveryError, Promise};
pub use evidence::Evidence;
