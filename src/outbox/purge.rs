//! Deletes old messages with their deliveries.

use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::db::{Db, StoreError, Tx, Write, args, statements};
use crate::outbox::switch;

/// How long messages are kept, in milliseconds.
pub const KEPT_MS: i64 = 90 * 24 * 60 * 60 * 1_000;
const PAGE: i64 = 200;

statements! {
    /// How many of its deliveries still wait, for a disabled endpoint: such a message is kept.
    OLD = "SELECT m.number, m.created_at, (SELECT COUNT(*) FROM deliveries d WHERE d.message_number = m.number \
        AND d.state || '' = 'waiting') AS waiting FROM messages m \
        WHERE m.created_at < :before_ms AND m.created_at >= :after_ms \
        AND (m.created_at > :after_ms OR m.number > :after_number) ORDER BY m.created_at, m.number LIMIT :limit";
    DELETE_ATTEMPTS = "DELETE FROM delivery_attempts WHERE message_number = :number";
    /// One that an operator resends meanwhile stays, and so does its message.
    DELETE_DELIVERIES = "DELETE FROM deliveries WHERE message_number = :number AND state || '' <> 'waiting'";
    DELETE_MESSAGE = "DELETE FROM messages WHERE number = :number \
        AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.message_number = :number)";
}

#[derive(Debug, Clone, Copy, sqlx::FromRow)]
struct OldRow {
    number: i64,
    created_at: i64,
    waiting: i64,
}

/// Deletes messages.
struct DeleteMessages {
    numbers: Vec<i64>,
    before_ms: i64,
}

impl Write for DeleteMessages {
    type Output = ();

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        switch::forget_before(tx, self.before_ms).await?;
        for number in &self.numbers {
            for statement in [&DELETE_ATTEMPTS, &DELETE_DELIVERIES, &DELETE_MESSAGE] {
                tx.execute(statement, &args![number = *number]).await?;
            }
        }
        Ok(())
    }
}

impl Db {
    async fn old_messages(&self, before_ms: i64, after: (i64, i64)) -> Result<Vec<OldRow>, StoreError> {
        self.read_all(&OLD, &args![before_ms, after_ms = after.0, after_number = after.1, limit = PAGE]).await
    }
}

/// Deletes the messages that are older than 90 days. Returns their number.
///
/// # Errors
/// When the database fails.
pub async fn purge(app: &App, stop: &CancellationToken) -> Result<usize, StoreError> {
    let before_ms = app.clock.now_ms().saturating_sub(KEPT_MS);
    let (mut after, mut deleted) = ((i64::MIN, i64::MIN), 0_usize);
    while !stop.is_cancelled() {
        let page = app.db.old_messages(before_ms, after).await?;
        let Some(last) = page.last() else { break };
        after = (last.created_at, last.number);
        let numbers: Vec<i64> = page.iter().filter(|row| row.waiting == 0).map(|row| row.number).collect();
        deleted = deleted.saturating_add(numbers.len());
        app.db.write(DeleteMessages { numbers, before_ms }).await?;
    }
    Ok(deleted)
}
