//! Everything around the process but its storage: where inputs come from and effects go.

use super::inference::InferencePool;
use super::mining::Mining;
use super::timers::Timers;
use super::{Adapters, DriverConfig};
use crate::clock::Clock;
use crate::storage::Storage;
use crate::transport::{Received, Transport};
use camelid_core::primitives::Time;
use camelid_core::process::Input;
use std::future::ready;
use std::sync::Arc;

/// Peers, timers, inference and mining.
pub(super) struct World {
    pub(super) transport: Box<dyn Transport>,
    pub(super) timers: Timers,
    pub(super) inference: InferencePool,
    pub(super) mining: Mining,
    clock: Arc<dyn Clock>,
}

impl World {
    /// Also hands the storage back, which is not part of it.
    pub(super) fn new(adapters: Adapters, config: &DriverConfig) -> (Self, Box<dyn Storage>) {
        let world = Self {
            transport: adapters.transport,
            timers: Timers::default(),
            inference: InferencePool::new(
                adapters.inference,
                config.parallel_inferences.get(),
                config.waiting_inferences,
            ),
            mining: Mining::new(config.mining, adapters.clock.clone()),
            clock: adapters.clock,
        };
        (world, adapters.storage)
    }

    pub(super) fn now(&self) -> Time {
        self.clock.now()
    }

    /// Waits for whatever happens first; the order among what is ready is random, so that no source
    /// starves another. `None` when the transport is closed. Cancel safe, as all its parts are.
    pub(super) async fn next_input(&mut self) -> Option<Input> {
        tokio::select! {
            received = self.transport.recv() => {
                received.map(|received| match received {
                    Received::Packet(from, packet) => Input::Message { from, packet },
                    Received::Connection(event) => Input::Connection(event),
                })
            }
            timer = self.timers.fire(&*self.clock) => Some(Input::TimerFired(timer)),
            (request, result) = self.inference.answer() => Some(Input::Inferred { request, result }),
            header = self.mining.solved() => Some(Input::Mined { header }),
        }
    }

    /// The next input if it is there already.
    pub(super) async fn input_at_hand(&mut self) -> Option<Input> {
        tokio::select! {
            biased;
            input = self.next_input() => input,
            () = ready(()) => None,
        }
    }
}
