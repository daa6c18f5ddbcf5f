//! Deliveries that had no effect, for the person who looks after the service.

use super::backend::{Db, Tx};
use super::{StoreError, statements};

/// Whether a delivery can ever have an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// It contradicts what was agreed; trying again changes nothing.
    Permanent,
    /// Something of ours failed; Stripe will deliver it again.
    Transient,
}

impl FailureKind {
    /// The word used in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Permanent => "permanent",
            Self::Transient => "transient",
        }
    }
}

/// A delivery that had no effect.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct FailedEvent {
    /// Stripe's id of the event.
    pub event_id: String,
    /// Its type.
    #[sqlx(rename = "type")]
    pub event_type: String,
    /// `permanent` or `transient`.
    pub kind: String,
    /// What went wrong the last time.
    pub error: String,
    /// How often.
    pub attempts: i64,
    /// When it failed first, in milliseconds since 1970.
    pub first_failed_at: i64,
    /// When it failed last, in milliseconds since 1970.
    pub last_failed_at: i64,
    /// When it succeeded after all, in milliseconds since 1970.
    pub resolved_at: Option<i64>,
}

/// A delivery that had no effect, about to be written down.
#[derive(Debug, Clone)]
pub struct FailureRecord {
    /// Stripe's id of the event.
    pub event_id: String,
    /// Its type.
    pub event_type: String,
    /// Whether it can ever have an effect.
    pub kind: FailureKind,
    /// What went wrong.
    pub error: String,
    /// The delivery's body. It holds personal data, and is erased after a while.
    pub payload: String,
    /// The time, in milliseconds since 1970.
    pub now_ms: i64,
}

#[derive(sqlx::FromRow)]
struct Open {}

statements! {
    /// What cannot succeed stays so. A new failure of what had succeeded is no failure: it is a repetition.
    RECORD = "INSERT INTO failed_webhook_events \
        (event_id, type, kind, error, attempts, first_failed_at, last_failed_at, payload) \
        VALUES ($1, $2, $3, $4, 1, $5, $5, $6) \
        ON CONFLICT (event_id) DO UPDATE SET error = excluded.error, payload = excluded.payload, \
        kind = CASE WHEN failed_webhook_events.kind = 'permanent' THEN 'permanent' ELSE excluded.kind END, \
        attempts = failed_webhook_events.attempts + 1, last_failed_at = excluded.last_failed_at";
    RESOLVE = "UPDATE failed_webhook_events SET resolved_at = $2 WHERE event_id = $1 AND resolved_at IS NULL";
    OPEN = "SELECT event_id FROM failed_webhook_events WHERE event_id = $1 AND resolved_at IS NULL";
    LIST = "SELECT event_id, type, kind, error, attempts, first_failed_at, last_failed_at, resolved_at \
        FROM failed_webhook_events ORDER BY last_failed_at DESC LIMIT $1";
}

/// The longest text that is kept of a failure, in characters: it may quote what came with the delivery.
const MAX_TEXT_CHARACTERS: usize = 1_000;

/// A text that every database takes: PostgreSQL refuses a zero byte, and a record that cannot be written would make
/// Stripe try for ever.
fn storable(text: &str) -> String {
    text.chars()
        .map(|character| if character == '\0' { '\u{FFFD}' } else { character })
        .take(MAX_TEXT_CHARACTERS)
        .collect()
}

/// Records that a delivery had no effect. Long texts are cut, the payload is not: it is needed whole or not at all.
///
/// # Errors
/// When the database fails.
pub async fn record(tx: &mut Tx, record: &FailureRecord) -> Result<(), StoreError> {
    let (event, event_type, error) =
        (storable(&record.event_id), storable(&record.event_type), storable(&record.error));
    let payload = record.payload.replace('\0', "\u{FFFD}");
    let values = [
        event.as_str().into(),
        event_type.as_str().into(),
        record.kind.as_str().into(),
        error.as_str().into(),
        record.now_ms.into(),
        payload.as_str().into(),
    ];
    tx.execute(&RECORD, &values).await.map(drop)
}

/// Notes that an event that had failed is decided now.
///
/// # Errors
/// When the database fails.
pub async fn resolve(tx: &mut Tx, event: &str, now_ms: i64) -> Result<(), StoreError> {
    tx.execute(&RESOLVE, &[event.into(), now_ms.into()]).await.map(drop)
}

impl Db {
    /// The latest failed deliveries.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn failed_events(&self, limit: i64) -> Result<Vec<FailedEvent>, StoreError> {
        self.read_all(&LIST, &[limit.into()]).await
    }

    /// Whether a delivery of this event had failed and was not put right.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_open_failure(&self, event: &str) -> Result<bool, StoreError> {
        Ok(self.read_optional::<Open>(&OPEN, &[event.into()]).await?.is_some())
    }
}
