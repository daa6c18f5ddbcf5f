//! The API key's permissions: tests them by reading one object of each kind, and works around a missing one where
//! another permission gives the same answer.

use serde::Serialize;
use serde::de::IgnoredAny;
use stripe_checkout::checkout_session::ListCheckoutSession;
use stripe_client_core::{RequestBuilder, StripeMethod, StripeRequest};
use stripe_core::balance_transaction::ListBalanceTransaction;
use stripe_core::customer::ListCustomer;
use stripe_core::dispute::ListDispute;
use stripe_core::payment_intent::ListPaymentIntent;
use stripe_core::refund::ListRefund;
use stripe_core::setup_intent::ListSetupIntent;

use crate::domain::ids::PaymentId;
use crate::providers::port::{PaymentOwner, ProviderError, Resource};
use crate::providers::stripe::gateway::call::{answer_to, ask, ask_list, read};
use crate::providers::stripe::gateway::checkout::report;
use crate::providers::stripe::objects::{List, Session};
use crate::providers::stripe::transport::Transport;

#[derive(Serialize)]
struct SmallestPage {
    limit: u8,
}

/// Reads the smallest possible page.
pub(super) async fn can_read(transport: &impl Transport, resource: Resource) -> Result<(), ProviderError> {
    match resource {
        Resource::CheckoutSessions => look_at(transport, &ListCheckoutSession::new().limit(1)).await,
        Resource::PaymentIntents => look_at(transport, &ListPaymentIntent::new().limit(1)).await,
        Resource::Refunds => look_at(transport, &ListRefund::new().limit(1)).await,
        Resource::Disputes => look_at(transport, &ListDispute::new().limit(1)).await,
        Resource::BalanceTransactions => look_at(transport, &ListBalanceTransaction::new().limit(1)).await,
        Resource::Customers => look_at(transport, &ListCustomer::new().limit(1)).await,
        Resource::SetupIntents => look_at(transport, &ListSetupIntent::new().limit(1)).await,
        Resource::Events => look_at_list(transport, "/events").await,
        Resource::Prices => look_at_list(transport, "/prices").await,
        Resource::Subscriptions => look_at_list(transport, "/subscriptions").await,
        Resource::Invoices => look_at_list(transport, "/invoices").await,
        Resource::PaymentMethods => look_at_list(transport, "/payment_methods").await,
    }
}

async fn look_at_list(transport: &impl Transport, path: &str) -> Result<(), ProviderError> {
    let list = RequestBuilder::new(StripeMethod::Get, path).query(&SmallestPage { limit: 1 });
    read::<List<IgnoredAny>>(&answer_to(transport, list, None).await?).map(drop)
}

async fn look_at(transport: &impl Transport, list: &impl StripeRequest) -> Result<(), ProviderError> {
    ask::<List<IgnoredAny>>(transport, list).await.map(drop)
}

/// Finds a payment's top-up through its checkout session: for API keys that may not read payments. Every key may read
/// checkout sessions.
pub(super) async fn owner_by_session(
    transport: &impl Transport,
    payment: &PaymentId,
) -> Result<Option<PaymentOwner>, ProviderError> {
    let list = ListCheckoutSession::new().payment_intent(payment.as_str()).limit(1);
    let list: List<Session> = ask_list(transport, &list).await?;
    let Some(session) = list.data.into_iter().next() else { return Ok(None) };
    Ok(report(session)?.map(|report| PaymentOwner {
        topup: report.topup,
        livemode: report.livemode,
        charge: None,
        fee: None,
    }))
}
