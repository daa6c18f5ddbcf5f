//! The rows of refunds and disputes of invoices' payments. As for purchases, a refund only moves forward, and a dispute
//! is written only over the version that was known when it was fetched.

use crate::db::{Db, StoreError, Tx, args, statements};
use crate::domain::ids::{InvoiceId, PaymentId};
use crate::domain::ledger::ReversalCause;
use crate::domain::provider::ProviderName;
use crate::domain::reversal::{DisputeReport, RefundReport};
use crate::purchases::reversal::reversals::Reversal;

statements! {
    UPSERT_REFUND = "INSERT INTO subscription_reversals (provider_reversal_id, provider, kind, provider_payment_id, \
        provider_invoice_id, amount, returned, currency, status, stage, counts, version, reason, created_at, \
        updated_at) VALUES (:id, :provider, 'refund', :payment, :invoice, :amount_minor, 0, :currency, :status, :stage, \
        :counts, 1, :reason, :now_ms, :now_ms) ON CONFLICT (provider_reversal_id, provider) DO UPDATE SET \
        status = excluded.status, stage = excluded.stage, counts = excluded.counts, \
        version = subscription_reversals.version + 1, \
        reason = COALESCE(excluded.reason, subscription_reversals.reason), updated_at = excluded.updated_at \
        WHERE excluded.stage > subscription_reversals.stage \
        OR (excluded.stage = subscription_reversals.stage AND excluded.stage < 2)";
    INSERT_DISPUTE = "INSERT INTO subscription_reversals (provider_reversal_id, provider, kind, provider_payment_id, \
        provider_invoice_id, amount, returned, currency, status, stage, counts, version, reason, created_at, \
        updated_at) VALUES (:id, :provider, 'dispute', :payment, :invoice, :amount_minor, :returned, :currency, \
        :status, 0, :counts, 1, :reason, :now_ms, :now_ms) ON CONFLICT (provider_reversal_id, provider) DO NOTHING";
    UPDATE_DISPUTE = "UPDATE subscription_reversals SET amount = :amount_minor, returned = :returned, \
        status = :status, counts = :counts, reason = COALESCE(:reason, reason), version = version + 1, \
        updated_at = :now_ms WHERE provider_reversal_id = :id AND provider = :provider AND version = :version";
    VERSION = "SELECT version FROM subscription_reversals WHERE provider_reversal_id = :id AND provider = :provider";
    INVOICE_OF = "SELECT provider_invoice_id FROM subscription_reversals WHERE provider_payment_id = :payment \
        AND provider = :provider LIMIT 1";
    REVERSED = "SELECT CAST(COALESCE(SUM(amount - returned), 0) AS BIGINT) AS reversed FROM subscription_reversals \
        WHERE provider_invoice_id = :invoice AND provider = :provider AND counts = 1";
    COUNTING_KIND = "SELECT kind FROM subscription_reversals WHERE provider_invoice_id = :invoice \
        AND provider = :provider AND counts = 1 ORDER BY kind LIMIT 1";
    FIND = "SELECT provider_reversal_id, provider, kind, provider_payment_id, amount, returned, currency, status, \
        counts, version, reason, CAST(NULL AS BIGINT) AS evidence_due_at, created_at, updated_at \
        FROM subscription_reversals WHERE provider_reversal_id = :id AND provider = :provider";
    OF_INVOICE = "SELECT provider_reversal_id, kind, amount, returned, currency, status, counts, created_at \
        FROM subscription_reversals WHERE provider_invoice_id = :invoice ORDER BY created_at LIMIT 100";
}

#[derive(sqlx::FromRow)]
struct Version {
    version: i64,
}

#[derive(sqlx::FromRow)]
struct OfInvoice {
    provider_invoice_id: String,
}

#[derive(sqlx::FromRow)]
struct Reversed {
    reversed: i64,
}

#[derive(sqlx::FromRow)]
struct Counting {
    kind: String,
}

/// A refund or dispute of an invoice's payment.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct InvoiceReversal {
    /// The provider's id.
    pub provider_reversal_id: String,
    /// `refund` or `dispute`.
    pub kind: String,
    /// The amount, in minor units.
    pub amount: i64,
    /// The part that came back.
    pub returned: i64,
    /// The currency.
    pub currency: String,
    /// The provider's status.
    pub status: String,
    /// 1 if it currently takes its amount, less the returned part.
    pub counts: i64,
    /// When it was first recorded, in milliseconds since 1970.
    pub created_at: i64,
}

