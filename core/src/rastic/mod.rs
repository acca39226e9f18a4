//! RASTiC: is an output what the model writes for this prompt? (Paper, section 2.5.)
//!
//! A [`Claim`] says so. [`plan`] names the positions at which the model has to be asked, somebody
//! runs it there, and [`judge`] compares. Three specifications of this stand side by side, see
//! [`Spec`]: the paper's own, which turns honest nodes away and misses most cheats
//! (`docs/src/protocol.md`, holes H1 to H3), a repair that keeps its sampling, and the one in use,
//! which checks every position because one causal pass over the claim predicts them all anyway.
//!
//! Positions are prefix lengths into `R = prompt ++ output`, counted from 0: position `L` is the
//! prediction of `R[L]` from `R[..L]`. The output's own positions are therefore `A..A+B`, where `A`
//! and `B` are the lengths of prompt and output.

mod claim;
mod judge;
mod matches;
mod plan;
mod score_root;
mod shape;
mod spec;
mod verdict;

pub use claim::Claim;
pub use judge::{judge, judge_result};
pub use matches::{judge_matches, matches};
pub use plan::{Check, Plan, Role, plan};
pub use score_root::score_root;
pub use shape::shape_fault;
pub use spec::{Spec, UnknownSpec};
pub use verdict::{InconclusiveReason, InvalidReason, Verdict};
