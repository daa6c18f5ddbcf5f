//! Scheduled jobs of a running service.
//!
//! Every process runs its own schedule, so a job must tolerate that other processes run it at the same time. A run that
//! fails or panics is logged, and the next one follows. A stop ends the waiting at once; a run in progress is a use
//! case like others ([`super::tasks`]) and is told to finish.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{App, with_causes};

type Failure = Box<dyn std::error::Error + Send + Sync>;
type Run = dyn Fn(Arc<App>, CancellationToken) -> BoxFuture<'static, Result<(), Failure>> + Send + Sync;

/// A job that runs repeatedly.
pub struct Job {
    name: &'static str,
    first_after: Duration,
    every: Duration,
    run: Arc<Run>,
}

impl Job {
    /// A job that runs `first_after` after the start and then `every` after its previous run. A long run should check
    /// the token, which is cancelled when the process stops.
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

    /// Runs the job once. Logs a failure or panic.
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

/// The running jobs.
pub struct Schedule {
    stop: CancellationToken,
    jobs: JoinSet<()>,
}

impl Schedule {
    /// Starts the jobs on the current runtime.
    #[must_use]
    pub fn start(app: &Arc<App>, jobs: Vec<Job>) -> Self {
        let stop = CancellationToken::new();
        let mut running = JoinSet::new();
        for job in jobs {
            running.spawn(job.run_until_stopped(app.clone(), stop.clone()));
        }
        Self { stop, jobs: running }
    }

    /// Starts no more runs and tells those in progress to finish. Does not wait for them.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Stops the jobs and waits until every one has ended.
    pub async fn finish(mut self) {
        self.stop.cancel();
        while self.jobs.join_next().await.is_some() {}
    }
}
