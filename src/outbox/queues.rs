//! Queues: the deliveries of one account to one endpoint.
//!
//! Invariants: a queue counts its waiting deliveries, and has a time for its next attempt exactly while there are some.
//! Only the process that holds its lease sends from it; the database's clock decides about leases.

use crate::db::{Db, StoreError, Tx, args, statements};
use crate::domain::burn::NEVER_MS;

/// For how long a queue is leased; longer than an attempt takes.
pub(crate) const LEASE_MS: i64 = 30_000;

statements! {
    QUEUE = "INSERT INTO deliveries (endpoint_id, message_number, account_id, state, attempts, failures, created_at) \
        VALUES (:endpoint, :number, :account, 'waiting', 0, 0, :now_ms) \
        ON CONFLICT (endpoint_id, message_number) DO UPDATE SET state = 'waiting', failures = 0 \
        WHERE deliveries.state <> 'waiting'";
    COUNT_IN = "INSERT INTO delivery_queues (endpoint_id, account_id, waiting, next_at, lease_until) \
        VALUES (:endpoint, :account, 1, :now_ms, 0) ON CONFLICT (endpoint_id, account_id) DO UPDATE SET \
        waiting = delivery_queues.waiting + 1, next_at = CASE WHEN delivery_queues.waiting = 0 THEN excluded.next_at \
        ELSE delivery_queues.next_at END";
    HURRY = "UPDATE delivery_queues SET next_at = :now_ms \
        WHERE endpoint_id = :endpoint AND account_id = :account AND waiting > 0";
    HURRY_ALL = "UPDATE delivery_queues SET next_at = :now_ms WHERE endpoint_id = :endpoint \
        AND next_at > :now_ms AND next_at < 9223372036854775807";
    DUE = "SELECT account_id FROM delivery_queues WHERE endpoint_id = :endpoint AND next_at <= :now_ms \
        AND next_at < 9223372036854775807 AND lease_until <= (SELECT now_ms FROM database_clock) \
        ORDER BY next_at LIMIT :limit";
    /// A lease that ends later than any lease could was written before the database's clock was set back.
    TAKE = "UPDATE delivery_queues SET lease_holder = :holder, \
        lease_until = (SELECT now_ms FROM database_clock) + :length_ms \
        WHERE endpoint_id = :endpoint AND account_id = :account AND next_at <= :now_ms \
        AND (lease_until <= (SELECT now_ms FROM database_clock) \
        OR lease_until > (SELECT now_ms FROM database_clock) + 2 * CAST(:length_ms AS BIGINT))";
    RENEW = "UPDATE delivery_queues SET lease_until = (SELECT now_ms FROM database_clock) + :length_ms \
        WHERE endpoint_id = :endpoint AND account_id = :account AND lease_holder = :holder \
        AND lease_until > (SELECT now_ms FROM database_clock)";
    GIVE_UP = "UPDATE delivery_queues SET lease_holder = NULL, lease_until = 0 \
        WHERE endpoint_id = :endpoint AND account_id = :account AND lease_holder = :holder";
    HEAD = "SELECT d.message_number AS number, d.failures, m.id, m.payload FROM deliveries d \
        JOIN messages m ON m.number = d.message_number \
        WHERE d.endpoint_id = :endpoint AND d.account_id = :account AND d.state = 'waiting' \
        ORDER BY d.message_number LIMIT 1";
    /// Appending text keeps planners from using the index of waiting deliveries.
    RECORD = "UPDATE deliveries SET state = :state, attempts = attempts + 1, failures = :failures, \
        last_status = :status, last_error = :error, last_attempt_at = :now_ms \
        WHERE endpoint_id = :endpoint AND message_number = :number AND state || '' = 'waiting' RETURNING attempts";
    KEEP_ATTEMPT = "INSERT INTO delivery_attempts (endpoint_id, message_number, attempt, status, error, milliseconds, \
        attempted_at) VALUES (:endpoint, :number, :attempt, :status, :error, :milliseconds, :now_ms)";
    COUNT_OUT = "UPDATE delivery_queues SET waiting = waiting - 1, \
        next_at = CASE WHEN waiting = 1 THEN 9223372036854775807 ELSE :now_ms END \
        WHERE endpoint_id = :endpoint AND account_id = :account";
    POSTPONE = "UPDATE delivery_queues SET next_at = :next_at WHERE endpoint_id = :endpoint AND account_id = :account";
    END_DELIVERIES = "UPDATE deliveries SET state = 'failed', last_error = 'the endpoint was deleted' \
        WHERE endpoint_id = :endpoint AND state = 'waiting'";
    END_QUEUES = "DELETE FROM delivery_queues WHERE endpoint_id = :endpoint";
}

/// The delivery that is next in a queue.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct Head {
    pub(crate) number: i64,
    pub(crate) failures: i64,
    pub(crate) id: String,
    pub(crate) payload: Option<String>,
}

#[derive(sqlx::FromRow)]
struct QueueRow {
    account_id: String,
}

#[derive(sqlx::FromRow)]
struct AttemptsRow {
    attempts: i64,
}

