//! Our rows for the reconciliation, always read page by page with keys that do not change.

use crate::db::Db;
use crate::db::{StoreError, args, statements};
use crate::domain::provider::ProviderName;

/// A top-up of the period, with its fee.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct ComparedTopup {
    /// The top-up's id.
    pub id: String,
    /// The state.
    pub state: String,
    /// The checkout session, once known.
    pub provider_session_id: Option<String>,
    /// What the customer is charged, in minor units.
    pub total_amount: i64,
    /// The currency of the charge.
    pub currency: String,
    /// The fee that the provider was expected to keep, in minor units.
    pub expected_fee: i64,
    /// The fee that the provider kept, in minor units, once known.
    pub real_fee: Option<i64>,
    /// The currency of that fee.
    pub real_fee_currency: Option<String>,
    /// When it was created, in milliseconds since 1970.
    pub created_at: i64,
}

/// A refund or dispute that may have changed at the provider.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct OpenReversal {
    /// The provider's id.
    pub provider_reversal_id: String,
    /// `refund` or `dispute`.
    pub kind: String,
    /// The payment.
    pub provider_payment_id: String,
}

/// A payment that credited nothing and was not fully refunded.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct SurplusPayment {
    /// The provider's payment id.
    pub provider_payment_id: String,
    /// The top-up it was paid for.
    pub topup_id: String,
    /// The amount paid, in minor units.
    pub total_amount: i64,
    /// The amount that went back, in minor units.
    pub reversed: i64,
}

/// A payment whose fee is unknown.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct UnknownFee {
    /// The provider's payment id.
    pub provider_payment_id: String,
}

statements! {
    /// Subqueries instead of a join, so that no plan reads all payments for a few top-ups.
    TOPUPS = "SELECT t.id, t.state, t.provider_session_id, COALESCE((SELECT MAX(a.charged_amount) FROM \
        accepted_events a \
        WHERE a.topup_id = t.id AND a.outcome = 'credited'), t.total_amount + t.added_tax_amount) AS total_amount, t.currency, \
        t.expected_fee, \
        (SELECT p.real_fee FROM payments p WHERE p.provider_payment_id = t.provider_payment_id AND p.provider = \
        t.provider AND p.state = 'credited') \
        AS real_fee, (SELECT p.real_fee_currency FROM payments p WHERE p.provider_payment_id = t.provider_payment_id \
        AND p.provider = t.provider \
        AND p.state = 'credited') AS real_fee_currency, t.created_at FROM topups t \
        WHERE (t.created_at, t.id) > (:after_ms, :after_id) AND t.created_at <= :until_ms AND t.provider = :provider \
        ORDER BY t.created_at, t.id LIMIT :limit";
    UNFINISHED_TOPUPS = "SELECT id, state, provider_session_id, total_amount, currency, expected_fee, \
        CAST(NULL AS BIGINT) AS real_fee, CAST(NULL AS TEXT) AS real_fee_currency, created_at FROM topups \
        WHERE state IN ('open', 'processing') AND (created_at, id) > (:after_ms, :after_id) AND created_at < \
        :before_ms \
        AND provider = :provider \
        ORDER BY created_at, id LIMIT :limit";
    /// Each part has an index of its own.
    OPEN_REVERSALS = "SELECT provider_reversal_id, kind, provider_payment_id FROM reversals \
        WHERE provider_reversal_id > :after AND provider = :provider AND created_at >= :since_ms \
        UNION SELECT provider_reversal_id, kind, provider_payment_id FROM reversals \
        WHERE provider_reversal_id > :after AND provider = :provider AND ((kind = 'refund' AND stage = 0) \
        OR (kind = 'dispute' AND status NOT IN ('won', 'lost', 'warning_closed', 'prevented'))) \
        UNION SELECT provider_reversal_id, kind, provider_payment_id FROM subscription_reversals \
        WHERE provider_reversal_id > :after AND provider = :provider AND created_at >= :since_ms \
        UNION SELECT provider_reversal_id, kind, provider_payment_id FROM subscription_reversals \
        WHERE provider_reversal_id > :after AND provider = :provider AND ((kind = 'refund' AND stage = 0) \
        OR (kind = 'dispute' AND status NOT IN ('won', 'lost', 'warning_closed', 'prevented'))) ORDER BY \
        provider_reversal_id LIMIT :limit";
    SURPLUS = "SELECT s.provider_payment_id, s.topup_id, s.total_amount, s.reversed FROM \
        (SELECT p.provider_payment_id, p.topup_id, COALESCE(p.charged_amount, (SELECT MAX(a.charged_amount) FROM \
        accepted_events a WHERE a.topup_id = t.id AND a.outcome <> 'credited'), t.total_amount) AS total_amount, \
        (SELECT CAST(COALESCE(SUM(r.amount - r.returned), 0) AS BIGINT) FROM reversals r \
        WHERE r.provider_payment_id = p.provider_payment_id AND r.provider = p.provider AND r.counts = 1) AS reversed \
        FROM payments p JOIN topups t ON t.id = p.topup_id WHERE p.state = 'surplus' AND p.provider_payment_id > \
        :after \
        AND p.provider = :provider) s \
        WHERE s.reversed < s.total_amount ORDER BY s.provider_payment_id LIMIT :limit";
    /// Concatenated with an empty text, the provider column cannot make a planner scan the key.
    UNKNOWN_FEES = "SELECT provider_payment_id FROM payments \
        WHERE state = 'credited' AND real_fee IS NULL AND created_at >= :since_ms AND provider || '' = :provider \
        ORDER BY created_at DESC, provider_payment_id LIMIT :limit";
}

