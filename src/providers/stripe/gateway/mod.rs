//! Calls Stripe: requests are built by async-stripe and sent by a transport; responses are parsed with the same types
//! as events.
//!
//! Each call is made once, with a timeout. The use case decides whether to retry it, and with which idempotency key.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;
use stripe_checkout::checkout_session::RetrieveCheckoutSession;

mod account_defaults;
mod call;
mod cards;
mod charges;
mod checkout;
mod customers;
pub mod endpoints;
mod events;
mod failure;
mod invoices;
mod lists;
mod money;
mod permissions;
mod plans;
mod portal;
mod saved_cards;
mod subscription_checkouts;
mod subscription_ops;
mod subscriptions;
mod tax;

use crate::checkpoints;
use crate::domain::checkout::PurchaseReport;
use crate::domain::fees::RealFee;
use crate::domain::ids::{DisputeId, EventId, FeeId, PaymentId, SessionId, TopupId};
use crate::domain::reversal::{DisputeReport, RefundReport};
use crate::providers::event::WebhookReader;
use crate::providers::port::{
    AccessOps, AccountOps, Capabilities, CheckoutOps, CheckoutRequest, CreatedEndpoint, DeliveryEndpoint, DisputeOps,
    EndpointOps, EventOps, ListOps, ListPage, OpenedCheckout, PaymentOps, PaymentOwner, Provider, ProviderAccount,
    ProviderError, RefundOps, RefundOrder, Resource, TaxSetup, UndeliveredEvent,
};
use crate::providers::stripe::gateway::call::{ask, make};
use crate::providers::stripe::gateway::checkout::{create_session, opened, report};
use crate::providers::stripe::name::NAME;
use crate::providers::stripe::transport::{HttpTransport, InvalidStripeSettings, Transport};

/// Stripe's API.
#[derive(Debug)]
pub struct StripeGateway<T = HttpTransport> {
    transport: T,
}

impl StripeGateway {
    /// Creates a gateway to Stripe, or to a sandbox at another base URL. Call it in the runtime that lives longest.
    ///
    /// # Errors
    /// See [`HttpTransport::new`].
    pub fn new(key: &SecretString, api_base: Option<&str>, timeout: Duration) -> Result<Self, InvalidStripeSettings> {
        Ok(Self::over(HttpTransport::new(key, api_base, timeout)?))
    }
}

impl<T: Transport> StripeGateway<T> {
    /// Creates a gateway over any transport.
    pub const fn over(transport: T) -> Self {
        Self { transport }
    }
}

impl<T: Transport + 'static> StripeGateway<T> {
    /// Stripe as a provider with all its capabilities, and with the given webhook reader.
    #[must_use]
    pub fn into_provider(self, webhooks: Arc<dyn WebhookReader>) -> Provider {
        let stripe = Arc::new(self);
        Provider {
            capabilities: Capabilities {
                payments: true,
                disputes: true,
                lists: true,
                events: true,
                access: true,
                account: true,
                endpoints: true,
                customers: true,
                subscriptions: true,
                cards: true,
                off_session: true,
            },
            payments: stripe.clone(),
            disputes: stripe.clone(),
            lists: stripe.clone(),
            events: stripe.clone(),
            access: stripe.clone(),
            account: stripe.clone(),
            endpoints: stripe.clone(),
            customers: stripe.clone(),
            plans: stripe.clone(),
            subscriptions: stripe.clone(),
            invoices: stripe.clone(),
            portal: stripe.clone(),
            cards: stripe.clone(),
            off_session: stripe.clone(),
            ..Provider::new(NAME, stripe.clone(), stripe, webhooks)
        }
    }
}

#[async_trait]
impl<T: Transport> CheckoutOps for StripeGateway<T> {
    async fn open_checkout(&self, request: &CheckoutRequest, key: &str) -> Result<OpenedCheckout, ProviderError> {
        checkpoints::reach("call Stripe").await;
        let request = create_session(request)
            .ok_or_else(|| ProviderError::Unreachable("the stored request cannot be sent".to_owned()))?;
        let session = make(&self.transport, &request, key).await?;
        checkpoints::reach("Stripe answered").await;
        opened(session)
    }

    async fn find_checkout(
        &self,
        topup: &TopupId,
        within_ms: (i64, i64),
    ) -> Result<Option<OpenedCheckout>, ProviderError> {
        checkpoints::reach("ask Stripe").await;
        let found = lists::checkout_of(&self.transport, topup, within_ms).await?;
        checkpoints::reach("Stripe answered").await;
        found.map(opened).transpose()
    }

    async fn read_checkout(&self, session: &SessionId) -> Result<Option<PurchaseReport>, ProviderError> {
        checkpoints::reach("ask Stripe").await;
        if charges::is_payment(session) {
            let report = charges::report_of(&self.transport, session).await?;
            checkpoints::reach("Stripe answered").await;
            return Ok(report);
        }
        let session = ask(&self.transport, &RetrieveCheckoutSession::new(session.as_str())).await?;
        checkpoints::reach("Stripe answered").await;
        report(session)
    }
}

#[async_trait]
impl<T: Transport> PaymentOps for StripeGateway<T> {
    async fn read_payment(&self, payment: &PaymentId) -> Result<Option<PaymentOwner>, ProviderError> {
        checkpoints::reach("ask Stripe").await;
        let answer = money::read_payment(&self.transport, payment).await?;
        checkpoints::reach("Stripe answered").await;
        Ok(answer)
    }