/// An attempt that was made, and what becomes of the delivery.
pub(crate) struct Record<'r> {
    pub(crate) endpoint: &'r str,
    pub(crate) account: &'r str,
    pub(crate) number: i64,
    pub(crate) state: DeliveryState,
    pub(crate) failures: i64,
    pub(crate) status: Option<i64>,
    pub(crate) error: Option<&'r str>,
    pub(crate) milliseconds: i64,
    /// When the next attempt is due, if it waits on.
    pub(crate) next_at_ms: i64,
    pub(crate) now_ms: i64,
}

/// The state of a delivery. The names are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryState {
    /// It was not delivered yet.
    Waiting,
    /// The receiver has it.
    Done,
    /// It is not tried any more.
    Failed,
}

impl DeliveryState {
    /// All states.
    pub const ALL: [Self; 3] = [Self::Waiting, Self::Done, Self::Failed];

    /// The name used in the database and in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }

    /// Parses that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// Queues a message for an endpoint, or once more. One that waits already is tried now; `false` then.
pub(crate) async fn queue(
    tx: &mut Tx,
    endpoint: &str,
    number: i64,
    account: &str,
    now_ms: i64,
) -> Result<bool, StoreError> {
    let is_new = tx.execute(&QUEUE, &args![endpoint, number, account, now_ms]).await? == 1;
    let statement = if is_new { &COUNT_IN } else { &HURRY };
    tx.execute(statement, &args![endpoint, account, now_ms]).await?;
    Ok(is_new)
}

/// Makes all waiting deliveries of an endpoint due.
pub(crate) async fn hurry_all(tx: &mut Tx, endpoint: &str, now_ms: i64) -> Result<(), StoreError> {
    tx.execute(&HURRY_ALL, &args![endpoint, now_ms]).await.map(drop)
}

/// Takes the lease of a queue that is due. `false` if another process has it, or nothing is due any more.
pub(crate) async fn take(
    tx: &mut Tx,
    (endpoint, account): (&str, &str),
    holder: &str,
    now_ms: i64,
) -> Result<bool, StoreError> {
    Ok(tx.execute(&TAKE, &args![endpoint, account, holder, now_ms, length_ms = LEASE_MS]).await? == 1)
}

/// Extends the lease. `false` if it has ended.
pub(crate) async fn renew(tx: &mut Tx, (endpoint, account): (&str, &str), holder: &str) -> Result<bool, StoreError> {
    Ok(tx.execute(&RENEW, &args![endpoint, account, holder, length_ms = LEASE_MS]).await? == 1)
}

/// Gives up the lease.
pub(crate) async fn give_up(tx: &mut Tx, (endpoint, account): (&str, &str), holder: &str) -> Result<(), StoreError> {
    tx.execute(&GIVE_UP, &args![endpoint, account, holder]).await.map(drop)
}

/// The delivery that is next.
pub(crate) async fn head(tx: &mut Tx, (endpoint, account): (&str, &str)) -> Result<Option<Head>, StoreError> {
    tx.fetch_optional(&HEAD, &args![endpoint, account]).await
}

/// Records an attempt. One of a delivery that does not wait any more changes nothing.
pub(crate) async fn record(tx: &mut Tx, record: &Record<'_>) -> Result<bool, StoreError> {
    let (endpoint, account, number, now_ms) = (record.endpoint, record.account, record.number, record.now_ms);
    let values = args![
        endpoint,
        number,
        state = record.state.as_str(),
        failures = record.failures,
        status = record.status,
        error = record.error,
        now_ms
    ];
    let Some(row) = tx.fetch_optional::<AttemptsRow>(&RECORD, &values).await? else { return Ok(false) };
    if record.state == DeliveryState::Waiting {
        let values = args![endpoint, account, next_at = record.next_at_ms.min(NEVER_MS.saturating_sub(1))];
        tx.execute(&POSTPONE, &values).await?;
    } else {
        tx.execute(&COUNT_OUT, &args![endpoint, account, now_ms]).await?;
    }
    let values = args![
        endpoint,
        number,
        attempt = row.attempts,
        status = record.status,
        error = record.error,
        milliseconds = record.milliseconds,
        now_ms
    ];
    tx.execute(&KEEP_ATTEMPT, &values).await?;
    Ok(true)
}

/// Ends everything that waits for an endpoint.
pub(crate) async fn end_all(tx: &mut Tx, endpoint: &str) -> Result<(), StoreError> {
    tx.execute(&END_DELIVERIES, &args![endpoint]).await?;
    tx.execute(&END_QUEUES, &args![endpoint]).await.map(drop)
}

impl Db {
    /// The accounts whose queues for an endpoint are due, and that no process works on; those first that wait longest.
    pub(crate) async fn due_queues(&self, endpoint: &str, now_ms: i64, limit: i64) -> Result<Vec<String>, StoreError> {
        let rows: Vec<QueueRow> = self.read_all(&DUE, &args![endpoint, now_ms, limit]).await?;
        Ok(rows.into_iter().map(|row| row.account_id).collect())
    }
}
