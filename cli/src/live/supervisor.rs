//! The tasks of a program that runs until it is told to stop.

use crate::exit::Exit;
use std::collections::BTreeMap;
use std::error::Error;
use std::io::{self, Write as _};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::{Id, JoinError, JoinSet};

/// Time for all tasks to end what they are at.
const DRAIN: Duration = Duration::from_secs(10);

/// Why a task ended.
pub type TaskResult = Result<(), Box<dyn Error + Send + Sync>>;

/// Tells tasks to stop. Clones tell the same ones.
#[derive(Clone, Debug, Default)]
pub struct Stop(watch::Sender<bool>);

impl Stop {
    /// Says so.
    pub fn request(&self) {
        self.0.send_replace(true);
    }

    /// Has somebody said so?
    pub fn is_requested(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns once somebody has said so.
    pub async fn requested(&self) {
        let mut receiver = self.0.subscribe();
        // The sender lives as long as `self`.
        let _ = receiver.wait_for(|stopping| *stopping).await;
    }
}

/// What went wrong with a task.
#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    /// It said so.
    #[error("{task}: {}", with_causes(&**error))]
    Failed {
        /// The task.
        task: String,
        /// Why.
        error: Box<dyn Error + Send + Sync>,
    },
    /// It ended although nobody asked it to.
    #[error("{0} ended by itself")]
    Ended(String),
    /// It panicked.
    #[error("{task} ended in a panic: {error}")]
    Panicked {
        /// The task.
        task: String,
        /// What tokio says of it.
        error: JoinError,
    },
    /// Some are still at work long after they were asked to stop.
    #[error("did not stop within {} s: {tasks}", DRAIN.as_secs())]
    Stuck {
        /// The tasks.
        tasks: String,
    },
}

/// Runs tasks side by side. When one ends, all are stopped.
#[derive(Default)]
pub struct Supervisor {
    stop: Stop,
    tasks: JoinSet<TaskResult>,
    names: BTreeMap<Id, String>,
}

impl Supervisor {
    /// What stops the tasks.
    pub fn stop(&self) -> Stop {
        self.stop.clone()
    }

    /// Starts a task, which has to end soon after a [`Stop`].
    pub fn spawn(
        &mut self,
        name: impl Into<String>,
        task: impl Future<Output = TaskResult> + Send + 'static,
    ) {
        let handle = self.tasks.spawn(task);
        self.names.insert(handle.id(), name.into());
    }

    /// Waits for a stop, or for a task to end, and then for all tasks.
    ///
    /// # Errors
    /// The first [`TaskError`].
    pub async fn run(mut self) -> Result<(), TaskError> {
        let stop = self.stop.clone();
        let mut outcome = tokio::select! {
            () = stop.requested() => Ok(()),
            ended = self.next_end() => match ended {
                // A task may heed a stop before it is seen here.
                Some((task, Ok(()))) if !stop.is_requested() => Err(TaskError::Ended(task)),
                Some((_, Err(error))) => Err(error),
                Some((_, Ok(()))) | None => Ok(()),
            },
        };
        stop.request();
        let drained = tokio::time::timeout(DRAIN, async {
            while let Some((_, ended)) = self.next_end().await {
                if outcome.is_ok() {
                    outcome = ended;
                }
            }
        });
        if drained.await.is_err() && outcome.is_ok() {
            let names: Vec<String> = self.names.into_values().collect();
            let tasks = names.join(", ");
            outcome = Err(TaskError::Stuck { tasks });
        }
        outcome
    }

    /// The next task that ends, and how; `None` when there is none left. Cancel safe.
    async fn next_end(&mut self) -> Option<(String, Result<(), TaskError>)> {
        let ended = self.tasks.join_next_with_id().await?;
        let id = ended.as_ref().map_or_else(JoinError::id, |(id, _)| *id);
        let task = self.names.remove(&id).unwrap_or_default();
        let result = match ended {
            Ok((_, result)) => result.map_err(|error| TaskError::Failed {
                task: task.clone(),
                error,
            }),
            Err(error) => Err(TaskError::Panicked {
                task: task.clone(),
                error,
            }),
        };
        Some((task, result))
    }
}

/// Requests a stop at the first SIGTERM or Ctrl-C, with a notice; the second one waits for nothing.
/// Call it inside the runtime.
///
/// # Errors
/// When signals cannot be handled.
pub fn stop_on_signals(stop: Stop, notice: &'static str) -> io::Result<()> {
    let mut signals = Signals::new()?;
    tokio::spawn(async move {
        signals.next().await;
        stop.request();
        // Nobody may be left to read it.
        let _ = writeln!(io::stderr(), "camelid: {notice}; once more to stop at once");
        signals.next().await;
        std::process::exit(Exit::Interrupted as i32);
    });
    Ok(())
}

/// What asks a process to end.
struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[cfg(not(unix))]
impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {})
    }

    async fn next(&mut self) {
        // Without a handler there is nobody to tell; the system then ends the process itself.
        let _ = tokio::signal::ctrl_c().await;
    }
}

/// An error and what it came from, on one line.
fn with_causes(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    let words: Vec<String> = causes.map(ToString::to_string).collect();
    words.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn supervisor_with(stop_is_heeded: bool) -> Supervisor {
        let mut supervisor = Supervisor::default();
        let stop = supervisor.stop();
        supervisor.spawn("steady", async move {
            stop.requested().await;
            if !stop_is_heeded {
                std::future::pending::<()>().await;
            }
            Ok(())
        });
        supervisor
    }

    #[tokio::test]
    async fn a_stop_lets_all_tasks_end() {
        let supervisor = supervisor_with(true);
        supervisor.stop().request();
        assert!(supervisor.run().await.is_ok());
    }

    #[tokio::test]
    async fn a_task_may_heed_a_stop_before_the_supervisor_sees_it() {
        // Either may be seen first, by chance.
        for _ in 0..100 {
            let mut supervisor = Supervisor::default();
            let stop = supervisor.stop();
            supervisor.spawn("steady", async move {
                stop.request();
                Ok(())
            });
            tokio::task::yield_now().await;
            assert!(supervisor.run().await.is_ok());
        }
    }

    #[tokio::test]
    async fn a_task_that_fails_stops_the_others_and_is_named() {
        let mut supervisor = supervisor_with(true);
        supervisor.spawn("disk", async { Err("no space left".into()) });
        let error = supervisor.run().await.expect_err("a task failed");
        assert_eq!(error.to_string(), "disk: no space left");
    }

    #[tokio::test]
    async fn a_task_that_ends_by_itself_is_an_error() {
        let mut supervisor = supervisor_with(true);
        supervisor.spawn("server", async { Ok(()) });
        let error = supervisor.run().await.expect_err("a task ended");
        assert_eq!(error.to_string(), "server ended by itself");
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_does_not_stop_is_left_behind() {
        let supervisor = supervisor_with(false);
        supervisor.stop().request();
        let error = supervisor.run().await.expect_err("a task is stuck");
        assert_eq!(error.to_string(), "did not stop within 10 s: steady");
    }
}
