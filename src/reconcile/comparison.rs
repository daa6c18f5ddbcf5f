//! What the comparison with Stripe's books reads here: always a page at a time, by keys that do not move.

use crate::db::Db;
use crate::db::{StoreError, args, statements};
use crate::domain::provider::ProviderName;

/// A purchase of the period, with what is known of its fee.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct ComparedTopup {
    /// Its id.
    pub id: String,
    /// How far it has come.
    pub state: String,
    /// Stripe's session, once it is known.
    pub provider_session_id: Option<String>,
    /// What the customer is charged, in minor units.
    pub total_amount: i64,
    /// The currency of the charge.
    pub currency: String,
    /// What Stripe was expected to keep.
    pub expected_fee: i64,
    /// What Stripe kept, once it is known.
    pub real_fee: Option<i64>,
    /// The currency of that.
    pub real_fee_currency: Option<String>,
    /// When it was written down, in milliseconds since 1970.
    pub created_at: i64,
}

/// A refund or dispute that may have changed at Stripe.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct OpenReversal {
    /// The provider's id.
    pub provider_reversal_id: String,
    /// `refund` or `dispute`.
    pub kind: String,
    /// The payment.
    pub provider_payment_id: String,
}

/// A payment that credits nothing and was not given back.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct SurplusPayment {
    /// Stripe's id.
    pub provider_payment_id: String,
    /// The purchase that it came for.
    pub topup_id: String,
    /// How much came, in minor units.
    pub total_amount: i64,
    /// How much of it went back.
    pub reversed: i64,
}

/// A payment of which it is not known what Stripe kept.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct UnknownFee {
    /// Stripe's id.
    pub provider_payment_id: String,
}

statements! {
    /// Sub-selects and no join, so that no plan reads all payments for a few top-ups.
    TOPUPS = "SELECT t.id, t.state, t.provider_session_id, COALESCE((SELECT MAX(a.charged_amount) FROM accepted_events a \
        WHERE a.topup_id = t.id AND a.outcome = 'credited'), t.total_amount) AS total_amount, t.currency, t.expected_fee, \
        (SELECT p.real_fee FROM payments p WHERE p.provider_payment_id = t.provider_payment_id AND p.provider = t.provider AND p.state = 'credited') \
        AS real_fee, (SELECT p.real_fee_currency FROM payments p WHERE p.provider_payment_id = t.provider_payment_id AND p.provider = t.provider \
        AND p.state = 'credited') AS real_fee_currency, t.created_at FROM topups t \
        WHERE (t.created_at, t.id) > (:after_ms, :after_id) AND t.created_at <= :until_ms AND t.provider = :provider ORDER BY t.created_at, t.id LIMIT :limit";
    UNFINISHED_TOPUPS = "SELECT id, state, provider_session_id, total_amount, currency, expected_fee, \
        CAST(NULL AS BIGINT) AS real_fee, CAST(NULL AS TEXT) AS real_fee_currency, created_at FROM topups \
        WHERE state IN ('open', 'processing') AND (created_at, id) > (:after_ms, :after_id) AND created_at < :before_ms \
        AND provider = :provider \
        ORDER BY created_at, id LIMIT :limit";
    /// Each part has an index of its own.
    OPEN_REVERSALS = "SELECT provider_reversal_id, kind, provider_payment_id FROM reversals \
        WHERE provider_reversal_id > :after AND provider = :provider AND created_at >= :since_ms \
        UNION SELECT provider_reversal_id, kind, provider_payment_id FROM reversals \
        WHERE provider_reversal_id > :after AND provider = :provider AND ((kind = 'refund' AND stage = 0) \
        OR (kind = 'dispute' AND status NOT IN ('won', 'lost', 'warning_closed', 'prevented'))) ORDER BY provider_reversal_id LIMIT :limit";
    SURPLUS = "SELECT s.provider_payment_id, s.topup_id, s.total_amount, s.reversed FROM \
        (SELECT p.provider_payment_id, p.topup_id, COALESCE((SELECT MAX(a.charged_amount) FROM accepted_events a \
        WHERE a.topup_id = t.id AND a.outcome <> 'credited'), t.total_amount) AS total_amount, \
        (SELECT CAST(COALESCE(SUM(r.amount - r.returned), 0) AS BIGINT) FROM reversals r \
        WHERE r.provider_payment_id = p.provider_payment_id AND r.provider = p.provider AND r.counts = 1) AS reversed \
        FROM payments p JOIN topups t ON t.id = p.topup_id WHERE p.state = 'surplus' AND p.provider_payment_id > :after \
        AND p.provider = :provider) s \
        WHERE s.reversed < s.total_amount ORDER BY s.provider_payment_id LIMIT :limit";
    /// Joined to an empty text, the provider is no reason to read the key from end to end.
    UNKNOWN_FEES = "SELECT provider_payment_id FROM payments \
        WHERE state = 'credited' AND real_fee IS NULL AND created_at >= :since_ms AND provider || '' = :provider \
        ORDER BY created_at DESC, provider_payment_id LIMIT :limit";
}

impl Db {
    /// A page of the purchases that were written down until `until_ms`, oldest first, after the one at `after`.
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

    /// A page of the purchases that were written down before `before_ms` and whose end is not known, oldest first.
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

    /// A page of the refunds and disputes that were heard of since a time, or are not final.
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

    /// A page of the payments that came besides the one that paid, and were not given back.
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

    /// Payments since a time of which it is not known what Stripe kept, newest first.
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
