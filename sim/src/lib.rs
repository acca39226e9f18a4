//! Simulated CamelidCoin networks: the production node, driven by an event heap instead of a
//! network, with everything drawn from one seed.
//!
//! A [`Scenario`](scenario::Scenario) (TOML) and a seed give a [`Setup`](scenario::Setup); a
//! [`World`](world::World) runs it, recording a [`trace`], while [`invariant`]s watch; the
//! [`RunReport`] says what happened. Adversaries are the production node behind a
//! [`Strategy`](strategy::Strategy). A [`swarm`] draws scenarios from seeds, and [`shrink`](mod@shrink)
//! makes a failing one small.
//!
//! Nothing here reads a clock or a random device, and nothing computes with floats, so that a seed
//! gives the same run on every machine.
#![forbid(unsafe_code)]

pub mod difficulty;
pub mod event;
pub mod invariant;
pub mod model;
pub mod scenario;
pub mod shrink;
pub mod strategy;
pub mod swarm;
pub mod trace;
pub mod world;

mod disk;
mod mining;
mod report;
mod run;
mod verifier;

pub use report::{JobCounts, Outcome, RunReport, Violation};
pub use run::{Run, judge, judge_with, run};
pub use verifier::MemoVerifier;
