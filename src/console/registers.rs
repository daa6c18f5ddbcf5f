//! Lists that only the console needs. Read-only.

use crate::db::{Db, StoreError, args, statements};
use crate::purchases::topup_history::ListedTopup;

/// How many top-ups a search shows.
pub const TOPUPS_SHOWN: i64 = 20;

/// An account in a list.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct AccountRow {
    /// Its id.
    pub id: String,
    /// Its balance, as stored: what has ended since its last change is still in it.
    pub balance: i64,
    /// When it was last changed, in milliseconds since 1970.
    pub updated_at: i64,
    /// When it was blocked, in milliseconds since 1970.
    pub blocked_at: Option<i64>,
}

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

statements! {
    LISTED = "SELECT t.id, t.account_id, t.state, t.credits, t.taken_credits, t.bonus_credits, t.currency, \
        t.total_amount, (SELECT COUNT(*) FROM payments p WHERE p.topup_id = t.id AND p.state = 'surplus') AS \
        surplus_payments, t.created_at, t.paid_at FROM topups t WHERE t.id = :id";
    BY_AMOUNT = "SELECT t.id, t.account_id, t.state, t.credits, t.taken_credits, t.bonus_credits, t.currency, \
        t.total_amount, (SELECT COUNT(*) FROM payments p WHERE p.topup_id = t.id AND p.state = 'surplus') AS \
        surplus_payments, t.created_at, t.paid_at FROM topups t \
        WHERE t.created_at >= :from_ms AND t.created_at < :to_ms AND t.total_amount = :amount_minor \
        ORDER BY t.created_at DESC LIMIT :limit";
    ACCOUNT = "SELECT id, balance, updated_at, blocked_at FROM accounts WHERE id = :id";
    ACCOUNTS_FROM = "SELECT id, balance, updated_at, blocked_at FROM accounts WHERE id >= :beginning AND id < :end \
        ORDER BY id LIMIT :limit";
    TOPUP_OF_EVENT = "SELECT topup_id AS name FROM webhook_events WHERE provider_event_id = :event LIMIT 1";
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
    /// A top-up as it is shown in lists.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn listed_topup(&self, id: &str) -> Result<Option<ListedTopup>, StoreError> {
        self.read_optional(&LISTED, &args![id]).await
    }

    /// The top-ups over an amount that were opened within a time, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn topups_by_amount(
        &self,
        amount_minor: i64,
        (from_ms, to_ms): (i64, i64),
        limit: i64,
    ) -> Result<Vec<ListedTopup>, StoreError> {
        self.read_all(&BY_AMOUNT, &args![amount_minor, from_ms, to_ms, limit]).await
    }

    /// An account as it is stored.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn account_row(&self, id: &str) -> Result<Option<AccountRow>, StoreError> {
        self.read_optional(&ACCOUNT, &args![id]).await
    }

    /// The accounts whose ids begin with a text.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn accounts_like(&self, beginning: &str, limit: i64) -> Result<Vec<AccountRow>, StoreError> {
        // The largest character comes after everything that can follow.
        let end = format!("{beginning}\u{10FFFF}");
        let rows: Vec<AccountRow> = self.read_all(&ACCOUNTS_FROM, &args![beginning, end = end.as_str(), limit]).await?;
        // A database that sorts by a language's rules also returns others.
        Ok(rows.into_iter().filter(|row| row.id.starts_with(beginning)).collect())
    }

    /// The id of the top-up that a decided event was about.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn topup_of_event(&self, event: &str) -> Result<Option<String>, StoreError> {
        let row: Option<Named> = self.read_optional(&TOPUP_OF_EVENT, &args![event]).await?;
        Ok(row.map(|row| row.name))
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
