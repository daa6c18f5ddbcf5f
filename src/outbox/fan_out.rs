//! Queues new messages for the endpoints that want them.

use crate::app::App;
use crate::db::{Db, StoreError, Tx, Write, args, statements};
use crate::outbox::endpoints;
use crate::outbox::payload::{RawMessage, render};
use crate::outbox::queues;
use crate::outbox::switch;

/// How many messages are queued in one transaction.
const PAGE: i64 = 100;

statements! {
    /// `payload IS NULL` is the condition of the partial index.
    NEW = "SELECT number, type, account_id, cause, facts, created_at FROM messages WHERE payload IS NULL \
        ORDER BY number LIMIT :limit";
    ANY_NEW = "SELECT number FROM messages WHERE payload IS NULL ORDER BY number LIMIT 1";
    /// Another process may have queued it meanwhile. Appending text keeps planners from using the index of new
    /// messages.
    SET_PAYLOAD = "UPDATE messages SET payload = :payload WHERE number = :number AND payload || '' IS NULL";
}

#[derive(sqlx::FromRow)]
struct NumberRow {
    #[expect(dead_code, reason = "whether there is a row is all that matters")]
    number: i64,
}

/// Queues the oldest new messages. Returns their number.
struct FanOut {
    now_ms: i64,
}

impl Write for FanOut {
    type Output = usize;

    async fn run(&self, tx: &mut Tx) -> Result<usize, StoreError> {
        // An endpoint that is deleted meanwhile would keep what is queued for it.
        switch::lock(tx).await?;
        let new: Vec<RawMessage> = tx.fetch_all(&NEW, &args![limit = PAGE]).await?;
        let endpoints = endpoints::list(tx).await?;
        for message in &new {
            let payload = render(tx, message).await?;
            if tx.execute(&SET_PAYLOAD, &args![payload = payload.as_str(), number = message.number]).await? != 1 {
                continue;
            }
            for endpoint in endpoints.iter().filter(|endpoint| endpoint.is_active() && endpoint.wants(&message.r#type))
            {
                // An endpoint is not told that it was disabled.
                if endpoint.id != message.cause {
                    queues::queue(tx, &endpoint.id, message.number, &message.account_id, self.now_ms).await?;
                }
            }
        }
        Ok(new.len())
    }
}

impl Db {
    /// Whether a message waits to be queued.
    async fn has_new_messages(&self) -> Result<bool, StoreError> {
        Ok(self.read_optional::<NumberRow>(&ANY_NEW, &[]).await?.is_some())
    }
}

/// Queues all new messages for the endpoints that want them. Returns their number.
///
/// # Errors
/// When the database fails.
pub async fn fan_out(app: &App) -> Result<usize, StoreError> {
    let mut queued = 0_usize;
    while app.db.has_new_messages().await? {
        let count = app.db.write(FanOut { now_ms: app.clock.now_ms() }).await?;
        if count == 0 {
            break;
        }
        queued = queued.saturating_add(count);
    }
    Ok(queued)
}
