//! Stored promotions: credits that an operator gave, each with its grant of the same id.

use crate::access::caller_key::CallerKey;
use crate::db::{StoreError, Tx, args, statements};
use crate::domain::account::AccountId;
use crate::domain::ids::GrantId;

/// A stored promotion.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Promotion {
    /// The id of its grant.
    pub id: String,
    /// A hash of the request.
    pub request_hash: String,
}

/// A promotion to be stored.
pub(crate) struct NewPromotion<'p> {
    pub(crate) id: &'p GrantId,
    pub(crate) account: &'p AccountId,
    pub(crate) credits: i64,
    pub(crate) reason: &'p str,
    pub(crate) made_by: &'p str,
    pub(crate) balance_after: i64,
    pub(crate) key: &'p CallerKey,
    pub(crate) request_hash: &'p str,
    pub(crate) now_ms: i64,
}

statements! {
    INSERT = "INSERT INTO promotions (id, account_id, credits, reason, made_by, balance_after, caller, idempotency_key, \
        request_hash, created_at) VALUES (:id, :account, :credits, :reason, :made_by, :balance_after, :scope, :key, \
        :request_hash, :now_ms) ON CONFLICT (caller, idempotency_key) DO NOTHING";
    FIND_BY_KEY = "SELECT id, request_hash FROM promotions WHERE caller = :scope AND idempotency_key = :key";
}

/// Stores a promotion.
///
/// # Errors
/// When another request used the key meanwhile, or the database fails.
pub(crate) async fn insert(tx: &mut Tx, new: &NewPromotion<'_>) -> Result<(), StoreError> {
    let values = args![
        id = new.id.as_str(),
        account = new.account.as_str(),
        credits = new.credits,
        reason = new.reason,
        made_by = new.made_by,
        balance_after = new.balance_after,
        scope = new.key.scope.as_str(),
        key = new.key.key.as_str(),
        request_hash = new.request_hash,
        now_ms = new.now_ms
    ];
    if tx.execute(&INSERT, &values).await? == 1 { Ok(()) } else { Err(StoreError::Overtaken) }
}

/// Finds the promotion that an earlier request with this key made.
pub(crate) async fn find_by_key(tx: &mut Tx, key: &CallerKey) -> Result<Option<Promotion>, StoreError> {
    tx.fetch_optional(&FIND_BY_KEY, &args![scope = key.scope.as_str(), key = key.key.as_str()]).await
}
