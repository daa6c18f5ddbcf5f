//! Lists that only the console needs. Read-only.

use crate::db::{Db, StoreError, args, statements};

/// How many top-ups a search shows.
pub const TOPUPS_SHOWN: i64 = 20;

/// A dispute in a list.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct DisputeRow {
    /// The provider's id.
    pub provider_reversal_id: String,
    /// The payment.
    pub provider_payment_id: String,
    /// The top-up.
    pub topup_id: String,
    /// The account that bought it.
    pub account_id: String,
    /// The amount, in minor units.
    pub amount: i64,
    /// The currency.
    pub currency: String,
    /// The provider's status.
    pub status: String,
    /// The provider's code for the reason.
    pub reason: Option<String>,
    /// Until when evidence can be sent, in milliseconds since 1970.
    pub evidence_due_at: Option<i64>,
    /// When it was first recorded, in milliseconds since 1970.
    pub created_at: i64,
}

/// Each time that an account was blocked or unblocked.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct BlockRow {
    /// 1 if it was blocked.
    pub is_blocked: i64,
    /// The reason.
    pub reason: String,
    /// The operator.
    pub made_by: String,
    /// When, in milliseconds since 1970.
    pub created_at: i64,
}

#[derive(sqlx::FromRow)]
struct Named {
    name: String,
}

#[derive(sqlx::FromRow)]
struct PerhapsNamed {
    name: Option<String>,
}

statements! {
    TOPUP_OF_EVENT = "SELECT topup_id AS name FROM webhook_events WHERE provider_event_id = :event LIMIT 1";
    /// What could be read of a failed delivery names a top-up, or a payment of one.
    TOPUP_OF_FAILURE = "SELECT COALESCE((SELECT t.id FROM topups t WHERE t.id = f.topup_id), (SELECT p.topup_id \
        FROM payments p WHERE p.provider_payment_id = f.provider_payment_id AND p.provider = f.provider)) AS name \
        FROM failed_webhook_events f WHERE f.provider_event_id = :event LIMIT 1";
    ACCOUNT_OF = "SELECT account_id AS name FROM spends WHERE id = :id UNION ALL \
        SELECT account_id AS name FROM adjustments WHERE id = :id UNION ALL \
        SELECT t.account_id AS name FROM refund_requests r JOIN topups t ON t.id = r.topup_id WHERE r.id = :id LIMIT 1";
    DISPUTES = "SELECT r.provider_reversal_id, r.provider_payment_id, p.topup_id, t.account_id, r.amount, r.currency, \
        r.status, r.reason, r.evidence_due_at, r.created_at FROM reversals r \
        JOIN payments p ON p.provider_payment_id = r.provider_payment_id AND p.provider = r.provider \
        JOIN topups t ON t.id = p.topup_id \
        WHERE r.kind = 'dispute' AND (r.created_at, r.provider_reversal_id) < (:before_ms, :before_id) \
        ORDER BY r.created_at DESC, r.provider_reversal_id DESC LIMIT :limit";
    BLOCKS = "SELECT is_blocked, reason, made_by, created_at FROM account_blocks WHERE account_id = :account \
        ORDER BY number DESC LIMIT 50";
}

impl Db {
    /// The id of the top-up that a decided event was about.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn topup_of_event(&self, event: &str) -> Result<Option<String>, StoreError> {
        let row: Option<Named> = self.read_optional(&TOPUP_OF_EVENT, &args![event]).await?;
        Ok(row.map(|row| row.name))
    }

    /// The id of the top-up that a failed delivery is about, as far as could be read of it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn topup_of_failure(&self, event: &str) -> Result<Option<String>, StoreError> {
        let row: Option<PerhapsNamed> = self.read_optional(&TOPUP_OF_FAILURE, &args![event]).await?;
        Ok(row.and_then(|row| row.name))
    }

    /// The account of a spend, an adjustment or a refund request.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn account_of_own_id(&self, id: &str) -> Result<Option<String>, StoreError> {
        let row: Option<Named> = self.read_optional(&ACCOUNT_OF, &args![id]).await?;
        Ok(row.map(|row| row.name))
    }

    /// The disputes before a time, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn disputes(&self, before: (i64, &str), limit: i64) -> Result<Vec<DisputeRow>, StoreError> {
        self.read_all(&DISPUTES, &args![before_ms = before.0, before_id = before.1, limit]).await
    }

    /// The latest times that an account was blocked or unblocked, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn blocks_of(&self, account: &str) -> Result<Vec<BlockRow>, StoreError> {
        self.read_all(&BLOCKS, &args![account]).await
    }
}
