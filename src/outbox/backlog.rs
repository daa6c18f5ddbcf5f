//! How much waits to be delivered, and for how long.

use crate::db::{Db, StoreError, args, statements};
use crate::outbox::endpoints::Endpoint;

statements! {
    /// `payload IS NULL` is the condition of the partial index.
    NEW = "SELECT COUNT(*) AS messages, MIN(created_at) AS since FROM messages WHERE payload IS NULL";
    /// `next_at` below its largest value is the condition of the partial index.
    WAITING = "SELECT CAST(COALESCE(SUM(waiting), 0) AS BIGINT) AS messages FROM delivery_queues \
        WHERE endpoint_id = :endpoint AND next_at < 9223372036854775807";
    OLDEST = "SELECT m.created_at FROM deliveries d JOIN messages m ON m.number = d.message_number \
        WHERE d.endpoint_id = :endpoint AND d.state = 'waiting' ORDER BY d.message_number LIMIT 1";
}

#[derive(sqlx::FromRow)]
struct NewRow {
    messages: i64,
    since: Option<i64>,
}

#[derive(sqlx::FromRow)]
struct WaitingRow {
    messages: i64,
}

#[derive(sqlx::FromRow)]
struct OldestRow {
    created_at: i64,
}

/// What active endpoints have not got yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backlog {
    /// How many messages, counted for each endpoint; new ones once.
    pub messages: i64,
    /// When the oldest was written, in milliseconds since 1970; `None` if there is none.
    pub since_ms: Option<i64>,
}

impl Db {
    /// What active endpoints have not got yet. Reads a few rows for each endpoint.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn backlog(&self) -> Result<Backlog, StoreError> {
        let new: Option<NewRow> = self.read_optional(&NEW, &[]).await?;
        let mut backlog = new.map_or(Backlog { messages: 0, since_ms: None }, |new| Backlog {
            messages: new.messages,
            since_ms: new.since,
        });
        for endpoint in self.endpoints().await?.into_iter().filter(Endpoint::is_active) {
            let of_endpoint = args![endpoint = endpoint.id.as_str()];
            let waiting: Option<WaitingRow> = self.read_optional(&WAITING, &of_endpoint).await?;
            backlog.messages = backlog.messages.saturating_add(waiting.map_or(0, |row| row.messages));
            let oldest: Option<OldestRow> = self.read_optional(&OLDEST, &of_endpoint).await?;
            let oldest = oldest.map(|row| row.created_at);
            backlog.since_ms = backlog.since_ms.into_iter().chain(oldest).min();
        }
        Ok(backlog)
    }
}
