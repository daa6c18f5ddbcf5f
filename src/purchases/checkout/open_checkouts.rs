//! Counts the open checkouts of an account.

use crate::db::Db;
use crate::db::{StoreError, args, statements};
use crate::domain::account::AccountId;

statements! {
    /// The account's checkouts that were created after `since_ms` and have not ended at `now_ms`, at most `limit` of
    /// them.
    OPEN_CHECKOUTS = "SELECT COUNT(*) AS open, MIN(expires_at) AS first_ends FROM (SELECT expires_at FROM topups \
        WHERE account_id = :account AND created_at > :since_ms AND expires_at > :now_ms AND state IN ('creating', \
        'open') \
        ORDER BY created_at, id LIMIT :limit) AS waiting";
}

/// The open checkouts of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct OpenCheckouts {
    /// How many there are, up to the limit.
    pub open: i64,
    /// When the first of them ends, in milliseconds since 1970; `None` if there are none.
    pub first_ends: Option<i64>,
}

impl Db {
    /// The open checkouts of an account, counted up to `max`. Counts only those created after `since_ms`, so that the
    /// account's old top-ups are not read.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open_checkouts(
        &self,
        account: &AccountId,
        since_ms: i64,
        now_ms: i64,
        max: i64,
    ) -> Result<OpenCheckouts, StoreError> {
        let values = args![account = account.as_str(), since_ms, now_ms, limit = max];
        let row = self.read_optional(&OPEN_CHECKOUTS, &values).await?;
        Ok(row.unwrap_or(OpenCheckouts { open: 0, first_ends: None }))
    }
}
