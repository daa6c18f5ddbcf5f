//! Where use cases run: in tasks of their own on the main runtime.
//!
//! A web worker drops a request's future when its client goes away, and everything with it. A task goes on. The worker
//! waits for it, and a graceful stop waits for all of them; connections to the database and to Stripe belong to the main
//! runtime and outlive every worker.

use std::future::Future;

use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

/// Runs use cases to their end.
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

    /// Runs a use case to its end, also if nobody waits for it any more.
    ///
    /// # Errors
    /// When it panicked.
    pub async fn run<T: Send + 'static>(
        &self,
        use_case: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, TaskFailed> {
        let task = self.tracker.track_future(use_case.in_current_span());
        self.runtime.spawn(task).await.map_err(TaskFailed)
    }

    /// Waits until every task has ended.
    pub async fn finish(&self) {
        self.tracker.close();
        self.tracker.wait().await;
    }
}
