//! The credits of an account that end next.

use crate::app::App;
use crate::books::settle_account::{balance_now, settled_balance};
use crate::db::{Db, StoreError, args, statements};
use crate::domain::account::AccountId;
use crate::domain::burn::NEVER_MS;
use crate::domain::ledger::Balance;

/// The credits that end next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct NextExpiry {
    /// When they end, in milliseconds since 1970.
    pub ends_at: i64,
    /// How many of them are left now.
    pub credits: i64,
}

statements! {
    /// Ended grants that are kept for a hold are not named: their end is over.
    NEXT_EXPIRY = "SELECT expires_at AS ends_at, CAST(SUM(remaining) AS BIGINT) AS credits FROM grants \
        WHERE account_id = :account AND is_open = 1 AND expires_at > :now_ms AND expires_at < 9223372036854775807 \
        GROUP BY expires_at ORDER BY expires_at LIMIT 1";
}

/// An account's balance at this moment, and the credits that end next.
///
/// # Errors
/// When the database fails.
pub async fn credits_now(app: &App, account: &AccountId) -> Result<(Balance, Option<NextExpiry>), StoreError> {
    let balance = balance_now(app, account).await?;
    // Neither a grant nor a purchase that no grant reflects yet ends.
    if balance.due_at_ms == NEVER_MS {
        return Ok((balance, None));
    }
    let balance = settled_balance(app, account).await?;
    Ok((balance, app.db.next_expiry(account, app.clock.now_ms()).await?))
}

impl Db {
    /// The credits of a settled account that end next after this time; `None` if none end.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn next_expiry(&self, account: &AccountId, now_ms: i64) -> Result<Option<NextExpiry>, StoreError> {
        self.read_optional(&NEXT_EXPIRY, &args![account = account.as_str(), now_ms]).await
    }
}
