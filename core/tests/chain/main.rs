//! What nobody may do to the chain: headers, dates, difficulty, floods, reorganisations, crashes.
//! `docs/src/adversarial.md` lists these tests.
#![allow(clippy::unwrap_used)]

mod bodies;
mod crash;
mod dates;
mod difficulty;
mod flood;
mod forge;
mod peer;
mod reorganise;
#[path = "../support/mod.rs"]
mod support;
