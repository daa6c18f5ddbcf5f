//! The provider's part of the world: subscriptions and invoices in memory.

use std::collections::HashMap;
use std::sync::Mutex;

use async_trait::async_trait;
use topup::domain::checkout::PurchaseReport;
use topup::domain::ids::{
    CustomerId, DisputeId, InvoiceId, PaymentId, PriceId, SessionId, SubscriptionCheckoutId, SubscriptionId,
};
use topup::domain::plan::Interval;
use topup::domain::reversal::{DisputeReport, RefundReport};
use topup::domain::subscription::{InvoiceReport, InvoiceStatus, SubscriptionReport};
use topup::providers::port::{
    ChangePreview, DisputeOps, InvoiceOps, ListOps, ListPage, OpenedSubscriptionCheckout, PriceChange, ProviderError,
    ProviderFailure, SubscriptionCheckoutRequest, SubscriptionOps,
};

use super::world::STRIPE;

/// How things are at the provider now.
#[derive(Default)]
pub struct Now {
    pub subscriptions: HashMap<String, SubscriptionReport>,
    pub invoices: HashMap<String, InvoiceReport>,
    pub payments: HashMap<String, String>,
    pub disputes: HashMap<String, DisputeReport>,
    pub refunds: HashMap<String, RefundReport>,
    pub waiting: Vec<String>,
    pub reads: u64,
    /// The next reads of subscriptions fail this often.
    pub failures: u64,
}

/// The provider.
#[derive(Default)]
pub struct Provider(pub Mutex<Now>);

fn unknown() -> ProviderError {
    ProviderError::Unknown(ProviderFailure {
        status: 404,
        code: "resource_missing".to_owned(),
        message: "no such thing".to_owned(),
        permission: None,
        request_id: None,
    })
}

const NOT_HERE: ProviderError = ProviderError::Unsupported("to do this in a test");

#[async_trait]
impl SubscriptionOps for Provider {
    async fn open_subscription_checkout(
        &self,
        _: &SubscriptionCheckoutRequest,
        _: &str,
    ) -> Result<OpenedSubscriptionCheckout, ProviderError> {
        Err(NOT_HERE)
    }

    async fn find_subscription_checkout(
        &self,
        _: &CustomerId,
        _: &SubscriptionCheckoutId,
    ) -> Result<Option<OpenedSubscriptionCheckout>, ProviderError> {
        Err(NOT_HERE)
    }

    async fn read_subscription_checkout(&self, _: &SessionId) -> Result<OpenedSubscriptionCheckout, ProviderError> {
        Err(NOT_HERE)
    }

    async fn read_subscription(&self, id: &SubscriptionId) -> Result<SubscriptionReport, ProviderError> {
        let mut now = self.0.lock().expect("unpoisoned");
        now.reads += 1;
        if now.failures > 0 {
            now.failures -= 1;
            return Err(ProviderError::TimedOut);
        }
        now.subscriptions.get(id.as_str()).cloned().ok_or_else(unknown)
    }

    async fn cancel_now(&self, _: &SubscriptionId) -> Result<SubscriptionReport, ProviderError> {
        Err(NOT_HERE)
    }

    async fn cancel_at_period_end(&self, _: &SubscriptionReport, _: bool) -> Result<SubscriptionReport, ProviderError> {
        Err(NOT_HERE)
    }

    async fn preview_change(&self, _: &PriceChange) -> Result<ChangePreview, ProviderError> {
        Err(NOT_HERE)
    }

    async fn change_now(&self, _: &PriceChange) -> Result<SubscriptionReport, ProviderError> {
        Err(NOT_HERE)
    }

    async fn change_at_period_end(
        &self,
        _: &SubscriptionReport,
        _: &[PriceId],
        _: Interval,
    ) -> Result<(), ProviderError> {
        Err(NOT_HERE)
    }

    async fn release_change(&self, _: &str) -> Result<(), ProviderError> {
        Err(NOT_HERE)
    }

    async fn list_subscriptions(&self, _: i64, _: Option<&str>) -> Result<ListPage<SubscriptionReport>, ProviderError> {
        let items = self.0.lock().expect("unpoisoned").subscriptions.values().cloned().collect();
        Ok(ListPage { items, unreadable: Vec::new(), next: None })
    }
}

#[async_trait]
impl InvoiceOps for Provider {
    async fn read_invoice(&self, id: &InvoiceId) -> Result<InvoiceReport, ProviderError> {
        self.0.lock().expect("unpoisoned").invoices.get(id.as_str()).cloned().ok_or_else(unknown)
    }

    async fn needs_action(&self, invoice: &InvoiceReport) -> Result<bool, ProviderError> {
        Ok(self.0.lock().expect("unpoisoned").waiting.iter().any(|id| id == invoice.id.as_str()))
    }

    async fn invoice_of_payment(&self, payment: &PaymentId) -> Result<Option<InvoiceId>, ProviderError> {
        let now = self.0.lock().expect("unpoisoned");
        Ok(now.payments.get(payment.as_str()).map(|id| InvoiceId::parse(STRIPE, id.as_str()).expect("an id")))
    }

    async fn list_paid_invoices(&self, _: i64, _: Option<&str>) -> Result<ListPage<InvoiceReport>, ProviderError> {
        let now = self.0.lock().expect("unpoisoned");
        let paid = now.invoices.values().filter(|invoice| invoice.status == InvoiceStatus::Paid);
        Ok(ListPage { items: paid.cloned().collect(), unreadable: Vec::new(), next: None })
    }
}

#[async_trait]
impl DisputeOps for Provider {
    async fn disputes_of(&self, _: &PaymentId) -> Result<Vec<DisputeReport>, ProviderError> {
        Ok(Vec::new())
    }

    async fn read_dispute(&self, dispute: &DisputeId) -> Result<DisputeReport, ProviderError> {
        self.0.lock().expect("unpoisoned").disputes.get(dispute.as_str()).cloned().ok_or_else(unknown)
    }
}

#[async_trait]
impl ListOps for Provider {
    async fn list_checkouts(&self, _: i64, _: Option<&str>) -> Result<ListPage<PurchaseReport>, ProviderError> {
        Ok(ListPage { items: Vec::new(), unreadable: Vec::new(), next: None })
    }

    async fn list_refunds(&self, _: i64, _: Option<&str>) -> Result<ListPage<RefundReport>, ProviderError> {
        let items = self.0.lock().expect("unpoisoned").refunds.values().cloned().collect();
        Ok(ListPage { items, unreadable: Vec::new(), next: None })
    }

    async fn list_disputes(&self, _: i64, _: Option<&str>) -> Result<ListPage<DisputeReport>, ProviderError> {
        let items = self.0.lock().expect("unpoisoned").disputes.values().cloned().collect();
        Ok(ListPage { items, unreadable: Vec::new(), next: None })
    }
}
