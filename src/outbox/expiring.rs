//! Tells before credits end.

use tokio_util::sync::CancellationToken;

use serde_json::json;

use crate::app::App;
use crate::db::{Db, StoreError, Tx, Write, args, statements};
use crate::domain::timestamp::rfc3339;
use crate::messages::event_type::EventType;
use crate::messages::message::{self, NewMessage};

/// How long before their end credits are told of, in milliseconds.
pub const NOTICE_MS: i64 = 7 * 24 * 60 * 60 * 1_000;
const PAGE: i64 = 200;

statements! {
    /// `is_open = 1 AND expires_at < 9223372036854775807` is the condition of the partial index.
    ENDING = "SELECT g.id, g.expires_at, g.account_id, g.kind, g.remaining, g.topup_id, m.number FROM grants g \
        LEFT JOIN messages m ON m.id = 'msg_credits_expiring_' || replace(g.id, ':', '-') \
        WHERE g.is_open = 1 AND g.expires_at < 9223372036854775807 AND g.expires_at >= :from_ms \
        AND g.expires_at <= :until_ms AND (g.expires_at > :from_ms OR g.id > :after_id) \
        ORDER BY g.expires_at, g.id LIMIT :limit";
}

#[derive(Debug, Clone, sqlx::FromRow)]
struct EndingRow {
    id: String,
    expires_at: i64,
    account_id: String,
    kind: String,
    remaining: i64,
    topup_id: Option<String>,
    /// Its message, if it has one.
    number: Option<i64>,
}

/// Writes the message about credits that end.
struct TellEnding {
    grant: EndingRow,
    now_ms: i64,
}

impl Write for TellEnding {
    type Output = ();

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        let grant = &self.grant;
        let facts = json!({
            "grantId": grant.id,
            "kind": grant.kind,
            "topupId": grant.topup_id,
            "credits": grant.remaining,
            "expiresAt": rfc3339(grant.expires_at),
        });
        let message = NewMessage {
            event: EventType::CreditsExpiring,
            distinction: &grant.id,
            account: &grant.account_id,
            cause: &grant.id,
            facts: Some(facts),
            now_ms: self.now_ms,
        };
        message::write(tx, &message).await
    }
}

impl Db {
    async fn ending(&self, until_ms: i64, after: (i64, &str)) -> Result<Vec<EndingRow>, StoreError> {
        self.read_all(&ENDING, &args![until_ms, from_ms = after.0, after_id = after.1, limit = PAGE]).await
    }
}

/// Tells of credits that end within a week, each grant once. Returns the number of grants that were told of.
///
/// # Errors
/// When the database fails.
pub async fn tell_expiring(app: &App, stop: &CancellationToken) -> Result<usize, StoreError> {
    if !app.db.outbox_switch().await?.is_on() {
        return Ok(0);
    }
    let now_ms = app.clock.now_ms();
    let (mut after, mut told) = ((now_ms, String::new()), 0_usize);
    loop {
        let page = app.db.ending(now_ms.saturating_add(NOTICE_MS), (after.0, &after.1)).await?;
        for grant in page.iter().filter(|grant| grant.number.is_none()) {
            if stop.is_cancelled() {
                return Ok(told);
            }
            app.db.write(TellEnding { grant: grant.clone(), now_ms }).await?;
            told = told.saturating_add(1);
        }
        match page.into_iter().next_back() {
            Some(last) => after = (last.expires_at, last.id),
            None => return Ok(told),
        }
    }
}
