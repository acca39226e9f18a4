//! Jobs on the ledger: the record of a job, its transitions and its payouts.
//!
//! `docs/src/protocol.md`, "States", is the table. [`JobRecord::at`] says where a job stands at a
//! block, [`transition`](transition::transition) what an action does to it there, [`Closing`] who
//! gets what at the end. Nothing happens by itself: a job changes only by a transaction, and every
//! state can be left by `Settle` once its windows are closed.

mod clock;
mod dispute;
mod event;
mod payout;
mod record;
mod round;
mod stage;
mod transition;

pub use clock::{Clock, History, Moment, Since};
pub use dispute::{Appeal, Dispute, Origin, Party, Seat, Vote};
pub use event::{Claim, Effects, Event, Facts, JobError};
pub use payout::{Closing, Payout};
pub use record::{Engagement, JobRecord, JobState, JobStatus, Outcome};
pub use stage::{Phase, Stage, Standing, Window};
pub use transition::transition;
