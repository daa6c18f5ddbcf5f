//! Runs use cases in their own tasks on the main runtime.
//!
//! A web worker drops a request's future when its client disconnects, but a task continues. The worker waits for the
//! task, and a graceful stop waits for all tasks. Connections to the database and to Stripe belong to the main runtime
//! and outlive every worker.

use std::future::Future;

use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use crate::traces;

/// Runs use cases to completion.
#[derive(Debug, Clone)]
pub struct Tasks {
    runtime: Handle,
    tracker: TaskTracker,
}

/// The task panicked; its message is in the log.
#[derive(Debug, thiserror::Error)]
#[error("a task ended without a result")]
pub struct TaskFailed(#[source] tokio::task::JoinError);

impl Tasks {
    /// Runs tasks on this runtime.
    #[must_use]
    pub fn new(runtime: Handle) -> Self {
        Self { runtime, tracker: TaskTracker::new() }
    }

    /// Runs a use case to completion, even if the caller stops waiting.
    ///
    /// # Errors
    /// When it panicked.
    pub async fn run<T: Send + 'static>(
        &self,
        use_case: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, TaskFailed> {
        let task = self.tracker.track_future(traces::carry(use_case.in_current_span()));
        self.runtime.spawn(task).await.map_err(TaskFailed)
    }

    /// Starts a task that nobody waits for but a graceful stop.
    pub fn spawn<T: Send + 'static>(&self, task: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
        self.runtime.spawn(self.tracker.track_future(traces::carry(task.in_current_span())))
    }

    /// Waits until every task has ended.
    pub async fn finish(&self) {
        self.tracker.close();
        self.tracker.wait().await;
    }
}
