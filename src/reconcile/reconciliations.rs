//! Reconciliation runs: when they ran, why, and with what result.
//!
//! A `running` run has a lease; without one it was interrupted. The next run starts from scratch.

use crate::db::leases;
use crate::db::{Db, Tx, args};
use crate::db::{StoreError, statements};

/// The lease of the scheduled run: one at a time over all processes.
pub const SCHEDULE_LEASE: &str = "reconciliation";
/// How many runs are kept.
const KEPT_RUNS: i64 = 1_000;

/// Who started a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunCause {
    /// An operator, with the command.
    Command,
    /// The service, on schedule.
    Schedule,
}

impl RunCause {
    /// The name used in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::Schedule => "schedule",
        }
    }
}

/// Why a run is incomplete. The names are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle {
    /// The API key lacks a permission. Stays until the key is changed.
    MissingPermission,
    /// A list is longer than the most pages that are read. Stays until the period is shortened.
    TooMany,
    /// The provider failed or could not be reached. The next run may succeed.
    ProviderFailed,
}

impl Obstacle {
    /// The name used in the database and by the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MissingPermission => "missing_permission",
            Self::TooMany => "too_many",
            Self::ProviderFailed => "provider_failed",
        }
    }

    /// Whether the obstacle may go away by itself.
    fn is_temporary(word: Option<&str>) -> bool {
        ![Self::MissingPermission, Self::TooMany].iter().any(|lasting| Some(lasting.as_str()) == word)
    }
}

/// A stored run.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Run {
    /// The run's id.
    pub id: String,
    /// `command` or `schedule`.
    pub cause: String,
    /// 1 for a dry run.
    pub dry_run: i64,
    /// The start of the compared period, in milliseconds since 1970.
    pub since: i64,
    /// `running`, `finished`, `failed`; `interrupted` if it is stored as running but its lease is not held.
    pub state: String,
    /// How many findings are left over.
    pub left_over: Option<i64>,
    /// The findings, as JSON.
    pub report: Option<String>,
    /// Why it failed or is incomplete.
    pub error: Option<String>,
    /// The kind of reason, if it is incomplete: see [`Obstacle`].
    pub obstacle: Option<String>,
    /// When it started, in milliseconds since 1970, by the database's clock.
    pub started_at: i64,
    /// When it ended, in milliseconds since 1970.
    pub finished_at: Option<i64>,
}

/// A run to start.
#[derive(Debug, Clone)]
pub struct NewRun {
    /// The run's id.
    pub id: String,
    /// Who started it.
    pub cause: RunCause,
    /// Whether to report only.
    pub dry_run: bool,
    /// The start of the compared period, in milliseconds since 1970.
    pub since_ms: i64,
    /// How long its lease lasts without a renewal, in milliseconds.
    pub lease_ms: i64,
}

impl NewRun {
    /// The lease that shows that the run is alive. All scheduled runs share one, so that only one runs at a time. A
    /// command's run has its own, so that a command that died blocks no other.
    #[must_use]
    pub fn lease(&self) -> &str {
        match self.cause {
            RunCause::Schedule => SCHEDULE_LEASE,
            RunCause::Command => &self.id,
        }
    }
}

/// The end of a run.
#[derive(Debug, Clone)]
pub struct Ending {
    /// How many findings are left over; `None` if it failed before that was known.
    pub left_over: Option<i64>,
    /// The findings, as JSON.
    pub report: Option<String>,
    /// Why it failed or is incomplete, if so.
    pub error: Option<String>,
    /// The kind of reason, if known.
    pub obstacle: Option<Obstacle>,
}

