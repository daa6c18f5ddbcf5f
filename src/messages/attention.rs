//! Accounts that a background job shall look at, because a message may be due.

use crate::db::{Db, StoreError, Tx, args, statements};

statements! {
    NOTE = "INSERT INTO attention (account_id, since) SELECT CAST(:account AS TEXT), CAST(:now_ms AS BIGINT) \
        WHERE (SELECT is_on FROM outbox WHERE id = 1) = 1 ON CONFLICT (account_id) DO NOTHING";
    FORGET = "DELETE FROM attention WHERE account_id = :account";
    PAGE = "SELECT account_id FROM attention WHERE account_id > :after ORDER BY account_id LIMIT :limit";
}

#[derive(sqlx::FromRow)]
struct AccountRow {
    account_id: String,
}

/// Notes that an account shall be looked at, if messages are written at all.
pub(crate) async fn note(tx: &mut Tx, account: &str, now_ms: i64) -> Result<(), StoreError> {
    tx.execute(&NOTE, &args![account, now_ms]).await.map(drop)
}

/// Notes that an account was looked at. Its row is locked.
pub(crate) async fn forget(tx: &mut Tx, account: &str) -> Result<(), StoreError> {
    tx.execute(&FORGET, &args![account]).await.map(drop)
}

impl Db {
    /// The accounts to be looked at, after a place.
    pub(crate) async fn attention(&self, after: &str, limit: i64) -> Result<Vec<String>, StoreError> {
        let rows: Vec<AccountRow> = self.read_all(&PAGE, &args![after, limit]).await?;
        Ok(rows.into_iter().map(|row| row.account_id).collect())
    }
}
