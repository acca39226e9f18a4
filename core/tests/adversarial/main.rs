//! Attacks on the ledger, by name: those that broke other chains, and those that our own rules invite.
//! `docs/src/adversarial.md` lists them.
#![allow(clippy::unwrap_used)]

#[path = "../support/mod.rs"]
mod support;

mod limits;
