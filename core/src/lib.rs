//! The CamelidCoin protocol as a pure state machine.
//!
//! Nothing in this crate reads a clock, opens a socket, spawns a thread, draws ambient randomness
//! or computes with floats. A [`node::Node`] is driven by one call,
//! [`Process::handle`](process::Process::handle): an input and the current time go in, a batch of
//! outputs comes out. Whoever drives it (the simulator, or the async driver of `camelid-io`) does
//! the I/O.
//!
//! Reading order: [`primitives`] and [`keys`], [`tx`] and [`block`], [`escrow`] (what a job is on
//! the ledger) and [`committee`] (who judges a dispute), [`chain`] (ledger and fork choice), [`rastic`] (what a claim is and how it is
//! judged), [`wire`], [`peers`] (whom a node talks to), [`node`].
#![no_std]
#![forbid(unsafe_code)]
#![deny(clippy::float_arithmetic)]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

pub mod block;
pub mod chain;
pub mod committee;
pub mod dispute;
pub mod escrow;
pub mod job;
pub mod keys;
pub mod mempool;
pub mod model;
pub mod node;
pub mod params;
pub mod peers;
pub mod primitives;
pub mod process;
pub mod proof;
pub mod rastic;
pub mod script;
pub mod tx;
pub mod wire;
