//! The one loop that runs a process.

mod handle;
mod inference;
mod mining;
mod task;
mod timers;
mod world;

pub use handle::{DriverHandle, DriverStopped};
pub use mining::MiningConfig;

use crate::clock::Clock;
use crate::inference::Inference;
use crate::storage::Storage;
use crate::transport::Transport;
use camelid_core::node::Record;
use camelid_core::primitives::Time;
use camelid_core::process::{Event, Input, Output, Outputs, Process};
use handle::Request;
use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;
use tokio::sync::{Notify, mpsc};
use world::World;

/// Inputs whose records may share one commit, at most: 500 blocks at hand take 16. What the first of
/// them has to send waits for the others, which bounds the number from above.
const INPUTS_PER_COMMIT: usize = 32;

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
    /// Commands and inspections that may wait.
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
    /// What was made durable cannot be read. Nothing that the process made of that has left the machine.
    #[error("a record cannot be read")]
    Read(#[source] io::Error),
    /// The transport will never bring a packet again.
    #[error("the transport is closed")]
    TransportClosed,
}

/// Runs a [`Process`]: gives it what happens, one input at a time, and carries out its outputs in
/// order.
///
/// - [`Output::Persist`] is a barrier: nothing that comes after it happens before the storage has
///   the record, and nothing at all when the storage fails. Records may become durable before what
///   comes ahead of them is carried out: inputs that are at hand when there is something to store
///   share a commit.
/// - A flush among the records is answered with [`Input::Flushed`] when the storage has it.
/// - What the process made of a storage that could not be read is thrown away.
/// - Time never goes back for the process, even when the clock does.
/// - Inference and mining run in tasks beside the loop; they end with the driver.
pub struct Driver<P> {
    process: P,
    world: World,
    storage: Box<dyn Storage>,
    requests: mpsc::Receiver<Request<P>>,
    stop: Arc<Notify>,
    observer: Box<dyn FnMut(Time, Event) + Send>,
    now: Time,
}

impl<P: Process + Send> Driver<P> {
    /// A driver, which does nothing before it [runs](Self::run), and a handle on it.
    pub fn new(process: P, adapters: Adapters, config: DriverConfig) -> (Self, DriverHandle<P>) {
        let (sender, requests) = mpsc::channel(config.command_capacity.get());
        let stop = Arc::new(Notify::new());
        let handle = DriverHandle::new(sender, stop.clone());
        let (world, storage) = World::new(adapters, &config);
        let driver = Self {
            process,
            world,
            storage,
            requests,
            stop,
            observer: Box::new(|_, _| {}),
            now: Time(0),
        };
        (driver, handle)
    }

    /// Calls `observer` with every event of the process, in order, in place of the observer before. It
    /// runs inside the loop and must be quick: who may be slow has it fill a bounded queue.
    #[must_use]
    pub fn with_observer(mut self, observer: impl FnMut(Time, Event) + Send + 'static) -> Self {
        self.observer = Box::new(observer);
        self
    }

    /// Runs until the handle says stop, and returns the process. All outputs of the last input have
    /// been carried out by then, and all requests that were waiting have been met.
    ///
    /// # Errors
    /// [`DriverError`] says why it had to halt.
    pub async fn run(mut self) -> Result<P, DriverError> {
        let stop = self.stop.clone();
        self.handle(Input::Start).await?;
        loop {
            tokio::select! {
                biased;
                () = stop.notified() => break,
                happened = self.wait() => match happened {
                    Happened::Input(input) => self.handle(input).await?,
                    Happened::Request(request) => self.meet(request).await?,
                    Happened::TransportClosed => return Err(DriverError::TransportClosed),
                },
            }
        }
        self.requests.close();
        while let Some(request) = self.requests.recv().await {
            self.meet(request).await?;
        }
        Ok(self.process)
    }

    /// Waits for whatever happens first. Cancel safe.
    async fn wait(&mut self) -> Happened<P> {
        tokio::select! {
            input = self.world.next_input() => input.map_or(Happened::TransportClosed, Happened::Input),
            Some(request) = self.requests.recv() => Happened::Request(request),
        }
    }

