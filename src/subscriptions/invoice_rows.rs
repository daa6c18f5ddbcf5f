//! The rows of invoices.

use crate::db::{Db, StoreError, Tx, args, statements};
use crate::domain::account::AccountId;
use crate::domain::ids::{InvoiceId, SubscriptionId};
use crate::domain::subscription::{InvoiceReport, InvoiceStatus};

/// The most invoices of a subscription that are shown.
const MAX_SHOWN: i64 = 100;

/// A stored invoice. Times are in milliseconds since 1970, amounts in minor units.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Invoice {
    /// The provider's id.
    pub provider_invoice_id: String,
    /// The provider's name.
    pub provider: String,
    /// The subscription.
    pub provider_subscription_id: String,
    /// The account.
    pub account_id: String,
    /// Its number, as the customer reads it.
    pub number: Option<String>,
    /// The name of its status.
    pub status: String,
    /// Why it was made, in the provider's word.
    pub reason: String,
    /// The currency.
    pub currency: String,
    /// What is to be paid, with tax.
    pub total: i64,
    /// The tax in it.
    pub tax_amount: i64,
    /// The part of the tax that came on top of the prices.
    pub added_tax_amount: i64,
    /// What was paid.
    pub amount_paid: i64,
    /// What refunds and disputes count against first.
    pub credits_amount: i64,
    /// How often it was tried.
    pub attempts: i64,
    /// The latest attempt whose failure the product was told of.
    pub told_attempt: i64,
    /// 1 if the customer has to do something for that attempt.
    pub needs_action: i64,
    /// When it is tried next.
    pub next_attempt_at: Option<i64>,
    /// The page on which it can be paid.
    pub hosted_url: Option<String>,
    /// When it was created.
    pub created_at: i64,
    /// When it was paid.
    pub paid_at: Option<i64>,
    /// When it was last written.
    pub updated_at: i64,
}

macro_rules! with_columns {
    ($before:literal, $after:literal) => {
        concat!(
            $before,
            " provider_invoice_id, provider, provider_subscription_id, account_id, number, status, reason, currency, \
            total, tax_amount, added_tax_amount, amount_paid, credits_amount, attempts, told_attempt, needs_action, \
            next_attempt_at, hosted_url, created_at, paid_at, updated_at ",
            $after
        )
    };
}

statements! {
    UPSERT = with_columns!(
        "INSERT INTO subscription_invoices (provider_invoice_id, provider, provider_subscription_id, account_id, \
        number, status, reason, currency, total, tax_amount, added_tax_amount, amount_paid, credits_amount, attempts, \
        told_attempt, needs_action, next_attempt_at, hosted_url, created_at, paid_at, booked_at, updated_at) \
        VALUES (:invoice, :provider, :subscription, :account, :number, :status, :reason, :currency, :total, :tax, \
        :added_tax, :amount_paid, 0, :attempts, 0, 0, :next_attempt_at, :hosted_url, :created_at, :paid_at, :booked_at, \
        :now_ms) ON CONFLICT (provider_invoice_id, provider) DO UPDATE SET \
        number = excluded.number, status = excluded.status, total = excluded.total, tax_amount = excluded.tax_amount, \
        added_tax_amount = excluded.added_tax_amount, amount_paid = excluded.amount_paid, \
        attempts = excluded.attempts, next_attempt_at = excluded.next_attempt_at, hosted_url = excluded.hosted_url, \
        paid_at = excluded.paid_at, booked_at = COALESCE(subscription_invoices.booked_at, excluded.booked_at), \
        updated_at = excluded.updated_at RETURNING",
        ""
    );
    FIND = with_columns!(
        "SELECT",
        "FROM subscription_invoices WHERE provider_invoice_id = :invoice AND provider = :provider"
    );
    OF_SUBSCRIPTION = with_columns!(
        "SELECT",
        "FROM subscription_invoices WHERE provider_subscription_id = :subscription ORDER BY created_at DESC LIMIT :limit"
    );
    SET_CREDITS_AMOUNT = "UPDATE subscription_invoices SET credits_amount = :amount \
        WHERE provider_invoice_id = :invoice AND provider = :provider";
    TOLD = "UPDATE subscription_invoices SET told_attempt = :attempt, needs_action = :needs_action \
        WHERE provider_invoice_id = :invoice AND provider = :provider";
}

fn ms(seconds: Option<i64>) -> Option<i64> {
    seconds.map(|seconds| seconds.saturating_mul(1_000))
}

/// Writes what a report says. The subscription's row is locked. Returns the row.
pub(crate) async fn put(
    tx: &mut Tx,
    report: &InvoiceReport,
    subscription: &SubscriptionId,
    account: &AccountId,
    now_ms: i64,
) -> Result<Invoice, StoreError> {
    let values = args![
        invoice = report.id.as_str(),
        provider = report.id.provider().as_str(),
        subscription = subscription.as_str(),
        account = account.as_str(),
        number = report.number.as_deref(),
        status = report.status.as_str(),
        reason = report.reason.as_str(),
        currency = report.currency.as_str(),
        total = report.total_minor,
        tax = report.tax_minor,
        added_tax = report.added_tax_minor,
        amount_paid = report.amount_paid_minor,
        attempts = report.attempts,
        next_attempt_at = ms(report.next_attempt_seconds),
        hosted_url = report.hosted_url.as_deref(),
        created_at = report.created_seconds.saturating_mul(1_000),
        paid_at = ms(report.paid_at_seconds),
        booked_at = (report.status == InvoiceStatus::Paid).then_some(now_ms),
        now_ms
    ];
    let row: Option<Invoice> = tx.fetch_optional(&UPSERT, &values).await?;
    row.ok_or_else(|| StoreError::corrupt("no row after writing invoice", &report.id))
}

/// Reads an invoice in a transaction.
pub(crate) async fn find(tx: &mut Tx, invoice: &InvoiceId) -> Result<Option<Invoice>, StoreError> {
    tx.fetch_optional(&FIND, &args![invoice = invoice.as_str(), provider = invoice.provider().as_str()]).await
}

/// Stores what refunds and disputes count against first.
pub(crate) async fn set_credits_amount(tx: &mut Tx, invoice: &InvoiceId, amount: i64) -> Result<(), StoreError> {
    let values = args![invoice = invoice.as_str(), provider = invoice.provider().as_str(), amount];
    tx.execute(&SET_CREDITS_AMOUNT, &values).await.map(drop)
}

/// Notes that the product was told of a failed attempt.
pub(crate) async fn told(tx: &mut Tx, invoice: &InvoiceId, attempt: i64, needs_action: bool) -> Result<(), StoreError> {
    let values = args![invoice = invoice.as_str(), provider = invoice.provider().as_str(), attempt, needs_action];
    tx.execute(&TOLD, &values).await.map(drop)
}

impl Db {
    /// An invoice.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn invoice(&self, invoice: &InvoiceId) -> Result<Option<Invoice>, StoreError> {
        self.read_optional(&FIND, &args![invoice = invoice.as_str(), provider = invoice.provider().as_str()]).await
    }

    /// The invoices of a subscription, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn invoices_of(&self, subscription: &str) -> Result<Vec<Invoice>, StoreError> {
        self.read_all(&OF_SUBSCRIPTION, &args![subscription, limit = MAX_SHOWN]).await
    }
}
