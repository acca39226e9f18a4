//! How the rest of the program talks to a driver.

use camelid_core::node::Node;
use camelid_core::process::{Command, Event};
use std::fmt;
use std::sync::Arc;
use tokio::sync::{Notify, mpsc, oneshot};

/// What is asked of a driver, in the order in which it was asked.
pub(super) enum Request<P> {
    Command(Command),
    /// Carries a command out and answers with the events of that.
    Ask(Command, oneshot::Sender<Vec<Event>>),
    /// Looks at the process, and returns what gives the answer.
    Inspect(Box<dyn FnOnce(&P) -> Answer + Send>),
}

/// Gives an answer that is ready.
pub(super) type Answer = Box<dyn FnOnce() + Send>;

/// Talks to a running driver. Clones talk to the same one; it goes on running when all are gone.
pub struct DriverHandle<P = Node> {
    requests: mpsc::Sender<Request<P>>,
    stop: Arc<Notify>,
}

/// The driver is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the driver has stopped")]
pub struct DriverStopped;

impl<P> DriverHandle<P> {
    pub(super) fn new(requests: mpsc::Sender<Request<P>>, stop: Arc<Notify>) -> Self {
        Self { requests, stop }
    }

    /// Passes a command on to the process; waits while too many requests do.
    ///
    /// # Errors
    /// [`DriverStopped`] when nobody is there to take it.
    pub async fn command(&self, command: Command) -> Result<(), DriverStopped> {
        let sent = self.requests.send(Request::Command(command)).await;
        sent.map_err(|_| DriverStopped)
    }

    /// Passes a command on and returns the events that it led to at once, in order; what they tell of is
    /// durable by then.
    ///
    /// # Errors
    /// [`DriverStopped`] when nobody is there to take it, or the driver halts over it.
    pub async fn ask(&self, command: Command) -> Result<Vec<Event>, DriverStopped> {
        let (answer, answered) = oneshot::channel();
        let sent = self.requests.send(Request::Ask(command, answer)).await;
        sent.map_err(|_| DriverStopped)?;
        answered.await.map_err(|_| DriverStopped)
    }

    /// Runs `look` on the process between two inputs and returns what it returns. It sees the effect
    /// of the commands that were passed on before it, and nothing that a crash could take back: all
    /// records of the inputs so far are durable. The process waits for it, so it must be quick; if it
    /// panics, so does the driver.
    ///
    /// # Errors
    /// [`DriverStopped`] when nobody is there to look at, or what was looked at could not be read.
    pub async fn inspect<R, F>(&self, look: F) -> Result<R, DriverStopped>
    where
        R: Send + 'static,
        F: FnOnce(&P) -> R + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let look = move |process: &P| -> Answer {
            let seen = look(process);
            // Whoever asked may have gone away.
            Box::new(move || drop(answer.send(seen)))
        };
        let sent = self.requests.send(Request::Inspect(Box::new(look))).await;
        sent.map_err(|_| DriverStopped)?;
        answered.await.map_err(|_| DriverStopped)
    }

    /// Asks the driver to stop when it is done with the input at hand and with the requests that wait.
    pub fn stop(&self) {
        self.stop.notify_one();
    }
}

// Derived, these would ask the same of `P`.
impl<P> Clone for DriverHandle<P> {
    fn clone(&self) -> Self {
        Self::new(self.requests.clone(), self.stop.clone())
    }
}

impl<P> fmt::Debug for DriverHandle<P> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("DriverHandle").finish_non_exhaustive()
    }
}