    async fn meet(&mut self, request: Request<P>) -> Result<(), DriverError> {
        match request {
            Request::Command(command) => self.handle(Input::Command(command)).await,
            Request::Ask(command, answer) => {
                let outputs = self.process_input(Input::Command(command))?;
                let events = outputs.iter().filter_map(|(_, output)| match output {
                    Output::Event(event) => Some(event.clone()),
                    _ => None,
                });
                let events = events.collect();
                self.carry_out_all(outputs).await?;
                // Whoever asked may have gone away.
                let _ = answer.send(events);
                Ok(())
            }
            Request::Inspect(look) => {
                let answer = look(&self.process);
                self.check_storage()?;
                answer();
                Ok(())
            }
        }
    }

    /// Gives an input to the process and carries out what comes of it.
    async fn handle(&mut self, input: Input) -> Result<(), DriverError> {
        let outputs = self.process_input(input)?;
        self.carry_out_all(outputs).await
    }

    /// Carries out the outputs of an input, and of those at hand behind it if there is something to store.
    async fn carry_out_all(&mut self, mut ahead: Vec<(Time, Output)>) -> Result<(), DriverError> {
        let barrier = ahead.iter().position(|(_, output)| is_record(output));
        let mut behind = ahead.split_off(barrier.unwrap_or(ahead.len()));
        for (now, output) in ahead {
            self.carry_out(now, output).await;
        }
        if barrier.is_none() {
            return Ok(());
        }
        for _ in 1..INPUTS_PER_COMMIT {
            let Some(input) = self.world.input_at_hand().await else {
                break;
            };
            behind.append(&mut self.process_input(input)?);
        }
        while self.commit(behind).await? {
            behind = self.process_input(Input::Flushed)?;
        }
        Ok(())
    }

    /// Stores all records among the outputs and then carries out the rest. True when there was a flush among them.
    async fn commit(&mut self, outputs: Vec<(Time, Output)>) -> Result<bool, DriverError> {
        let (mut records, mut rest) = (Vec::new(), Vec::new());
        for (now, output) in outputs {
            match output {
                Output::Persist(record) => records.push(*record),
                other => rest.push((now, other)),
            }
        }
        let has_flush = records.iter().any(|record| matches!(record, Record::Flush(_)));
        if !records.is_empty() {
            self.storage.append(records).await.map_err(DriverError::Persist)?;
        }
        for (now, output) in rest {
            self.carry_out(now, output).await;
        }
        Ok(has_flush)
    }

    /// The outputs of one input, with its time.
    fn process_input(&mut self, input: Input) -> Result<Vec<(Time, Output)>, DriverError> {
        self.now = self.now.max(self.world.now());
        let mut outputs = Outputs::new();
        self.process.handle(self.now, input, &mut outputs);
        self.check_storage()?;
        let outputs = outputs.take().into_iter();
        Ok(outputs.map(|output| (self.now, output)).collect())
    }

    fn check_storage(&mut self) -> Result<(), DriverError> {
        self.storage
            .take_fault()
            .map_or(Ok(()), |error| Err(DriverError::Read(error)))
    }

    /// Carries out what is no record.
    async fn carry_out(&mut self, now: Time, output: Output) {
        match output {
            Output::Persist(_) => unreachable!("records go to the storage, see `handle` and `commit`"),
            Output::Send { to, packet } => self.world.transport.send(to, packet).await,
            Output::SetTimer { timer, at } => self.world.timers.set(timer, at),
            Output::Infer { request, task } => self.world.inference.submit(request, *task),
            Output::Mine { template } => self.world.mining.start(template),
            Output::Event(event) => (self.observer)(now, event),
            Output::Connect { address } => self.world.transport.connect(address).await,
            Output::Disconnect { peer } => self.world.transport.disconnect(peer).await,
        }
    }
}

/// What a driver waits for.
enum Happened<P> {
    Input(Input),
    Request(Request<P>),
    TransportClosed,
}

fn is_record(output: &Output) -> bool {
    matches!(output, Output::Persist(_))
}
