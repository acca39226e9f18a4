//! Who judges a dispute, and what they say together (`docs/src/protocol.md`, "Committee").
//!
//! A verifier locks a bond and holds a [`Ticket`] for it. When a job is disputed, or audited,
//! [`draw`] chooses seats among the tickets; each seat commits to a [`Ballot`] and reveals it, and
//! [`tally`] reads the outcome. Thresholds count all seats, so silence never decides.

mod audit;
mod ballot;
mod sortition;
mod tally;
mod ticket;

pub use audit::is_audited;
pub use ballot::{Ballot, Finding, ballot_commitment, sign_vote, vote_check};
pub use sortition::{beacon_seed, challenge_stream, draw, round_id};
pub use tally::{Decision, Rule, Tally, tally};
pub use ticket::{MAX_MODELS, Models, Registration, Ticket, unbond_check};
