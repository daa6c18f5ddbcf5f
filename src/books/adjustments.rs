//! Stored adjustments: credits that an operator granted or took, each with its reason and author.
//!
//! Invariants: an adjustment is written together with its ledger entry, whose source it is. It never takes a balance
//! below zero, nor what holds reserve; only refunds and disputes may do that.

use crate::books::entries::{self, Entry};
use crate::db::{Db, Tx, args};
use crate::db::{StoreError, statements};
use crate::domain::account::AccountId;
use crate::domain::burn::NEVER_MS;
use crate::domain::ids::{AdjustmentId, LedgerEntryId};
use crate::domain::ledger::EntryKind;

/// An adjustment to be booked.
#[derive(Debug, Clone)]
pub struct NewAdjustment {
    /// Its id.
    pub id: AdjustmentId,
    /// The id of its ledger entry.
    pub entry: LedgerEntryId,
    /// The account.
    pub account: AccountId,
    /// The number of credits; negative if they are taken.
    pub credits: i64,
    /// The reason.
    pub reason: String,
    /// The operator.
    pub made_by: String,
    /// The scope of the key; the same key on two accounts means two adjustments.
    pub scope: String,
    /// The caller's idempotency key.
    pub key: String,
    /// A hash of the request.
    pub request_hash: String,
    /// The time, in milliseconds since 1970.
    pub now_ms: i64,
}

/// A stored adjustment.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Adjustment {
    /// Its id.
    pub id: String,
    /// The account.
    pub account_id: String,
    /// The number of credits; negative if they were taken.
    pub credits: i64,
    /// The reason.
    pub reason: String,
    /// The operator.
    pub made_by: String,
    /// The account's balance afterwards.
    pub balance_after: i64,
    /// A hash of the request.
    pub request_hash: String,
    /// When, in milliseconds since 1970.
    pub created_at: i64,
}

statements! {
    INSERT = "INSERT INTO adjustments (id, account_id, credits, reason, made_by, balance_after, caller, \
        idempotency_key, request_hash, created_at) VALUES (:id, :account, :credits, :reason, :made_by, \
        :balance_after, :scope, :key, :request_hash, :now_ms) \
        ON CONFLICT (caller, idempotency_key) DO NOTHING";
    FIND_BY_KEY = "SELECT id, account_id, credits, reason, made_by, balance_after, request_hash, created_at \
        FROM adjustments WHERE caller = :scope AND idempotency_key = :key";
    HAS_ACCOUNT = "SELECT id FROM accounts WHERE id = :account AND entries > 0";
    OF_ACCOUNT = "SELECT id, account_id, credits, reason, made_by, balance_after, request_hash, created_at \
        FROM adjustments WHERE account_id = :account AND (created_at, id) < (:before_ms, :before_id) ORDER BY \
        created_at DESC, id DESC LIMIT :limit";
}

/// Books an adjustment. `None` if it would take more credits than the account has; then nothing is written.
///
/// # Errors
/// When another request used the key meanwhile, or the database fails.
pub async fn book(tx: &mut Tx, new: &NewAdjustment) -> Result<Option<Adjustment>, StoreError> {
    let entry = Entry {
        id: new.entry.as_str(),
        account: new.account.as_str(),
        kind: EntryKind::Adjustment,
        credits: new.credits,
        source: new.id.as_str(),
        topup: None,
        reason: None,
        ends_at_ms: NEVER_MS,
    };
    let Some(balance_after) = entries::book_within_balance(tx, entry, new.now_ms).await? else { return Ok(None) };
    let values = args![
        id = new.id.as_str(),
        account = new.account.as_str(),
        credits = new.credits,
        reason = new.reason.as_str(),
        made_by = new.made_by.as_str(),
        balance_after,
        scope = new.scope.as_str(),
        key = new.key.as_str(),
        request_hash = new.request_hash.as_str(),
        now_ms = new.now_ms
    ];
    if tx.execute(&INSERT, &values).await? != 1 {
        return Err(StoreError::Overtaken);
    }
    find_by_key(tx, &new.scope, &new.key).await
}

/// Finds the adjustment that an earlier request with this key made.
///
/// # Errors
/// When the database fails.
pub async fn find_by_key(tx: &mut Tx, scope: &str, key: &str) -> Result<Option<Adjustment>, StoreError> {
    tx.fetch_optional(&FIND_BY_KEY, &args![scope, key]).await
}

#[derive(sqlx::FromRow)]
struct Account {}

/// Whether the account has an entry yet.
///
/// # Errors
/// When the database fails.
pub async fn has_account(tx: &mut Tx, account: &AccountId) -> Result<bool, StoreError> {
    Ok(tx.fetch_optional::<Account>(&HAS_ACCOUNT, &args![account = account.as_str()]).await?.is_some())
}

impl Db {
    /// The adjustments of an account that are older than `before` (time and id), newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn adjustments_of(
        &self,
        account: &AccountId,
        before: (i64, &str),
        limit: i64,
    ) -> Result<Vec<Adjustment>, StoreError> {
        let values = args![account = account.as_str(), before_ms = before.0, before_id = before.1, limit];
        self.read_all(&OF_ACCOUNT, &values).await
    }
}