    async fn read_fee(&self, balance_transaction: &FeeId) -> Result<RealFee, ProviderError> {
        checkpoints::reach("ask Stripe").await;
        let answer = money::read_fee(&self.transport, balance_transaction).await?;
        checkpoints::reach("Stripe answered").await;
        Ok(answer)
    }

    async fn read_receipt(&self, payment: &PaymentId) -> Result<Option<String>, ProviderError> {
        money::read_receipt(&self.transport, payment).await
    }
}

#[async_trait]
impl<T: Transport> RefundOps for StripeGateway<T> {
    async fn create_refund(&self, order: &RefundOrder, key: &str) -> Result<RefundReport, ProviderError> {
        checkpoints::reach("call Stripe").await;
        let refund = money::create_refund(&self.transport, order, key).await?;
        checkpoints::reach("Stripe answered").await;
        Ok(refund)
    }

    async fn find_refund(&self, payment: &PaymentId, request_id: &str) -> Result<Option<RefundReport>, ProviderError> {
        checkpoints::reach("ask Stripe").await;
        let found = money::find_refund(&self.transport, payment, request_id).await?;
        checkpoints::reach("Stripe answered").await;
        Ok(found)
    }

    async fn refunds_of(&self, payment: &PaymentId) -> Result<Vec<RefundReport>, ProviderError> {
        checkpoints::reach("ask Stripe").await;
        let answer = money::refunds_of(&self.transport, payment).await?;
        checkpoints::reach("Stripe answered").await;
        Ok(answer)
    }
}

#[async_trait]
impl<T: Transport> DisputeOps for StripeGateway<T> {
    async fn disputes_of(&self, payment: &PaymentId) -> Result<Vec<DisputeReport>, ProviderError> {
        checkpoints::reach("ask Stripe").await;
        let answer = money::disputes_of(&self.transport, payment).await?;
        checkpoints::reach("Stripe answered").await;
        Ok(answer)
    }

    async fn read_dispute(&self, dispute: &DisputeId) -> Result<DisputeReport, ProviderError> {
        checkpoints::reach("ask Stripe").await;
        let answer = money::read_dispute(&self.transport, dispute).await?;
        checkpoints::reach("Stripe answered").await;
        Ok(answer)
    }
}

#[async_trait]
impl<T: Transport> ListOps for StripeGateway<T> {
    async fn list_checkouts(
        &self,
        since_seconds: i64,
        after: Option<&str>,
    ) -> Result<ListPage<PurchaseReport>, ProviderError> {
        checkpoints::reach("ask Stripe").await;
        lists::checkouts(&self.transport, since_seconds, after).await
    }

    async fn list_refunds(
        &self,
        since_seconds: i64,
        after: Option<&str>,
    ) -> Result<ListPage<RefundReport>, ProviderError> {
        checkpoints::reach("ask Stripe").await;
        lists::refunds(&self.transport, since_seconds, after).await
    }

    async fn list_disputes(
        &self,
        since_seconds: i64,
        after: Option<&str>,
    ) -> Result<ListPage<DisputeReport>, ProviderError> {
        checkpoints::reach("ask Stripe").await;
        lists::disputes(&self.transport, since_seconds, after).await
    }
}

#[async_trait]
impl<T: Transport> EventOps for StripeGateway<T> {
    async fn read_event(&self, event: &EventId) -> Result<String, ProviderError> {
        checkpoints::reach("ask Stripe").await;
        let answer = events::read_event(&self.transport, event).await?;
        checkpoints::reach("Stripe answered").await;
        Ok(answer)
    }
}

#[async_trait]
impl<T: Transport> AccessOps for StripeGateway<T> {
    async fn can_read(&self, resource: Resource) -> Result<(), ProviderError> {
        permissions::can_read(&self.transport, resource).await
    }
}

#[async_trait]
impl<T: Transport> AccountOps for StripeGateway<T> {
    async fn read_account(&self) -> Result<ProviderAccount, ProviderError> {
        endpoints::read_account(&self.transport).await
    }

    async fn read_tax_setup(&self) -> Result<TaxSetup, ProviderError> {
        tax::read_setup(&self.transport).await
    }
}

#[async_trait]
impl<T: Transport> EndpointOps for StripeGateway<T> {
    async fn list_endpoints(&self) -> Result<Vec<DeliveryEndpoint>, ProviderError> {
        endpoints::list(&self.transport).await
    }

    async fn create_endpoint(&self, url: &str, key: &str) -> Result<CreatedEndpoint, ProviderError> {
        endpoints::create(&self.transport, url, key).await
    }

    async fn repair_endpoint(&self, id: &str, key: &str) -> Result<DeliveryEndpoint, ProviderError> {
        endpoints::repair(&self.transport, id, key).await
    }

    async fn undelivered_events(&self, since_seconds: i64) -> Result<Vec<UndeliveredEvent>, ProviderError> {
        endpoints::undelivered(&self.transport, since_seconds).await
    }

    async fn event_time_ms(&self, event: &EventId) -> Result<i64, ProviderError> {
        endpoints::event_time_ms(&self.transport, event).await
    }
}
