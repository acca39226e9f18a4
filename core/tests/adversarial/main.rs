//! Attacks on the ledger, by name: those that broke other chains, and those that our own rules invite.
//! `docs/src/adversarial.md` lists them.
#![allow(clippy::unwrap_used)]

#[path = "../support/mod.rs"]
mod support;

mod coinbases;
mod doubles;
mod jobs;
mod limits;
mod scripts;
mod times;
mod values;
mod ways;
