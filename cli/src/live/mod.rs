//! A live node: the core's process between real adapters, run by supervised tasks
//! (`docs/src/live.md`).

mod driving;
mod quic;
mod role;
mod supervisor;

pub use driving::{Outfit, drive, driver, hash_rate};
pub use quic::bind;
pub use role::{Character, Role};
pub use supervisor::{Stop, Supervisor, stop_on_signals};
