//! The last event that was applied.

use crate::db::{Db, StoreError, args, statements};

statements! {
    /// Of the newest top-ups, each through the index: the table of events is never scanned. All top-ups count; the
    /// condition only makes the planner use the index.
    LAST_EVENT = "SELECT e.provider_event_id, e.type, e.received_at \
        FROM (SELECT id FROM topups WHERE created_at <= :before_ms ORDER BY created_at DESC, id DESC LIMIT 100) t \
        JOIN webhook_events e ON e.topup_id = t.id \
        ORDER BY e.received_at DESC, e.provider_event_id LIMIT 1";
}

/// An event that was applied.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct LastEvent {
    /// The provider's event id.
    pub provider_event_id: String,
    /// The event's type.
    #[sqlx(rename = "type")]
    pub event_type: String,
    /// When it was applied, in milliseconds since 1970.
    pub received_at: i64,
}

impl Db {
    /// The last event that was applied to one of the newest top-ups; `None` if there is none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn last_event(&self) -> Result<Option<LastEvent>, StoreError> {
        self.read_optional(&LAST_EVENT, &args![before_ms = i64::MAX]).await
    }
}
