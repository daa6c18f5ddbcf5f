//! The runs that compare these books with Stripe's: when, why and with what result.
//!
//! A run that is `running` has a lease; one without was interrupted. Nothing waits for it: the next run begins anew.

use crate::db::leases;
use crate::db::{Db, Tx, args};
use crate::db::{StoreError, statements};

/// The lease of the scheduled run: one at a time over all processes.
pub const SCHEDULE_LEASE: &str = "reconciliation";
/// How many runs are kept to be looked at.
const KEPT_RUNS: i64 = 1_000;

/// Who started a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunCause {
    /// A person, by the command.
    Command,
    /// The service, because it was time.
    Schedule,
}

impl RunCause {
    /// The word used in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::Schedule => "schedule",
        }
    }
}

/// Why a run is not whole. The words are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle {
    /// The key may not read something: it stays so until somebody changes the key.
    MissingPermission,
    /// A list is longer than is read: it stays so until less is compared.
    TooMany,
    /// The provider failed or could not be reached: it may go well next time.
    ProviderFailed,
}

impl Obstacle {
    /// The word used in the database and by the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MissingPermission => "missing_permission",
            Self::TooMany => "too_many",
            Self::ProviderFailed => "provider_failed",
        }
    }

    /// Whether it goes away by itself.
    fn is_temporary(word: Option<&str>) -> bool {
        ![Self::MissingPermission, Self::TooMany].iter().any(|lasting| Some(lasting.as_str()) == word)
    }
}

/// A run as it is written down.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Run {
    /// Its id.
    pub id: String,
    /// `command` or `schedule`.
    pub cause: String,
    /// 1 if it only looked.
    pub dry_run: i64,
    /// From when on it compared, in milliseconds since 1970.
    pub since: i64,
    /// `running`, `finished`, `failed`; `interrupted` if it says that it is running and nobody holds its lease.
    pub state: String,
    /// How many differences it left.
    pub left_over: Option<i64>,
    /// What it found, as JSON.
    pub report: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
    /// The same as a word, when it is not whole: see [`Obstacle`].
    pub obstacle: Option<String>,
    /// When it began, in milliseconds since 1970, by the database's clock.
    pub started_at: i64,
    /// When it ended.
    pub finished_at: Option<i64>,
}

/// A run about to begin.
#[derive(Debug, Clone)]
pub struct NewRun {
    /// Its id.
    pub id: String,
    /// Who started it.
    pub cause: RunCause,
    /// Whether it only looks.
    pub dry_run: bool,
    /// From when on it compares, in milliseconds since 1970.
    pub since_ms: i64,
    /// How long its lease lasts without being renewed.
    pub lease_ms: i64,
}

impl NewRun {
    /// The lease that says that it is alive. The scheduled one is the same for all, so that there is one at a time; a
    /// command's is its own, so that a command that died blocks no other.
    #[must_use]
    pub fn lease(&self) -> &str {
        match self.cause {
            RunCause::Schedule => SCHEDULE_LEASE,
            RunCause::Command => &self.id,
        }
    }
}

/// How a run ended.
#[derive(Debug, Clone)]
pub struct Ending {
    /// How many differences it left; none if it failed before it knew.
    pub left_over: Option<i64>,
    /// What it found, as JSON.
    pub report: Option<String>,
    /// Why it failed, if it did.
    pub error: Option<String>,
    /// What kind of reason that is, if it is known.
    pub obstacle: Option<Obstacle>,
}