statements! {
    INSERT = "INSERT INTO reconciliations (id, cause, dry_run, since, state, started_at) \
        VALUES (:id, :cause, :dry_run, :since_ms, 'running', (SELECT now_ms FROM database_clock))";
    FINISH = "UPDATE reconciliations SET state = :state, left_over = :left_over, report = :report, error = :error, \
        obstacle = :obstacle, \
        finished_at = (SELECT now_ms FROM database_clock) WHERE id = :id AND state = 'running'";
    LIST = "SELECT r.id, r.cause, r.dry_run, r.since, CASE WHEN r.state = 'running' AND NOT EXISTS \
        (SELECT 1 FROM leases l WHERE l.holder = r.id AND l.lease_until > (SELECT now_ms FROM database_clock)) \
        THEN 'interrupted' ELSE r.state END AS state, r.left_over, r.report, r.error, r.obstacle, r.started_at, \
        r.finished_at \
        FROM reconciliations r ORDER BY r.started_at DESC, r.id DESC LIMIT :limit";
    FIND = "SELECT r.id, r.cause, r.dry_run, r.since, CASE WHEN r.state = 'running' AND NOT EXISTS \
        (SELECT 1 FROM leases l WHERE l.holder = r.id AND l.lease_until > (SELECT now_ms FROM database_clock)) \
        THEN 'interrupted' ELSE r.state END AS state, r.left_over, r.report, r.error, r.obstacle, r.started_at, \
        r.finished_at \
        FROM reconciliations r WHERE r.id = :id";
    LAST_SCHEDULED = "SELECT MAX(CASE WHEN state = 'finished' THEN started_at END) AS finished, \
        MAX(CASE WHEN state = 'failed' THEN started_at END) AS failed \
        FROM reconciliations WHERE cause = 'schedule'";
    FAILED_SINCE = "SELECT obstacle FROM reconciliations WHERE cause = 'schedule' AND state = 'failed' \
        AND started_at > :since_ms ORDER BY started_at DESC, id DESC LIMIT 16";
    LAST_OBSTACLE = "SELECT obstacle, error FROM reconciliations WHERE state IN ('finished', 'failed') AND dry_run = 0 \
        AND id <> :besides ORDER BY started_at DESC, id DESC LIMIT 1";
    LAST_RUN = "SELECT MAX(started_at) AS finished, CAST(NULL AS BIGINT) AS failed FROM reconciliations \
        WHERE dry_run = 0 AND id <> :id";
    SOLD_BEFORE = "SELECT created_at AS at_ms FROM topups WHERE created_at < :since_ms ORDER BY created_at, id LIMIT 1";
    /// Uses the newest top-ups, each through the index: the table of events is never scanned.
    LAST_DELIVERY = "SELECT MAX(latest) AS at_ms FROM (SELECT (SELECT MAX(e.received_at) FROM webhook_events e \
        WHERE e.topup_id = t.id) AS latest FROM (SELECT id FROM topups WHERE created_at <= :before_ms \
        ORDER BY created_at DESC, id DESC LIMIT 100) t) d";
    FORGET_RUNS = "DELETE FROM reconciliations WHERE id IN \
        (SELECT id FROM reconciliations ORDER BY started_at DESC, id DESC LIMIT 100 OFFSET :kept)";
    /// Removes leases left by commands that died.
    FORGET_LEASES = "DELETE FROM leases WHERE substr(name, 1, 15) = 'reconciliation_' \
        AND lease_until < (SELECT now_ms FROM database_clock) - 3600000";
}

#[derive(sqlx::FromRow)]
struct LastScheduled {
    finished: Option<i64>,
    failed: Option<i64>,
}

#[derive(sqlx::FromRow)]
struct FailedRun {
    obstacle: Option<String>,
}

/// The obstacle of an earlier run.
#[derive(Debug, Default, sqlx::FromRow)]
pub struct LastObstacle {
    obstacle: Option<String>,
    error: Option<String>,
}

impl LastObstacle {
    /// Whether it is the same obstacle. For a missing permission the reason must be equal; a provider's error messages
    /// differ each time.
    #[must_use]
    pub fn is(&self, obstacle: Obstacle, reason: &str) -> bool {
        self.obstacle.as_deref() == Some(obstacle.as_str())
            && (obstacle != Obstacle::MissingPermission || self.error.as_deref() == Some(reason))
    }
}

#[derive(sqlx::FromRow)]
struct At {
    at_ms: Option<i64>,
}

/// Starts a run: takes its lease and inserts its row. Returns `false` if another process holds the lease of the
/// scheduled run.
///
/// # Errors
/// When the database fails.
pub async fn start(tx: &mut Tx, run: &NewRun) -> Result<bool, StoreError> {
    if !leases::take(tx, run.lease(), &run.id, run.lease_ms).await? {
        return Ok(false);
    }
    let values =
        args![id = run.id.as_str(), cause = run.cause.as_str(), dry_run = run.dry_run, since_ms = run.since_ms];
    tx.execute(&INSERT, &values).await?;
    tx.execute(&FORGET_RUNS, &args![kept = KEPT_RUNS]).await?;
    tx.execute(&FORGET_LEASES, &[]).await?;
    Ok(true)
}