impl Db {
    /// A page of the top-ups created until `until_ms`, oldest first, starting after `after`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn compared_topups(
        &self,
        after: (i64, &str),
        until_ms: i64,
        limit: i64,
        provider: ProviderName,
    ) -> Result<Vec<ComparedTopup>, StoreError> {
        self.read_all(
            &TOPUPS,
            &args![after_ms = after.0, after_id = after.1, until_ms, limit, provider = provider.as_str()],
        )
        .await
    }

    /// A page of the top-ups created before `before_ms` without a final state, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn unfinished_topups(
        &self,
        after: (i64, &str),
        before_ms: i64,
        limit: i64,
        provider: ProviderName,
    ) -> Result<Vec<ComparedTopup>, StoreError> {
        self.read_all(
            &UNFINISHED_TOPUPS,
            &args![after_ms = after.0, after_id = after.1, before_ms, limit, provider = provider.as_str()],
        )
        .await
    }

    /// A page of the refunds and disputes that were recorded since `since_ms` or are not final.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open_reversals(
        &self,
        after: &str,
        since_ms: i64,
        limit: i64,
        provider: ProviderName,
    ) -> Result<Vec<OpenReversal>, StoreError> {
        self.read_all(&OPEN_REVERSALS, &args![after, since_ms, limit, provider = provider.as_str()]).await
    }

    /// A page of the surplus payments that were not fully refunded.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn surplus_payments(
        &self,
        after: &str,
        limit: i64,
        provider: ProviderName,
    ) -> Result<Vec<SurplusPayment>, StoreError> {
        self.read_all(&SURPLUS, &args![after, limit, provider = provider.as_str()]).await
    }

    /// Payments since `since_ms` whose fee is unknown, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn unknown_fees(
        &self,
        since_ms: i64,
        limit: i64,
        provider: ProviderName,
    ) -> Result<Vec<String>, StoreError> {
        let rows =
            self.read_all::<UnknownFee>(&UNKNOWN_FEES, &args![since_ms, limit, provider = provider.as_str()]).await?;
        Ok(rows.into_iter().map(|row| row.provider_payment_id).collect())
    }
}