/// Writes a refund.
pub(crate) async fn put_refund(
    tx: &mut Tx,
    invoice: &InvoiceId,
    payment: &PaymentId,
    refund: &RefundReport,
    now_ms: i64,
) -> Result<(), StoreError> {
    let values = args![
        id = refund.id.as_str(),
        provider = refund.id.provider().as_str(),
        payment = payment.as_str(),
        invoice = invoice.as_str(),
        amount_minor = refund.amount_minor,
        currency = refund.currency.as_str(),
        status = refund.status.as_str(),
        stage = refund.status.stage(),
        counts = refund.status.counts(),
        reason = refund.reason.as_deref(),
        now_ms
    ];
    tx.execute(&UPSERT_REFUND, &values).await.map(drop)
}

/// Writes a dispute over the version that was known when it was fetched; `None` if it had no row.
///
/// # Errors
/// [`StoreError::Stale`] if another version is there.
pub(crate) async fn put_dispute(
    tx: &mut Tx,
    invoice: &InvoiceId,
    payment: &PaymentId,
    (dispute, version): (&DisputeReport, Option<i64>),
    now_ms: i64,
) -> Result<(), StoreError> {
    let reversed = dispute.reversed_minor();
    let returned = if reversed > 0 { dispute.amount_minor.saturating_sub(reversed) } else { 0 };
    let (id, provider) = (dispute.id.as_str(), dispute.id.provider().as_str());
    let (amount_minor, status, counts) = (dispute.amount_minor, dispute.status.as_str(), reversed > 0);
    let reason = dispute.reason.as_deref();
    let written = match version {
        None => {
            let values = args![
                id,
                provider,
                payment = payment.as_str(),
                invoice = invoice.as_str(),
                amount_minor,
                returned,
                currency = dispute.currency.as_str(),
                status,
                counts,
                reason,
                now_ms
            ];
            tx.execute(&INSERT_DISPUTE, &values).await?
        }
        Some(version) => {
            let values = args![id, provider, amount_minor, returned, status, counts, reason, now_ms, version];
            tx.execute(&UPDATE_DISPUTE, &values).await?
        }
    };
    if written == 1 { Ok(()) } else { Err(StoreError::Stale) }
}

/// How much of an invoice's money is with the customer, in minor units.
pub(crate) async fn reversed_minor(tx: &mut Tx, invoice: &InvoiceId) -> Result<i64, StoreError> {
    let values = args![invoice = invoice.as_str(), provider = invoice.provider().as_str()];
    let row: Option<Reversed> = tx.fetch_optional(&REVERSED, &values).await?;
    Ok(row.map_or(0, |row| row.reversed))
}

/// The cause of what was taken before its credits came. A dispute takes precedence.
pub(crate) async fn waiting_cause(tx: &mut Tx, invoice: &InvoiceId) -> Result<ReversalCause, StoreError> {
    let values = args![invoice = invoice.as_str(), provider = invoice.provider().as_str()];
    let kind: Option<Counting> = tx.fetch_optional(&COUNTING_KIND, &values).await?;
    let is_dispute = kind.is_some_and(|row| row.kind == "dispute");
    Ok(if is_dispute { ReversalCause::Dispute { won: false } } else { ReversalCause::Refund })
}

impl Db {
    /// The version of a dispute of an invoice's payment; `None` if it has no row.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn invoice_dispute_version(&self, provider: ProviderName, id: &str) -> Result<Option<i64>, StoreError> {
        let row: Option<Version> = self.read_optional(&VERSION, &args![id, provider = provider.as_str()]).await?;
        Ok(row.map(|row| row.version))
    }

    /// A refund or dispute of an invoice's payment.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reversal_of_invoice(&self, provider: ProviderName, id: &str) -> Result<Option<Reversal>, StoreError> {
        self.read_optional(&FIND, &args![id, provider = provider.as_str()]).await
    }

    /// The invoice of a payment of which a refund or dispute is known.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn known_invoice_of(&self, payment: &PaymentId) -> Result<Option<InvoiceId>, StoreError> {
        let values = args![payment = payment.as_str(), provider = payment.provider().as_str()];
        let row: Option<OfInvoice> = self.read_optional(&INVOICE_OF, &values).await?;
        let id = row.map(|row| InvoiceId::parse(*payment.provider(), row.provider_invoice_id));
        id.transpose().map_err(|error| StoreError::corrupt("invoice", error))
    }

    /// The refunds and disputes of an invoice, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reversals_of_invoice(&self, invoice: &str) -> Result<Vec<InvoiceReversal>, StoreError> {
        self.read_all(&OF_INVOICE, &args![invoice]).await
    }
}
