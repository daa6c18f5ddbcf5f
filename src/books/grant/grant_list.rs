//! The grants of an account.

use crate::app::App;
use crate::books::settle_account::settled_balance;
use crate::db::{Db, StoreError, args, statements};
use crate::domain::account::AccountId;

/// A grant as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Grant {
    /// Its id: the top-up's or the adjustment's, or its own.
    pub id: String,
    /// The account.
    pub account_id: String,
    /// The sequence number of the ledger entry that brought it.
    pub sequence: i64,
    /// Where its credits came from.
    pub kind: String,
    /// The top-up of a purchase or bonus.
    pub topup_id: Option<String>,
    /// Its credits at first.
    pub credits: i64,
    /// What remains.
    pub remaining: i64,
    /// Lower numbers are spent first.
    pub priority: i64,
    /// When it ends, in milliseconds since 1970; `i64::MAX` for never.
    pub expires_at: i64,
    /// 0: promotional, 1: paid.
    pub category: i64,
    /// Why it was made.
    pub reason: Option<String>,
    /// When an operator ended it early.
    pub voided_at: Option<i64>,
    /// When it was made, in milliseconds since 1970.
    pub created_at: i64,
}

statements! {
    FIND = "SELECT id, account_id, sequence, kind, credits, remaining, priority, expires_at, category, topup_id, \
        reason, voided_at, created_at FROM grants WHERE id = :grant";
    OF_ACCOUNT = "SELECT id, account_id, sequence, kind, credits, remaining, priority, expires_at, category, topup_id, \
        reason, voided_at, created_at FROM grants \
        WHERE account_id = :account AND sequence <= :sequence AND (sequence < :sequence OR id < :id) \
        AND is_open >= :least_open ORDER BY sequence DESC, id DESC LIMIT :limit";
}

/// The grants of an account before a place (sequence number and id), newest first.
///
/// # Errors
/// When the database fails.
pub async fn grants_now(
    app: &App,
    account: &AccountId,
    only_open: bool,
    before: (i64, &str),
    limit: i64,
) -> Result<Vec<Grant>, StoreError> {
    settled_balance(app, account).await?;
    app.db.grants_of(account, only_open, before, limit).await
}

impl Db {
    /// A grant.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn grant(&self, id: &str) -> Result<Option<Grant>, StoreError> {
        self.read_optional(&FIND, &args![grant = id]).await
    }

    /// The stored grants of an account before a place (sequence number and id), newest first. One entry may have brought
    /// several.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn grants_of(
        &self,
        account: &AccountId,
        only_open: bool,
        before: (i64, &str),
        limit: i64,
    ) -> Result<Vec<Grant>, StoreError> {
        let (account, (sequence, id)) = (account.as_str(), before);
        self.read_all(&OF_ACCOUNT, &args![account, sequence, id, least_open = only_open, limit]).await
    }
}
