//! Whom a node could talk to, and what it thinks of those it talks to: data structures with a bound
//! on everything that others can put into them (`docs/src/peers.md`).
//!
//! [`AddressBook`] remembers addresses so that whoever fills it with their own gets only a share of
//! it; [`Bans`] remembers who is not wanted; [`Conduct`] adds up [`Offence`]s and takes care that nobody
//! talks too much; [`choose_victim`] makes room when too many call.

mod allowance;
mod bans;
mod book;
mod conduct;
mod eviction;
mod group;
mod known;
mod offence;
mod saved;
mod table;

pub use allowance::{Allowance, Rate};
pub use bans::{BAN_S, Bans, MAX_BANS};
pub use book::{AddressBook, MAX_CONTESTED, MAX_SHARED_PERMILLE, MIN_SHARED};
pub use conduct::{Conduct, rate_of};
pub use eviction::{Candidate, choose_victim};
pub use group::{NetGroup, Reach};
pub use known::{Known, Standing};
pub use offence::{BAN_POINTS, Offence, Refusal};
pub use saved::{MAX_ANCHORS, SavedPeers};
pub use table::{GROUP_TRIED_BUCKETS, NEW_BUCKETS, SLOTS, SOURCE_NEW_BUCKETS, TRIED_BUCKETS};
