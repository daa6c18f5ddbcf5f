//! Scheduled reconciliation: one process at a time over all replicas.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::app::schedule::Job;
use crate::db::{StoreError, Tx, Write};
use crate::reconcile::reconciliations::{self, NewRun};
use crate::reconcile::{Ended, Options, Pace, ReconcileError, RunCause, carry_out, new_run};

/// How long after the start of a failed run the next one may start.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_mins(15);
/// How often a process checks whether a run is due.
const LOOK_EVERY: Duration = Duration::from_mins(5);
const HOUR_MS: i64 = 3_600_000;
/// How long there must have been neither a delivery nor a run for a run at start-up, in milliseconds.
const QUIET_MS: i64 = HOUR_MS;

/// Runs the reconciliation if it is due and no other process is running it. Call it every few minutes. `None` if there
/// was nothing to do or `stop` completed first. Dropping the future leaves a run that shows as interrupted and a lease
/// that expires.
///
/// # Errors
/// See [`ReconcileError`].
pub async fn run_if_due(app: &App, stop: impl Future<Output = ()> + Send) -> Result<Option<Ended>, ReconcileError> {
    let settings = app.reconciliation;
    if settings.every_hours <= 0 {
        return Ok(None);
    }
    let options =
        Options { cause: RunCause::Schedule, dry_run: false, since_days: settings.since_days, pace: Pace::default() };
    let run = new_run(app, options);
    let interval_ms = settings.every_hours.saturating_mul(HOUR_MS);
    let pause_ms = i64::try_from(PAUSE_AFTER_FAILURE.as_millis()).unwrap_or(i64::MAX);
    match app.db.write(StartIfDue { run: run.clone(), interval_ms, pause_ms }).await {
        Ok(true) => match carry_out(app, options, run, stop).await {
            // The run's row says so; it is not a failure.
            Err(ReconcileError::Stopped) => Ok(None),
            ended => ended.map(Some),
        },
        // Another process is running it, or it is not due.
        Ok(false) | Err(StoreError::Stale) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Starts the scheduled run if it is due.
struct StartIfDue {
    run: NewRun,
    interval_ms: i64,
    pause_ms: i64,
}

impl Write for StartIfDue {
    type Output = bool;

    async fn run(&self, tx: &mut Tx) -> Result<bool, StoreError> {
        reconciliations::start_if_due(tx, &self.run, self.interval_ms, self.pause_ms).await
    }
}

/// Runs the reconciliation once if the service was down: if the last hour had neither a delivery nor a run. Call it at
/// start-up; one process over all replicas does it. `None` if there was nothing to do.
///
/// # Errors
/// See [`ReconcileError`].
pub async fn run_after_outage(
    app: &App,
    stop: impl Future<Output = ()> + Send,
) -> Result<Option<Ended>, ReconcileError> {
    let settings = app.reconciliation;
    let since_ms = app.clock.now_ms().saturating_sub(QUIET_MS);
    if settings.every_hours <= 0 || !app.db.was_quiet_since(since_ms).await? {
        return Ok(None);
    }
    let options =
        Options { cause: RunCause::Schedule, dry_run: false, since_days: settings.since_days, pace: Pace::default() };
    let run = new_run(app, options);
    match app.db.write(StartAfterOutage { run: run.clone() }).await {
        Ok(true) => {
            tracing::info!("nothing was delivered for an hour or longer: comparing with Stripe's books at once");
            match carry_out(app, options, run, stop).await {
                Err(ReconcileError::Stopped) => Ok(None),
                ended => ended.map(Some),
            }
        }
        Ok(false) | Err(StoreError::Stale) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Starts the scheduled run if no run started in the last hour.
struct StartAfterOutage {
    run: NewRun,
}

impl Write for StartAfterOutage {
    type Output = bool;

    async fn run(&self, tx: &mut Tx) -> Result<bool, StoreError> {
        reconciliations::start_after_outage(tx, &self.run, QUIET_MS).await
    }
}

/// The job that reconciles once after start-up.
#[must_use]
pub fn catching_up_job() -> Job {
    let is_done = AtomicBool::new(false);
    Job::new("compare after an outage", Duration::ZERO, LOOK_EVERY, move |app: Arc<App>, stop: CancellationToken| {
        let is_done = is_done.swap(true, Ordering::Relaxed);
        async move {
            if is_done {
                return Ok(());
            }
            run_after_outage(&app, stop.cancelled()).await.map(drop)
        }
    })
}

/// The job that checks every few minutes whether a run is due.
#[must_use]
pub fn comparing_job() -> Job {
    Job::new(
        "compare the books with Stripe's",
        LOOK_EVERY,
        LOOK_EVERY,
        |app: Arc<App>, stop: CancellationToken| async move { run_if_due(&app, stop.cancelled()).await.map(drop) },
    )
}
