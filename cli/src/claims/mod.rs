//! Claims as data: what a node says a model wrote, one JSON object a line (`camelid.claim.v1`), and what can be
//! done with such lines: write honest ones, forge false ones, check and explain them.
//!
//! `docs/src/claims.md` describes the format, `docs/schema/claim.v1.json` is its schema.

mod args;
mod attack;
mod bench;
mod claim;
mod explain;
mod generate;
mod label;
mod read;
mod record;

mod verdict;
mod verify;
mod write;

pub use args::{AttackArgs, ExplainArgs, GenerateArgs, VerifyArgs};
pub use attack::attack;
pub use explain::explain;
pub use generate::generate;
pub use verify::verify;
