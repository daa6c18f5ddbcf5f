//! How many checkouts an account has open.

use crate::db::Db;
use crate::db::{StoreError, args, statements};
use crate::domain::account::AccountId;

statements! {
    /// The account's checkouts that were written down after `since_ms` and have not ended at `now_ms`, `limit` of them at most.
    OPEN_CHECKOUTS = "SELECT COUNT(*) AS open, MIN(expires_at) AS first_ends FROM (SELECT expires_at FROM topups \
        WHERE account_id = :account AND created_at > :since_ms AND expires_at > :now_ms AND state IN ('creating', 'open') \
        ORDER BY created_at, id LIMIT :limit) AS waiting";
}

/// The checkouts of an account that are open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct OpenCheckouts {
    /// How many there are, counted up to a bound.
    pub open: i64,
    /// When the first of those ends, in milliseconds since 1970; none if there are none.
    pub first_ends: Option<i64>,
}

impl Db {
    /// The open checkouts of an account, counted up to `max`. Only those count that were written down after `since_ms`, so
    /// that an account's old purchases are not read.
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
