//! Engines behind the node's asynchronous interface.

use crate::Engine;
use async_trait::async_trait;
use camelid_core::model::{InferenceResult, InferenceTask, LanguageModel, run_task_watched};
use camelid_core::primitives::ModelId;
use camelid_io::Inference;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// The models of a node. Each task runs on a thread of its own; when this is dropped, none is left: the
/// library must not be at work any more when the process ends and its memory is taken down.
#[derive(Debug, Default)]
pub struct GgmlInference {
    engines: BTreeMap<ModelId, Arc<Engine>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    stopping: Arc<AtomicBool>,
}

impl GgmlInference {
    /// A node with these models.
    pub fn new(engines: impl IntoIterator<Item = Arc<Engine>>) -> Self {
        let engines = engines.into_iter().map(|engine| (engine.manifest().id(), engine));
        Self {
            engines: engines.collect(),
            threads: Mutex::default(),
            stopping: Arc::default(),
        }
    }

    fn keep(&self, thread: JoinHandle<()>) {
        let mut threads = self.threads();
        threads.retain(|thread| !thread.is_finished());
        threads.push(thread);
    }

    fn threads(&self) -> MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for GgmlInference {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Relaxed);
        for thread in self.threads().drain(..) {
            // What a panic had to say, its task has been told.
            let _ = thread.join();
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
        let (cancelled, stopping) = (Arc::clone(&cancel.0), Arc::clone(&self.stopping));
        let thread = std::thread::Builder::new().name("inference".into());
        let spawned = thread.spawn(move || {
            let result = run_task_watched(&*engine, &task, &mut |_| {
                if cancelled.load(Ordering::Relaxed) || stopping.load(Ordering::Relaxed) {
                    return ControlFlow::Break(());
                }
                ControlFlow::Continue(())
            });
            // Nobody waits for it when the task was given up.
            let _ = sender.send(result);
        });
        let Ok(spawned) = spawned else {
            return InferenceResult::failed("no thread could be started");
        };
        self.keep(spawned);
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
