//! Open networks: finding peers, keeping the right ones, and catching up although some lie.
#![allow(clippy::unwrap_used)]

mod book;
mod compact;
mod conduct;
mod connections;
mod discovery;
mod eviction;
mod hearsay;
#[path = "../support/mod.rs"]
mod support;
mod sync;
mod talk;
mod world;
