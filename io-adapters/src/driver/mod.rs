//! The one loop that runs a process.

mod inference;
mod mining;
mod task;
mod timers;

pub use mining::MiningConfig;

use crate::clock::Clock;
use crate::inference::Inference;
use crate::storage::Storage;
use crate::transport::{Received, Transport};
use camelid_core::primitives::Time;
use camelid_core::process::{Command, Event, Input, Output, Outputs, Process};
use inference::InferencePool;
use mining::Mining;
use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;
use timers::Timers;
use tokio::sync::{Notify, mpsc};

/// What a driver works with.
pub struct Adapters {
    /// Reaches the peers.
    pub transport: Box<dyn Transport>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Keeps the records.
    pub storage: Box<dyn Storage>,
    /// Runs the models.
    pub inference: Arc<dyn Inference>,
}

/// Bounds, and whether to mine.
#[derive(Clone, Copy, Debug)]
pub struct DriverConfig {
    /// Commands that may wait.
    pub command_capacity: NonZeroUsize,
    /// Inference tasks that run at a time.
    pub parallel_inferences: NonZeroUsize,
    /// Inference tasks that may wait; more are answered with a failure.
    pub waiting_inferences: usize,
    /// How to mine; `None` ignores templates.
    pub mining: Option<MiningConfig>,
}

impl Default for DriverConfig {
    /// One inference at a time, and no mining.
    fn default() -> Self {
        Self {
            command_capacity: NonZeroUsize::new(64).unwrap_or(NonZeroUsize::MIN),
            parallel_inferences: NonZeroUsize::MIN,
            waiting_inferences: 64,
            mining: None,
        }
    }
}

/// Why a driver halted without being asked to.
#[derive(Debug, thiserror::Error)]
pub enum DriverError {
    /// A record could not be made durable. Nothing that came after it has left the machine; a
    /// restart recovers from what is stored.
    #[error("a record could not be made durable")]
    Persist(#[source] io::Error),
    /// The transport will never bring a packet again.
    #[error("the transport is closed")]
    TransportClosed,
}

/// Runs a [`Process`]: gives it what happens, one input at a time, and carries out its outputs in
/// order.
///
/// - [`Output::Persist`] is a barrier: nothing that comes after it happens before the storage has
///   the record, and nothing at all when the storage fails.
/// - Time never goes back for the process, even when the clock does.
/// - Inference and mining run in tasks beside the loop; they end with the driver.
pub struct Driver<P> {
    process: P,
    transport: Box<dyn Transport>,
    clock: Arc<dyn Clock>,
    storage: Box<dyn Storage>,
    timers: Timers,
    inference: InferencePool,
    mining: Mining,
    commands: mpsc::Receiver<Command>,
    stop: Arc<Notify>,
    observer: Box<dyn FnMut(Time, Event) + Send>,
    now: Time,
}

impl<P: Process + Send> Driver<P> {
    /// A driver, which does nothing before it [runs](Self::run), and a handle on it.
    pub fn new(process: P, adapters: Adapters, config: DriverConfig) -> (Self, DriverHandle) {
        let (sender, commands) = mpsc::channel(config.command_capacity.get());
        let stop = Arc::new(Notify::new());
        let driver = Self {
            process,
            transport: adapters.transport,
            storage: adapters.storage,
            timers: Timers::default(),
            inference: InferencePool::new(
                adapters.inference,
                config.parallel_inferences.get(),
                config.waiting_inferences,
            ),
            mining: Mining::new(config.mining, adapters.clock.clone()),
            clock: adapters.clock,
            commands,
            stop: stop.clone(),
            observer: Box::new(|_, _| {}),
            now: Time(0),
        };
        let handle = DriverHandle {
            commands: sender,
            stop,
        };
        (driver, handle)
    }

    /// Calls `observer` with every event of the process. It runs inside the loop and must be quick.
    #[must_use]
    pub fn with_observer(mut self, observer: impl FnMut(Time, Event) + Send + 'static) -> Self {
        self.observer = Box::new(observer);
        self
    }

    /// Runs until the handle says stop, and returns the process. All outputs of the last input have
    /// been carried out by then.
    ///
    /// # Errors
    /// [`DriverError`] says why it had to halt.
    pub async fn run(mut self) -> Result<P, DriverError> {
        let stop = self.stop.clone();
        let mut input = Input::Start;
        loop {
            self.handle(input).await?;
            input = tokio::select! {
                biased;
                () = stop.notified() => return Ok(self.process),
                next = self.next_input() => next.ok_or(DriverError::TransportClosed)?,
            };
        }
    }

    /// Waits for whatever happens first; the order among what is ready is random, so that no source
    /// starves another. `None` when the transport is closed. Cancel safe, as all its parts are.
    async fn next_input(&mut self) -> Option<Input> {
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
            Some(command) = self.commands.recv() => Some(Input::Command(command)),
        }
    }

    async fn handle(&mut self, input: Input) -> Result<(), DriverError> {
        self.now = self.now.max(self.clock.now());
        let mut outputs = Outputs::new();
        self.process.handle(self.now, input, &mut outputs);
        for output in outputs.take() {
            self.carry_out(output).await?;
        }
        Ok(())
    }

    async fn carry_out(&mut self, output: Output) -> Result<(), DriverError> {
        match output {
            Output::Persist(record) => {
                let appended = self.storage.append(*record).await;
                appended.map_err(DriverError::Persist)?;
            }
            Output::Send { to, packet } => self.transport.send(to, packet).await,
            Output::SetTimer { timer, at } => self.timers.set(timer, at),
            Output::Infer { request, task } => self.inference.submit(request, *task),
            Output::Mine { template } => self.mining.start(template),
            Output::Event(event) => (self.observer)(self.now, event),
            Output::Connect { address } => self.transport.connect(address).await,
            Output::Disconnect { peer } => self.transport.disconnect(peer).await,
        }
        Ok(())
    }
}

/// Talks to a running driver. Clones talk to the same one; it goes on running when all are gone.
#[derive(Clone, Debug)]
pub struct DriverHandle {
    commands: mpsc::Sender<Command>,
    stop: Arc<Notify>,
}

/// The driver is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the driver has stopped")]
pub struct DriverStopped;

impl DriverHandle {
    /// Passes a command on to the process; waits while too many others do.
    ///
    /// # Errors
    /// [`DriverStopped`] when nobody is there to take it.
    pub async fn command(&self, command: Command) -> Result<(), DriverStopped> {
        self.commands.send(command).await.map_err(|_| DriverStopped)
    }

    /// Asks the driver to stop when it is done with the input at hand.
    pub fn stop(&self) {
        self.stop.notify_one();
    }
}
