//! Scenarios: TOML files that say who takes part, what goes wrong and what must come of it.
//!
//! `docs/src/scenarios.md` describes the format. A scenario is the same for every seed; a
//! [`Setup`] is what one seed makes of it.

mod chain;
mod check;
mod error;
mod file;
mod place;
mod range;
mod setup;
mod write;

pub use chain::{DifficultyRule, Rules};
pub(crate) use check::MAX_AT_LEAST;
pub use error::LoadError;
pub use file::{
    ExpectSection, Expectation, Fault, FaultKind, JobGroup, ModelKind, ModelSection, NetworkSection,
    NodeGroup, Role, RunSection, Scenario, Sometimes, VerifyKind,
};
pub use range::Range;
pub use setup::{Clock, Link, NodeSetup, PlannedFault, PlannedJob, Setup, Trigger};
