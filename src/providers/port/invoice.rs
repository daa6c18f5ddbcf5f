//! Invoices of subscriptions at the provider.

use async_trait::async_trait;

use super::{ListPage, ProviderError, Unsupported};
use crate::domain::ids::{InvoiceId, PaymentId};
use crate::domain::subscription::InvoiceReport;

/// Reads invoices.
#[async_trait]
pub trait InvoiceOps: Send + Sync {
    /// What the provider says of an invoice now, with all its lines.
    async fn read_invoice(&self, invoice: &InvoiceId) -> Result<InvoiceReport, ProviderError>;

    /// Whether the latest attempt to pay an invoice waits for the customer to do something.
    async fn needs_action(&self, invoice: &InvoiceReport) -> Result<bool, ProviderError>;

    /// The invoice that a payment was for; `None` if it was for something else.
    async fn invoice_of_payment(&self, payment: &PaymentId) -> Result<Option<InvoiceId>, ProviderError>;

    /// A page of the paid invoices created since a time (seconds since 1970), newest first. Their lines may be
    /// incomplete.
    async fn list_paid_invoices(
        &self,
        since_seconds: i64,
        after: Option<&str>,
    ) -> Result<ListPage<InvoiceReport>, ProviderError>;
}

const NO_INVOICES: ProviderError = ProviderError::Unsupported("to tell of invoices");

#[async_trait]
impl InvoiceOps for Unsupported {
    async fn read_invoice(&self, _: &InvoiceId) -> Result<InvoiceReport, ProviderError> {
        Err(NO_INVOICES)
    }

    async fn needs_action(&self, _: &InvoiceReport) -> Result<bool, ProviderError> {
        Err(NO_INVOICES)
    }

    async fn invoice_of_payment(&self, _: &PaymentId) -> Result<Option<InvoiceId>, ProviderError> {
        Err(NO_INVOICES)
    }

    async fn list_paid_invoices(&self, _: i64, _: Option<&str>) -> Result<ListPage<InvoiceReport>, ProviderError> {
        Err(NO_INVOICES)
    }
}
