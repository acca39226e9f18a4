//! A process and the world around it.

use super::Stop;
use camelid_core::process::Process;
use camelid_io::{
    Adapters, Driver, DriverConfig, DriverError, DriverHandle, Inference, MiningConfig, Storage, TokioClock,
    Transport,
};
use std::num::NonZeroU32;
use std::pin::pin;
use std::sync::Arc;

/// Slices of a second in which a miner with a limit works.
const SLICES_PER_SECOND: u32 = 16;

/// What a live process works with, besides the system's clock.
pub struct Outfit {
    /// Reaches the peers.
    pub transport: Box<dyn Transport>,
    /// Keeps the records.
    pub storage: Box<dyn Storage>,
    /// Runs the models.
    pub inference: Arc<dyn Inference>,
    /// How to mine, if at all.
    pub mining: Option<MiningConfig>,
}

/// The driver of a live process, and a handle on it.
pub fn driver<P: Process + Send>(process: P, outfit: Outfit) -> (Driver<P>, DriverHandle<P>) {
    let adapters = Adapters {
        transport: outfit.transport,
        clock: Arc::new(TokioClock),
        storage: outfit.storage,
        inference: outfit.inference,
    };
    let config = DriverConfig {
        mining: outfit.mining,
        ..DriverConfig::default()
    };
    Driver::new(process, adapters, config)
}

/// Runs a driver until a stop is requested, and returns its process, which has done with its last input.
///
/// # Errors
/// [`DriverError`] when it had to halt before.
pub async fn drive<P: Process + Send>(
    driver: Driver<P>,
    handle: DriverHandle<P>,
    stop: Stop,
) -> Result<P, DriverError> {
    let mut running = pin!(driver.run());
    tokio::select! {
        biased;
        () = stop.requested() => handle.stop(),
        ended = &mut running => return ended,
    }
    running.await
}

/// Mining at about `hashes` a second, in small slices; 0 for as many as one thread can.
pub fn hash_rate(hashes: u32) -> MiningConfig {
    match hashes {
        0 => MiningConfig::default(),
        limit => MiningConfig {
            lanes: NonZeroU32::MIN,
            hashes_per_slice: limit.div_ceil(SLICES_PER_SECOND),
            pause_ms: (1_000 / u64::from(SLICES_PER_SECOND)).max(1_000 / u64::from(limit)),
        },
    }
}
