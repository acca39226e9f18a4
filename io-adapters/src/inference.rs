//! Whatever runs language models.

use async_trait::async_trait;
use camelid_core::model::{InferenceResult, InferenceTask};

/// Runs inference tasks, several at a time.
#[async_trait]
pub trait Inference: Send + Sync {
    /// Runs one task; what fails is an [`InferenceResult::Failed`].
    ///
    /// The future may be dropped at any time, and the task is then to be given up. An implementation
    /// that computes for long must do so on threads of its own.
    async fn run(&self, task: InferenceTask) -> InferenceResult;
}

/// For nodes that have no models: every task fails.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoInference;

#[async_trait]
impl Inference for NoInference {
    async fn run(&self, _task: InferenceTask) -> InferenceResult {
        InferenceResult::failed("this node runs no models")
    }
}
