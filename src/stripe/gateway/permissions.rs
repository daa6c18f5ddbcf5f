//! What the key may do: found out by reading one thing of each kind, and gone around where another permission tells the
//! same.

use stripe_checkout::checkout_session::ListCheckoutSession;
use stripe_core::balance_transaction::ListBalanceTransaction;
use stripe_core::dispute::ListDispute;
use stripe_core::payment_intent::ListPaymentIntent;
use stripe_core::refund::ListRefund;

use super::{Transport, classify, report};
use crate::domain::ids::PaymentIntentId;
use crate::ports::{GatewayError, PaymentOwner, Resource};

/// Reads the smallest page there is.
pub(super) async fn can_read(client: &impl Transport, resource: Resource) -> Result<(), GatewayError> {
    match resource {
        Resource::CheckoutSessions => ListCheckoutSession::new().limit(1).send(client).await.map(drop),
        Resource::PaymentIntents => ListPaymentIntent::new().limit(1).send(client).await.map(drop),
        Resource::Refunds => ListRefund::new().limit(1).send(client).await.map(drop),
        Resource::Disputes => ListDispute::new().limit(1).send(client).await.map(drop),
        Resource::BalanceTransactions => ListBalanceTransaction::new().limit(1).send(client).await.map(drop),
    }
    .map_err(classify)
}

/// Whose payment it is, by its checkout session: for a key that may not read payments, but checkouts, as every key must.
pub(super) async fn owner_by_session(
    client: &impl Transport,
    payment: &PaymentIntentId,
) -> Result<Option<PaymentOwner>, GatewayError> {
    let list = ListCheckoutSession::new().payment_intent(payment.as_str()).limit(1).send(client).await;
    let Some(session) = list.map_err(classify)?.data.into_iter().next() else { return Ok(None) };
    Ok(report(session)?.map(|report| PaymentOwner {
        topup: report.topup,
        livemode: report.livemode,
        charge: None,
        fee: None,
    }))
}
