//! The comparison on a schedule: one process at a time over all replicas.

use std::time::Duration;

use futures_util::FutureExt;

use super::{Ended, Options, Pace, ReconcileError, RunCause, carry_out, new_run};
use crate::app::App;
use crate::store::{StoreError, reconciliations};

/// How long after a run that failed the next one may begin.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_mins(15);
const HOUR_MS: i64 = 3_600_000;

/// When the service compares by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScheduleSettings {
    /// How often, in hours; 0 means never.
    pub every_hours: i64,
    /// How far back, in days.
    pub since_days: i64,
}

/// Compares if it is due and no other process does. To be called every few minutes; `None` when there was nothing to do.
/// Dropped in the middle, it leaves a run that shows as interrupted and a lease that runs out.
///
/// # Errors
/// See [`ReconcileError`].
pub async fn run_if_due(app: &App) -> Result<Option<Ended>, ReconcileError> {
    let settings = app.reconciliation;
    if settings.every_hours <= 0 {
        return Ok(None);
    }
    let options =
        Options { cause: RunCause::Schedule, dry_run: false, since_days: settings.since_days, pace: Pace::default() };
    let run = new_run(app, options);
    let interval_ms = settings.every_hours.saturating_mul(HOUR_MS);
    let pause_ms = i64::try_from(PAUSE_AFTER_FAILURE.as_millis()).unwrap_or(i64::MAX);
    let begun = run.clone();
    let started = app
        .db
        .write(move |tx| {
            let run = begun.clone();
            async move { reconciliations::start_if_due(tx, &run, interval_ms, pause_ms).await }.boxed()
        })
        .await;
    match started {
        Ok(true) => carry_out(app, options, run, std::future::pending()).await.map(Some),
        // Another process is at it, or it is not time.
        Ok(false) | Err(StoreError::Stale) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
