//! `camelid sim`: running, listing, shrinking and replaying scenarios.

mod catalogue;
mod difficulty;
mod holes;
mod list;
mod load;
mod minimal;
mod pool;
mod record;
mod replay;
mod run;
mod shrink;
mod suite;
mod swarm;
mod table;
mod tally;
mod traces;

pub use difficulty::difficulty;
pub use holes::holes;
pub use list::list;
pub use replay::{first_difference, guarded, read, replay};
pub use run::{print_json, run};
#[cfg(feature = "ggml")]
pub use run::{progress_bar, stop_on_interrupt};
pub use shrink::shrink;
pub use table::new_table;
