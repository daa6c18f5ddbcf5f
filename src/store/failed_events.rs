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
    /// `permanent` or `transient`.
    pub kind: String,
    /// What went wrong.
    pub error: String,
    /// How often.
    pub attempts: i64,
}

statements! {
    RECORD = "INSERT INTO failed_webhook_events \
        (event_id, type, kind, error, attempts, first_failed_at, last_failed_at) VALUES ($1, $2, $3, $4, 1, $5, $5) \
        ON CONFLICT (event_id) DO UPDATE SET kind = excluded.kind, error = excluded.error, \
        attempts = failed_webhook_events.attempts + 1, last_failed_at = excluded.last_failed_at";
    LIST = "SELECT event_id, kind, error, attempts FROM failed_webhook_events ORDER BY last_failed_at DESC LIMIT $1";
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

/// Records that a delivery had no effect. Long texts are cut.
///
/// # Errors
/// When the database fails.
pub async fn record(
    tx: &mut Tx,
    event: &str,
    event_type: &str,
    kind: FailureKind,
    error: &str,
    now_ms: i64,
) -> Result<(), StoreError> {
    let (event, event_type, error) = (storable(event), storable(event_type), storable(error));
    let values =
        [event.as_str().into(), event_type.as_str().into(), kind.as_str().into(), error.as_str().into(), now_ms.into()];
    tx.execute(&RECORD, &values).await.map(drop)
}

impl Db {
    /// The latest failed deliveries.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn failed_events(&self, limit: i64) -> Result<Vec<FailedEvent>, StoreError> {
        self.read_all(&LIST, &[limit.into()]).await
    }
}
