//! Stripe's abilities for plans, subscriptions, invoices and the portal.

use async_trait::async_trait;

use crate::checkpoints;
use crate::domain::ids::{
    CustomerId, InvoiceId, PaymentId, PriceId, SessionId, SubscriptionCheckoutId, SubscriptionId,
};
use crate::domain::plan::Interval;
use crate::domain::subscription::{InvoiceReport, SubscriptionReport};
use crate::providers::port::{
    ChangePreview, FoundPrice, InvoiceOps, ListPage, OpenedSubscriptionCheckout, PlanOps, PortalContent, PortalOps,
    PortalVisit, PriceChange, PriceSpec, ProductSpec, ProviderError, SubscriptionCheckoutRequest, SubscriptionOps,
};
use crate::providers::stripe::gateway::{
    StripeGateway, invoices, plans, portal, subscription_checkouts, subscriptions,
};
use crate::providers::stripe::transport::Transport;

/// Makes a call between two places where tests stop the process.
async fn call<T: Send>(
    before: &'static str,
    answer: impl Future<Output = Result<T, ProviderError>> + Send,
) -> Result<T, ProviderError> {
    checkpoints::reach(before).await;
    let answer = answer.await?;
    checkpoints::reach("Stripe answered").await;
    Ok(answer)
}

const ASK: &str = "ask Stripe";
const CALL: &str = "call Stripe";

#[async_trait]
impl<T: Transport> PlanOps for StripeGateway<T> {
    async fn put_product(&self, product: &ProductSpec) -> Result<(), ProviderError> {
        call(CALL, plans::put_product(&self.transport, product)).await
    }

    async fn find_price(&self, price: &PriceSpec) -> Result<Option<FoundPrice>, ProviderError> {
        call(ASK, plans::find_price(&self.transport, price)).await
    }

    async fn create_price(&self, price: &PriceSpec, key: &str) -> Result<PriceId, ProviderError> {
        call(CALL, plans::create_price(&self.transport, price, key)).await
    }
}

#[async_trait]
impl<T: Transport> SubscriptionOps for StripeGateway<T> {
    async fn open_subscription_checkout(
        &self,
        request: &SubscriptionCheckoutRequest,
        key: &str,
    ) -> Result<OpenedSubscriptionCheckout, ProviderError> {
        call(CALL, subscription_checkouts::open(&self.transport, request, key)).await
    }

    async fn find_subscription_checkout(
        &self,
        customer: &CustomerId,
        checkout: &SubscriptionCheckoutId,
    ) -> Result<Option<OpenedSubscriptionCheckout>, ProviderError> {
        call(ASK, subscription_checkouts::find(&self.transport, customer, checkout)).await
    }

    async fn read_subscription_checkout(
        &self,
        session: &SessionId,
    ) -> Result<OpenedSubscriptionCheckout, ProviderError> {
        call(ASK, subscription_checkouts::read_session(&self.transport, session)).await
    }

    async fn read_subscription(&self, subscription: &SubscriptionId) -> Result<SubscriptionReport, ProviderError> {
        call(ASK, subscriptions::read_subscription(&self.transport, subscription)).await
    }

    async fn cancel_now(&self, subscription: &SubscriptionId) -> Result<SubscriptionReport, ProviderError> {
        call(CALL, subscriptions::cancel_now(&self.transport, subscription)).await
    }

    async fn cancel_at_period_end(
        &self,
        subscription: &SubscriptionReport,
        ends: bool,
    ) -> Result<SubscriptionReport, ProviderError> {
        call(CALL, subscriptions::cancel_at_period_end(&self.transport, subscription, ends)).await
    }

    async fn preview_change(&self, change: &PriceChange) -> Result<ChangePreview, ProviderError> {
        call(ASK, subscriptions::preview_change(&self.transport, change)).await
    }

    async fn change_now(&self, change: &PriceChange) -> Result<SubscriptionReport, ProviderError> {
        call(CALL, subscriptions::change_now(&self.transport, change)).await
    }

    async fn change_at_period_end(
        &self,
        subscription: &SubscriptionReport,
        prices: &[PriceId],
        interval: Interval,
    ) -> Result<(), ProviderError> {
        call(CALL, subscriptions::change_at_period_end(&self.transport, subscription, prices, interval)).await
    }

    async fn release_change(&self, schedule: &str) -> Result<(), ProviderError> {
        call(CALL, subscriptions::release_change(&self.transport, schedule)).await
    }

    async fn list_subscriptions(
        &self,
        since_seconds: i64,
        after: Option<&str>,
    ) -> Result<ListPage<SubscriptionReport>, ProviderError> {
        checkpoints::reach(ASK).await;
        subscriptions::list(&self.transport, since_seconds, after).await
    }
}

#[async_trait]
impl<T: Transport> InvoiceOps for StripeGateway<T> {
    async fn read_invoice(&self, invoice: &InvoiceId) -> Result<InvoiceReport, ProviderError> {
        call(ASK, invoices::read_invoice(&self.transport, invoice)).await
    }

    async fn needs_action(&self, invoice: &InvoiceReport) -> Result<bool, ProviderError> {
        call(ASK, invoices::needs_action(&self.transport, invoice)).await
    }

    async fn invoice_of_payment(&self, payment: &PaymentId) -> Result<Option<InvoiceId>, ProviderError> {
        call(ASK, invoices::of_payment(&self.transport, payment)).await
    }

    async fn list_paid_invoices(
        &self,
        since_seconds: i64,
        after: Option<&str>,
    ) -> Result<ListPage<InvoiceReport>, ProviderError> {
        checkpoints::reach(ASK).await;
        invoices::list_paid(&self.transport, since_seconds, after).await
    }
}

#[async_trait]
impl<T: Transport> PortalOps for StripeGateway<T> {
    async fn put_configuration(&self, content: &PortalContent, earlier: Option<&str>) -> Result<String, ProviderError> {
        call(CALL, portal::put_configuration(&self.transport, content, earlier)).await
    }

    async fn open_portal(&self, visit: &PortalVisit) -> Result<String, ProviderError> {
        call(CALL, portal::open(&self.transport, visit)).await
    }
}
