//! Inference beside the loop: a bounded number of tasks at a time, and a bounded queue.

use super::task::OwnedTask;
use crate::inference::Inference;
use camelid_core::model::{InferenceResult, InferenceTask};
use camelid_core::process::RequestId;
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// Runs what the process asks for. Every request is answered exactly once.
pub(super) struct InferencePool {
    backend: Arc<dyn Inference>,
    parallel: usize,
    queue_capacity: usize,
    running: Vec<(RequestId, OwnedTask<InferenceResult>)>,
    waiting: VecDeque<(RequestId, InferenceTask)>,
    refused: VecDeque<RequestId>,
}

impl InferencePool {
    pub(super) fn new(backend: Arc<dyn Inference>, parallel: usize, queue_capacity: usize) -> Self {
        Self {
            backend,
            parallel,
            queue_capacity,
            running: Vec::new(),
            waiting: VecDeque::new(),
            refused: VecDeque::new(),
        }
    }

    /// Starts a task, or lets it wait its turn, or refuses it when too many wait.
    pub(super) fn submit(&mut self, request: RequestId, task: InferenceTask) {
        if self.running.len() < self.parallel {
            self.start(request, task);
        } else if self.waiting.len() < self.queue_capacity {
            self.waiting.push_back((request, task));
        } else {
            self.refused.push_back(request);
        }
    }

    fn start(&mut self, request: RequestId, task: InferenceTask) {
        let backend = self.backend.clone();
        let task = OwnedTask::spawn(async move { backend.run(task).await });
        self.running.push((request, task));
    }

    /// The next answer; pending for ever when nothing is asked. Cancel safe.
    pub(super) async fn answer(&mut self) -> (RequestId, InferenceResult) {
        if let Some(request) = self.refused.pop_front() {
            return (request, InferenceResult::failed("too many inference tasks"));
        }
        let answer = poll_fn(|context| self.poll_running(context)).await;
        if let Some((request, task)) = self.waiting.pop_front() {
            self.start(request, task);
        }
        answer
    }

    fn poll_running(&mut self, context: &mut Context<'_>) -> Poll<(RequestId, InferenceResult)> {
        for index in 0..self.running.len() {
            let (request, task) = &mut self.running[index];
            if let Poll::Ready(result) = Pin::new(task).poll(context) {
                let result = result.unwrap_or_else(|| InferenceResult::failed("the task panicked"));
                let answer = (*request, result);
                self.running.remove(index);
                return Poll::Ready(answer);
            }
        }
        Poll::Pending
    }
}
