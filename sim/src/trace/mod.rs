//! Traces: everything that happened to every node of a run, in order.
//!
//! A trace carries its scenario and seed, so that it can be replayed without anything else: the nodes
//! are built again and fed the recorded inputs, and the first output or state that differs is named.
//! `docs/src/traces.md` describes the format.

mod format;
mod reader;
mod recorder;
mod replay;

pub use format::{Frame, TracedInput, VERSION};
pub use reader::{Trace, TraceError};
pub use recorder::Recorder;
pub use replay::{Divergence, Replay, ReplayError, replay};
