//! What methods work on.

use super::error::RpcError;
use super::method::Answer;
use camelid_core::node::Node;
use camelid_core::primitives::Time;
use camelid_core::process::{Command, Event};
use camelid_io::{Clock, DriverHandle, TokioClock};
use std::time::Instant;

/// A running node, as methods see it.
pub struct Service {
    node: DriverHandle<Node>,
    stop: Box<dyn Fn() + Send + Sync>,
    started: Instant,
}

/// A node between two of its steps.
pub struct View<'a> {
    /// The node.
    pub node: &'a Node,
    /// The time.
    pub now: Time,
}

impl Service {
    /// For the node that `node` talks to; `stop` makes its process end.
    pub fn new(node: DriverHandle<Node>, stop: impl Fn() + Send + Sync + 'static) -> Self {
        Self {
            node,
            stop: Box::new(stop),
            started: Instant::now(),
        }
    }

    /// Seconds since the start.
    pub fn uptime_s(&self) -> u64 {
        self.started.elapsed().as_secs()
    }

    /// Makes the process end.
    pub fn stop(&self) {
        (self.stop)();
    }

    /// Looks at the node.
    ///
    /// # Errors
    /// What `look` says, or [`RpcError::STOPPING`].
    pub async fn look(&self, look: impl FnOnce(&View<'_>) -> Answer + Send + 'static) -> Answer {
        let now = TokioClock.now();
        self.node.inspect(move |node| look(&View { node, now })).await?
    }

    /// Asks the node for something, and returns what came of it.
    ///
    /// # Errors
    /// [`RpcError::STOPPING`].
    pub async fn ask(&self, command: Command) -> Result<Vec<Event>, RpcError> {
        Ok(self.node.ask(command).await?)
    }
}
