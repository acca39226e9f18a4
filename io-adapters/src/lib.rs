//! The outside world for the core: four traits, the one driver loop, and adapters in memory.
//!
//! A [`Driver`] owns a [`Process`](camelid_core::process::Process), feeds it one input at a time and
//! carries out its outputs in order. What it needs for that stands behind [`Transport`], [`Clock`],
//! [`Storage`] and [`Inference`].
//!
//! The crate runs on tokio. Built with `--cfg madsim` it runs on madsim's simulated runtime instead,
//! where a test can kill and restart whole machines; for its sake nothing here creates a thread, but for a
//! [`CachedVerifier`] that is told to and for `RedbStorage`, which is not part of such a build.
#![forbid(unsafe_code)]

mod clock;
#[cfg(not(madsim))]
mod disk;
mod driver;
mod inference;
mod memory;
mod recovery;
mod storage;
mod transport;
mod verifier;

pub use clock::{Clock, RuntimeClock, TokioClock};
#[cfg(not(madsim))]
pub use disk::{OpenError, RedbStorage};
pub use driver::{Adapters, Driver, DriverConfig, DriverError, DriverHandle, DriverStopped, MiningConfig};
pub use inference::{Inference, NoInference};
pub use memory::{MemoryNetwork, MemoryStorage, MemoryTransport};
pub use recovery::recover;
pub use storage::Storage;
pub use transport::{Received, Transport};
pub use verifier::CachedVerifier;
