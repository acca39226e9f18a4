//! Scripts: what each rule refuses, what each standard form allows, and that no bytes do harm.

// Clippy lets only `#[test]` functions unwrap; their helpers and strategies are tests as well.
#![allow(clippy::unwrap_used)]

mod lock_times;
mod properties;
mod rules;
mod standard;
mod support;
