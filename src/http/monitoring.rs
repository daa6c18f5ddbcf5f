//! What the service measures of itself, for Prometheus, on a listener of its own.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::CONTENT_TYPE;
use actix_web::{HttpResponse, web};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::app::App;
use crate::measure::{self, CommitTotals, Gauge};

/// How long the answers of the database are good for. Whoever asks more often gets the same ones.
const SAMPLE_EVERY: Duration = Duration::from_secs(5);
/// How long the database may take to answer. Without an answer, the other measurements are told all the same.
const SAMPLE_TIMEOUT: Duration = Duration::from_secs(2);

/// The type of Prometheus's text format.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What the measurements are taken from.
pub struct Monitored {
    app: Arc<App>,
    sampled: Mutex<Option<Instant>>,
}

impl Monitored {
    /// Measures this service.
    #[must_use]
    pub fn new(app: Arc<App>) -> Self {
        Self { app, sampled: Mutex::new(None) }
    }

    /// Takes a sample, if the last one is old enough.
    async fn sample(&self) {
        let counts = self.app.db.commit_counts();
        measure::set_commits(CommitTotals {
            groups: counts.groups,
            failed: counts.failed_groups,
            writes: counts.writes,
            in_bulk: counts.in_bulk,
            alone: counts.alone,
            refused: counts.refused,
        });
        measure::set(Gauge::LargestGroup, u32::try_from(counts.largest).unwrap_or(u32::MAX));
        measure::set(Gauge::WriteQueue, u32::try_from(self.app.db.waiting_writes()).unwrap_or(u32::MAX));
        let (open, idle) = self.app.db.connections();
        measure::set(Gauge::ConnectionsOpen, open);
        measure::set(Gauge::ConnectionsIdle, idle);
        let mut sampled = self.sampled.lock().await;
        if sampled.is_some_and(|at| at.elapsed() < SAMPLE_EVERY) {
            return;
        }
        *sampled = Some(Instant::now());
        let is_up = tokio::time::timeout(SAMPLE_TIMEOUT, self.ask()).await.is_ok_and(|answered| answered.is_some());
        measure::set(Gauge::DatabaseUp, u32::from(is_up));
    }

    /// Asks the database. `None` if it does not answer.
    async fn ask(&self) -> Option<()> {
        let failures = self.app.db.open_failures().await.ok()?;
        measure::set(Gauge::FailuresTransient, count(failures.transient));
        measure::set(Gauge::FailuresPermanent, count(failures.permanent));
        let runs = self.app.db.reconciliations(RUNS).await.ok()?;
        if let Some(run) = runs.iter().find(|run| run.finished_at.is_some()) {
            let age_ms = self.app.clock.now_ms().saturating_sub(run.finished_at.unwrap_or(0));
            measure::set(Gauge::ReconciliationAge, count(age_ms.div_euclid(1_000)));
            measure::set(Gauge::ReconciliationDifferences, count(run.left_over.unwrap_or(0)));
        }
        let backlog = self.app.db.backlog().await.ok()?;
        let age_ms = backlog.since_ms.map_or(0, |since_ms| self.app.clock.now_ms().saturating_sub(since_ms));
        measure::set(Gauge::MessagesWaiting, count(backlog.messages));
        measure::set(Gauge::OldestMessageAge, count(age_ms.div_euclid(1_000)));
        Some(())
    }
}

/// One of the latest runs has ended, unless many run at once.
const RUNS: i64 = 10;

fn count(number: i64) -> u32 {
    u32::try_from(number.max(0)).unwrap_or(u32::MAX)
}

/// Everything measured, in Prometheus's text format.
pub async fn metrics(monitored: web::Data<Monitored>) -> HttpResponse {
    // The database's connections belong to the main runtime.
    let (app, sampling) = (monitored.app.clone(), monitored.into_inner());
    app.tasks.run(async move { sampling.sample().await }).await.ok();
    HttpResponse::Ok().insert_header((CONTENT_TYPE, TEXT)).body(measure::rendered())
}
