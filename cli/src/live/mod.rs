//! A live node: the core's process between real adapters, run by supervised tasks
//! (`docs/src/live.md`).

mod driving;
mod role;
mod supervisor;

pub use driving::{Outfit, drive, driver};
pub use role::{Character, Role};
pub use supervisor::{Stop, Supervisor, stop_on_signals};
