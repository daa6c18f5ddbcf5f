//! Stored refunds of spends.

use crate::access::caller_key::CallerKey;
use crate::db::{StoreError, Tx, args, statements};
use crate::domain::account::AccountId;
use crate::domain::ids::SpendRefundId;

/// A stored refund of a spend.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct SpendRefund {
    /// Its id.
    pub id: String,
    /// The spend.
    pub spend_id: String,
    /// The account.
    pub account_id: String,
    /// The credits that were given back.
    pub credits: i64,
    /// The reason.
    pub reason: Option<String>,
    /// The account's balance afterwards.
    pub balance_after: i64,
    /// A hash of the request.
    pub request_hash: String,
    /// When, in milliseconds since 1970.
    pub created_at: i64,
}

/// A refund to be stored.
pub(crate) struct NewSpendRefund<'r> {
    pub(crate) id: &'r SpendRefundId,
    pub(crate) spend: &'r str,
    pub(crate) account: &'r AccountId,
    pub(crate) credits: i64,
    pub(crate) reason: Option<&'r str>,
    pub(crate) balance_after: i64,
    pub(crate) key: &'r CallerKey,
    pub(crate) request_hash: &'r str,
    pub(crate) now_ms: i64,
}

statements! {
    INSERT = "INSERT INTO spend_refunds (id, spend_id, account_id, credits, reason, balance_after, caller, \
        idempotency_key, request_hash, created_at) VALUES (:id, :spend, :account, :credits, :reason, :balance_after, \
        :scope, :key, :request_hash, :now_ms) ON CONFLICT (caller, idempotency_key) DO NOTHING";
    FIND_BY_KEY = "SELECT id, spend_id, account_id, credits, reason, balance_after, request_hash, created_at \
        FROM spend_refunds WHERE caller = :scope AND idempotency_key = :key";
}

/// Stores a refund.
///
/// # Errors
/// When another request used the key meanwhile, or the database fails.
pub(crate) async fn insert(tx: &mut Tx, new: &NewSpendRefund<'_>) -> Result<SpendRefund, StoreError> {
    let values = args![
        id = new.id.as_str(),
        spend = new.spend,
        account = new.account.as_str(),
        credits = new.credits,
        reason = new.reason,
        balance_after = new.balance_after,
        scope = new.key.scope.as_str(),
        key = new.key.key.as_str(),
        request_hash = new.request_hash,
        now_ms = new.now_ms
    ];
    if tx.execute(&INSERT, &values).await? != 1 {
        return Err(StoreError::Overtaken);
    }
    let refund = find_by_key(tx, new.key).await?;
    refund.ok_or_else(|| StoreError::corrupt("no refund after inserting", new.id))
}

/// Finds the refund that an earlier request with this key made.
pub(crate) async fn find_by_key(tx: &mut Tx, key: &CallerKey) -> Result<Option<SpendRefund>, StoreError> {
    tx.fetch_optional(&FIND_BY_KEY, &args![scope = key.scope.as_str(), key = key.key.as_str()]).await
}
