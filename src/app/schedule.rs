//! Work that a running service does by itself, again and again.
//!
//! Every process runs its own schedule, so a job must bear that others do the same at the same time. A run that fails or
//! panics is logged, and the next one comes. A stop ends the waiting at once; a run that has begun is a use case like
//! others ([`super::tasks`]), and is told to come to an end.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{App, with_causes};

type Failure = Box<dyn std::error::Error + Send + Sync>;
type Run = dyn Fn(Arc<App>, CancellationToken) -> BoxFuture<'static, Result<(), Failure>> + Send + Sync;

/// Something to be done again and again.
pub struct Job {
    name: &'static str,
    first_after: Duration,
    every: Duration,
    run: Arc<Run>,
}

impl Job {
    /// A job that runs a while after the start, and then again each time a while after its last run. A long run looks at
    /// the token now and then, which says that the process is stopping.
    pub fn new<F, R, E>(name: &'static str, first_after: Duration, every: Duration, run: F) -> Self
    where
        F: Fn(Arc<App>, CancellationToken) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Failure>,
    {
        let run = move |app: Arc<App>, stop: CancellationToken| {
            let running = run(app, stop);
            async move { running.await.map_err(Into::into) }.boxed()
        };
        Self { name, first_after, every, run: Arc::new(run) }
    }

    /// Runs it once, to its end, whatever happens in it.
    pub async fn run_once(&self, app: &Arc<App>, stop: &CancellationToken) {
        let (job, run, with, stop) = (self.name, self.run.clone(), app.clone(), stop.clone());
        match app.tasks.run(async move { run(with, stop).await }).await {
            Ok(Ok(())) => tracing::debug!(job, "a scheduled run is done"),
            Ok(Err(error)) => tracing::error!(job, error = with_causes(error.as_ref()), "a scheduled run failed"),
            Err(error) => tracing::error!(job, error = with_causes(&error), "a scheduled run panicked"),
        }
    }

    async fn run_until_stopped(self, app: Arc<App>, stop: CancellationToken) {
        let mut wait = self.first_after;
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
            }
            self.run_once(&app, &stop).await;
            wait = self.every;
        }
    }
}

/// Jobs that are running.
pub struct Schedule {
    stop: CancellationToken,
    jobs: JoinSet<()>,
}

impl Schedule {
    /// Starts the jobs, on the runtime that this is called on.
    #[must_use]
    pub fn start(app: &Arc<App>, jobs: Vec<Job>) -> Self {
        let stop = CancellationToken::new();
        let mut running = JoinSet::new();
        for job in jobs {
            running.spawn(job.run_until_stopped(app.clone(), stop.clone()));
        }
        Self { stop, jobs: running }
    }

    /// No run begins any more, and those that have begun are told. It waits for nobody.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Waits until every job has ended, after a stop.
    pub async fn finish(mut self) {
        self.stop.cancel();
        while self.jobs.join_next().await.is_some() {}
    }
}
