//! Queues new messages for the endpoints that want them.
//!
//! A message whose body cannot be made holds up no other: it is marked, logged as an error and counted, and
//! `topup endpoints resend` tries it again.

use crate::app::App;
use crate::db::{Db, StoreError, Tx, Write, args, statements};
use crate::measure;
use crate::outbox::endpoints;
use crate::outbox::payload::{RawMessage, UNREADABLE, render};
use crate::outbox::queues;
use crate::outbox::switch;
use crate::ports::Clock;

/// How many messages are queued in one transaction.
const PAGE: i64 = 100;

statements! {
    /// `payload IS NULL` is the condition of the partial index.
    NEW = "SELECT number, id, type, account_id, cause, facts, created_at FROM messages WHERE payload IS NULL \
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

/// What became of the oldest new messages.
struct Queued {
    /// How many there were.
    count: usize,
    /// The ids of those whose body cannot be made, and why.
    unreadable: Vec<(String, String)>,
}

/// Queues the oldest new messages.
struct FanOut {
    now_ms: i64,
}

impl Write for FanOut {
    type Output = Queued;

    async fn run(&self, tx: &mut Tx) -> Result<Queued, StoreError> {
        // An endpoint that is deleted meanwhile would keep what is queued for it.
        switch::lock(tx).await?;
        let new: Vec<RawMessage> = tx.fetch_all(&NEW, &args![limit = PAGE]).await?;
        let endpoints = endpoints::list(tx).await?;
        let mut unreadable = Vec::new();
        for message in &new {
            let payload = match render(tx, message).await {
                Ok(payload) => payload,
                // Statements have not failed, so the transaction can go on.
                Err(StoreError::Corrupt(reason)) => {
                    unreadable.push((message.id.clone(), reason));
                    UNREADABLE.to_owned()
                }
                Err(error) => return Err(error),
            };
            let values = args![payload = payload.as_str(), number = message.number];
            if tx.execute(&SET_PAYLOAD, &values).await? != 1 || payload == UNREADABLE {
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
        Ok(Queued { count: new.len(), unreadable })
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
    fan_out_with(&app.db, app.clock.as_ref()).await
}

/// The same beside a running service.
pub(crate) async fn fan_out_with(db: &Db, clock: &dyn Clock) -> Result<usize, StoreError> {
    let mut queued = 0_usize;
    while db.has_new_messages().await? {
        let Queued { count, unreadable } = db.write(FanOut { now_ms: clock.now_ms() }).await?;
        for (message, reason) in unreadable {
            measure::unreadable_message();
            let way_out = "run `topup audit`; once the cause is mended, `topup endpoints resend` sends the message";
            tracing::error!(message, reason, way_out, "a message cannot be made and was left out");
        }
        if count == 0 {
            break;
        }
        queued = queued.saturating_add(count);
    }
    Ok(queued)
}