statements! {
    INSERT = "INSERT INTO reconciliations (id, cause, dry_run, since, state, started_at) \
        VALUES (:id, :cause, :dry_run, :since_ms, 'running', (SELECT now_ms FROM database_clock))";
    FINISH = "UPDATE reconciliations SET state = :state, left_over = :left_over, report = :report, error = :error, obstacle = :obstacle, \
        finished_at = (SELECT now_ms FROM database_clock) WHERE id = :id AND state = 'running'";
    LIST = "SELECT r.id, r.cause, r.dry_run, r.since, CASE WHEN r.state = 'running' AND NOT EXISTS \
        (SELECT 1 FROM leases l WHERE l.holder = r.id AND l.lease_until > (SELECT now_ms FROM database_clock)) \
        THEN 'interrupted' ELSE r.state END AS state, r.left_over, r.report, r.error, r.obstacle, r.started_at, r.finished_at \
        FROM reconciliations r ORDER BY r.started_at DESC, r.id DESC LIMIT :limit";
    FIND = "SELECT r.id, r.cause, r.dry_run, r.since, CASE WHEN r.state = 'running' AND NOT EXISTS \
        (SELECT 1 FROM leases l WHERE l.holder = r.id AND l.lease_until > (SELECT now_ms FROM database_clock)) \
        THEN 'interrupted' ELSE r.state END AS state, r.left_over, r.report, r.error, r.obstacle, r.started_at, r.finished_at \
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
    /// By the newest purchases, each by its index: the table of events is never read from end to end.
    LAST_DELIVERY = "SELECT MAX(latest) AS at_ms FROM (SELECT (SELECT MAX(e.received_at) FROM webhook_events e \
        WHERE e.topup_id = t.id) AS latest FROM (SELECT id FROM topups WHERE created_at <= :before_ms \
        ORDER BY created_at DESC, id DESC LIMIT 100) t) d";
    FORGET_RUNS = "DELETE FROM reconciliations WHERE id IN \
        (SELECT id FROM reconciliations ORDER BY started_at DESC, id DESC LIMIT 100 OFFSET :kept)";
    /// A command that died has left its lease behind.
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

/// What stood in the way of an earlier run.
#[derive(Debug, Default, sqlx::FromRow)]
pub struct LastObstacle {
    obstacle: Option<String>,
    error: Option<String>,
}

impl LastObstacle {
    /// Whether it is this one. Of a permission that is missing it is the same one; what a provider says of its failures
    /// differs each time.
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

/// Begins a run: its row and its lease. `false` when another process has the lease of the scheduled run.
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

/// Begins the scheduled run if it is due: if the last one that finished began at least `interval_ms` ago, and the last one
/// that failed long enough ago: `pause_ms`, twice as long after each further failure, at most the interval; the whole
/// interval if its obstacle does not go away by itself. Under the lease, so that two processes do not both find it due.
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
        // One that began in the future did so by a clock that was wrong.
        began_ms.is_none_or(|began_ms| now_ms.saturating_sub(began_ms) >= length_ms || began_ms > now_ms)
    };
    if is_over(last.finished, interval_ms) && is_over(last.failed, pause_ms) {
        return Ok(true);
    }
    // Nothing of this write shall be there.
    Err(StoreError::Stale)
}

fn pause_after(failures: &[FailedRun], interval_ms: i64, pause_ms: i64) -> i64 {
    if failures.first().is_some_and(|latest| !Obstacle::is_temporary(latest.obstacle.as_deref())) {
        return interval_ms;
    }
    let doublings = u32::try_from(failures.len().saturating_sub(1)).unwrap_or(u32::MAX);
    pause_ms.saturating_mul(2_i64.saturating_pow(doublings)).min(interval_ms)
}

/// Begins the scheduled run if nothing was compared in the last `quiet_ms`, whatever became of it: the start of a service
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

/// Ends a run and gives its lease back. `false` when somebody took the lease over: then its result is not the latest
/// word, and the run stays as it was.
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
    /// What stood in the way of the last run that wrote, besides this one; nothing if it was whole.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn last_obstacle(&self, besides: &str) -> Result<LastObstacle, StoreError> {
        Ok(self.read_optional(&LAST_OBSTACLE, &args![besides]).await?.unwrap_or_default())
    }

    /// Whether something was sold before a time, and no delivery about the newest purchases came since: as after an
    /// outage. Times are in milliseconds since 1970.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn was_quiet_since(&self, since_ms: i64) -> Result<bool, StoreError> {
        if self.read_optional::<At>(&SOLD_BEFORE, &args![since_ms]).await?.is_none() {
            return Ok(false);
        }
        // Whatever their time: the condition says where the index is entered.
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

    /// A run by its id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reconciliation(&self, id: &str) -> Result<Option<Run>, StoreError> {
        self.read_optional(&FIND, &args![id]).await
    }
}
