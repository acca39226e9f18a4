//! Jobs on the ledger: the record of a job, its transitions and its payouts.
//!
//! `docs/src/protocol.md`, "States", is the table; [`transition`](transition::transition) is the
//! same table as code. Nothing happens by itself: a job changes only by a transaction, and every
//! state can be left by `Settle` once its window is closed.

mod payout;
mod record;
mod transition;
mod window;

pub use payout::{Closing, Payout};
pub use record::{Engagement, JobRecord, JobState, Outcome};
pub use transition::{Effects, Event, Facts, JobError, transition};
pub use window::{Moment, Since};
