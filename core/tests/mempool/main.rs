//! The mempool beside a naive model of it, its rules one by one, and who tries to abuse them.
#![allow(clippy::unwrap_used)]

mod attacks;
mod model;
mod properties;
mod rules;
#[path = "../support/mod.rs"]
mod support;
mod world;