/// Starts the scheduled run if it is due: the last finished run started at least `interval_ms` ago, and the last failed
/// one long enough ago: `pause_ms`, doubled for each further failure, at most the interval; the whole interval if its
/// obstacle does not go away by itself. Runs under the lease, so that two processes cannot both find it due.
///
/// # Errors
/// When the database fails.
pub async fn start_if_due(tx: &mut Tx, run: &NewRun, interval_ms: i64, pause_ms: i64) -> Result<bool, StoreError> {
    if !start(tx, run).await? {
        return Ok(false);
    }
    let now_ms = leases::database_now_ms(tx).await?;
    let last = tx.fetch_optional::<LastScheduled>(&LAST_SCHEDULED, &[]).await?;
    let last = last.unwrap_or(LastScheduled { finished: None, failed: None });
    let failures: Vec<FailedRun> =
        tx.fetch_all(&FAILED_SINCE, &args![since_ms = last.finished.unwrap_or(i64::MIN)]).await?;
    let pause_ms = pause_after(&failures, interval_ms, pause_ms);
    let is_over = |began_ms: Option<i64>, length_ms| {
        // A start in the future was written with a wrong clock.
        began_ms.is_none_or(|began_ms| now_ms.saturating_sub(began_ms) >= length_ms || began_ms > now_ms)
    };
    if is_over(last.finished, interval_ms) && is_over(last.failed, pause_ms) {
        return Ok(true);
    }
    // The error rolls the transaction back.
    Err(StoreError::Stale)
}

fn pause_after(failures: &[FailedRun], interval_ms: i64, pause_ms: i64) -> i64 {
    if failures.first().is_some_and(|latest| !Obstacle::is_temporary(latest.obstacle.as_deref())) {
        return interval_ms;
    }
    let doublings = u32::try_from(failures.len().saturating_sub(1)).unwrap_or(u32::MAX);
    pause_ms.saturating_mul(2_i64.saturating_pow(doublings)).min(interval_ms)
}

/// Starts the scheduled run if no run started in the last `quiet_ms`, whatever its result. For the start of a service
/// after an outage.
///
/// # Errors
/// When the database fails.
pub async fn start_after_outage(tx: &mut Tx, run: &NewRun, quiet_ms: i64) -> Result<bool, StoreError> {
    if !start(tx, run).await? {
        return Ok(false);
    }
    let now_ms = leases::database_now_ms(tx).await?;
    let last = tx.fetch_optional::<LastScheduled>(&LAST_RUN, &args![id = run.id.as_str()]).await?;
    let is_quiet =
        last.and_then(|last| last.finished).is_none_or(|began_ms| now_ms.saturating_sub(began_ms) >= quiet_ms);
    if is_quiet { Ok(true) } else { Err(StoreError::Stale) }
}

/// Ends a run and releases its lease. Returns `false` if another process has taken the lease over: then the run's row
/// is not changed.
///
/// # Errors
/// When the database fails.
pub async fn finish(tx: &mut Tx, run: &NewRun, ending: &Ending) -> Result<bool, StoreError> {
    if !leases::release(tx, run.lease(), &run.id).await? {
        return Ok(false);
    }
    let state = if ending.error.is_some() { "failed" } else { "finished" };
    let values = args![
        id = run.id.as_str(),
        state,
        left_over = ending.left_over,
        report = ending.report.as_deref(),
        error = ending.error.as_deref(),
        obstacle = ending.obstacle.map(Obstacle::as_str)
    ];
    tx.execute(&FINISH, &values).await.map(|rows| rows == 1)
}

impl Db {
    /// The obstacle of the last run that was not a dry run, other than `besides`; empty if that run was complete.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn last_obstacle(&self, besides: &str) -> Result<LastObstacle, StoreError> {
        Ok(self.read_optional(&LAST_OBSTACLE, &args![besides]).await?.unwrap_or_default())
    }

    /// Whether there are top-ups from before `since_ms` and no event about the newest top-ups since, as after an
    /// outage. In milliseconds since 1970.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn was_quiet_since(&self, since_ms: i64) -> Result<bool, StoreError> {
        if self.read_optional::<At>(&SOLD_BEFORE, &args![since_ms]).await?.is_none() {
            return Ok(false);
        }
        // All top-ups count; the condition only makes the planner use the index.
        let last =
            self.read_optional::<At>(&LAST_DELIVERY, &args![before_ms = i64::MAX]).await?.and_then(|row| row.at_ms);
        Ok(last.is_none_or(|last_ms| last_ms < since_ms))
    }

    /// The latest runs, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reconciliations(&self, limit: i64) -> Result<Vec<Run>, StoreError> {
        self.read_all(&LIST, &args![limit]).await
    }

    /// Finds a run by its id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reconciliation(&self, id: &str) -> Result<Option<Run>, StoreError> {
        self.read_optional(&FIND, &args![id]).await
    }
}
