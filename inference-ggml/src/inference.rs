//! Engines behind the node's asynchronous interface.

use crate::Engine;
use async_trait::async_trait;
use camelid_core::model::{InferenceResult, InferenceTask, LanguageModel, run_task_watched};
use camelid_core::primitives::ModelId;
use camelid_io::Inference;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::oneshot;

/// The models of a node. Each task runs on a thread of its own.
#[derive(Debug, Default)]
pub struct GgmlInference {
    engines: BTreeMap<ModelId, Arc<Engine>>,
}

impl GgmlInference {
    /// A node with these models.
    pub fn new(engines: impl IntoIterator<Item = Arc<Engine>>) -> Self {
        let engines = engines.into_iter().map(|engine| (engine.manifest().id(), engine));
        Self {
            engines: engines.collect(),
        }
    }
}

#[async_trait]
impl Inference for GgmlInference {
    async fn run(&self, task: InferenceTask) -> InferenceResult {
        let (InferenceTask::Generate { model, .. } | InferenceTask::Predict { model, .. }) = &task;
        let Some(engine) = self.engines.get(model).map(Arc::clone) else {
            return InferenceResult::failed("this node does not have the model");
        };
        let (sender, receiver) = oneshot::channel();
        let cancel = CancelOnDrop::default();
        let cancelled = Arc::clone(&cancel.0);
        let thread = std::thread::Builder::new().name("inference".into());
        let spawned = thread.spawn(move || {
            let result = run_task_watched(&*engine, &task, &mut |_| {
                if cancelled.load(Ordering::Relaxed) {
                    return ControlFlow::Break(());
                }
                ControlFlow::Continue(())
            });
            // Nobody waits for it when the task was given up.
            let _ = sender.send(result);
        });
        if spawned.is_err() {
            return InferenceResult::failed("no thread could be started");
        }
        let result = receiver.await;
        drop(cancel);
        result.unwrap_or_else(|_| InferenceResult::failed("the model's thread ended"))
    }
}

/// Tells the thread to stop when nobody waits for its result any more.
#[derive(Default)]
struct CancelOnDrop(Arc<AtomicBool>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
