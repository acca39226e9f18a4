//! Verifiers and disputes on the chain, with real signatures and balances.
#![allow(clippy::unwrap_used)]

mod court;
mod disputes;
mod pool;
mod reorganisation;
#[path = "../support/mod.rs"]
mod support;
mod tickets;
mod votes;

fn assert_refused(reason: &str, expected: &str) {
    assert!(reason.contains(expected), "{reason:?} does not say {expected:?}");
}
