//! Traces: everything that happened to every node of a run, in order.
//!
//! A trace carries its scenario and seed, so that it can be replayed without anything else: the nodes
//! are built again and fed the recorded inputs, and the first output or state that differs is named.
//! `docs/src/traces.md` describes the format.

mod claims;
mod digest;
mod format;
mod reader;
mod recorder;
mod rejudge;
mod replay;

pub use claims::{TracedClaim, TracedClaims, claims};
pub use digest::{RunDigest, outputs_check};
pub use format::{Frame, TracedInput, VERSION};
pub use reader::{Trace, TraceError, is_trace};
pub use recorder::Recorder;
pub use rejudge::{Judgement, Odds, Rejudge, Source};
pub use replay::{Divergence, Replay, ReplayError, replay};
