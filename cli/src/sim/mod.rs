//! `camelid sim`: running, listing and replaying scenarios.

mod list;
mod load;
mod record;
mod replay;
mod run;
mod suite;
mod table;
mod tally;
mod traces;

pub use list::list;
pub use replay::{first_difference, guarded, read, replay};
pub use run::{print_json, run};
pub use table::new_table;
