//! Writes messages in the transaction of their cause.
//!
//! A message names its cause. The body is made when it is queued for endpoints, from the rows of the cause, which do
//! not change any more, and from `facts`.

use serde_json::Value;

use crate::db::{StoreError, Tx, args, statements};
use crate::messages::event_type::EventType;

statements! {
    /// The database's own switch decides, so that a message is written exactly while there is an endpoint.
    WRITE = "INSERT INTO messages (id, type, account_id, cause, facts, created_at) \
        SELECT CAST(:id AS TEXT), CAST(:event AS TEXT), CAST(:account AS TEXT), CAST(:cause AS TEXT), \
        CAST(:facts AS TEXT), CAST(:now_ms AS BIGINT) \
        WHERE (SELECT is_on FROM outbox WHERE id = 1) = 1 ON CONFLICT (id) DO NOTHING";
    /// Before the holds are marked as expired.
    HOLDS_EXPIRE = "INSERT INTO messages (id, type, account_id, cause, created_at) \
        SELECT 'msg_hold_expired_' || substr(id, 6), 'hold.expired', account_id, id, CAST(:now_ms AS BIGINT) \
        FROM holds WHERE account_id = :account AND state = 'open' AND expires_at <= :now_ms \
        AND (SELECT is_on FROM outbox WHERE id = 1) = 1 ORDER BY expires_at, id ON CONFLICT (id) DO NOTHING";
}

/// A message to be written.
pub(crate) struct NewMessage<'m> {
    pub(crate) event: EventType,
    /// What distinguishes its cause from others of the type.
    pub(crate) distinction: &'m str,
    /// Empty if it is about no account.
    pub(crate) account: &'m str,
    /// The id of what it is about.
    pub(crate) cause: &'m str,
    /// What the rows of the cause do not tell.
    pub(crate) facts: Option<Value>,
    pub(crate) now_ms: i64,
}

impl NewMessage<'_> {
    /// The id, which follows from the cause. Standard Webhooks wants no dots in it.
    pub(crate) fn id(&self) -> String {
        let distinction =
            self.distinction.replace(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_', "-");
        format!("msg_{}_{distinction}", self.event.as_str().replace('.', "_"))
    }
}

/// Writes a message, unless there is no endpoint, or the cause has its message already. If it is about an account, call
/// this while the account's row is locked: that keeps the messages of an account in order.
pub(crate) async fn write(tx: &mut Tx, new: &NewMessage<'_>) -> Result<(), StoreError> {
    let (id, facts) = (new.id(), new.facts.as_ref().map(Value::to_string));
    let values = args![
        id = id.as_str(),
        event = new.event.as_str(),
        account = new.account,
        cause = new.cause,
        facts = facts.as_deref(),
        now_ms = new.now_ms
    ];
    tx.execute(&WRITE, &values).await.map(drop)
}

/// The part of one of our ids after its prefix.
pub(crate) fn digits(id: &str) -> &str {
    id.split_once('_').map_or(id, |(_, digits)| digits)
}

/// Writes the messages of an account's holds that have ended but are still open.
pub(crate) async fn holds_expire(tx: &mut Tx, account: &str, now_ms: i64) -> Result<(), StoreError> {
    tx.execute(&HOLDS_EXPIRE, &args![account, now_ms]).await.map(drop)
}
