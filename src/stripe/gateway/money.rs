//! Refunds, disputes, payments and fees, by async-stripe.

use std::collections::HashMap;

use stripe::{IdempotencyKey, RequestStrategy, StripeRequest};
use stripe_core::balance_transaction::RetrieveBalanceTransaction;
use stripe_core::dispute::{ListDispute, RetrieveDispute};
use stripe_core::payment_intent::RetrievePaymentIntent;
use stripe_core::refund::{CreateRefund, CreateRefundReason, ListRefund};
use stripe_shared::{BalanceTransaction, Dispute, Refund};

use super::permissions::owner_by_session;
use super::{Transport, classify, not_understood, topup_of};
use crate::domain::checkout::PURPOSE;
use crate::domain::fees::RealFee;
use crate::domain::ids::{BalanceTransactionId, ChargeId, DisputeId, PaymentIntentId, RefundId};
use crate::domain::reversal::{
    DisputeMovement, DisputeReport, REFUND_REQUEST_ID, RefundReport, RefundStatus, amount, word,
};
use crate::ports::{GatewayError, PaymentOwner, RefundOrder};

/// Stripe's largest page.
pub(super) const PAGE: i64 = 100;
/// A payment has a handful of refunds; one that has more than this is not ours.
const MAX_PAGES: usize = 20;

pub(super) async fn read_payment(
    client: &impl Transport,
    payment: &PaymentIntentId,
) -> Result<Option<PaymentOwner>, GatewayError> {
    let expanded = RetrievePaymentIntent::new(payment.as_str())
        .expand(["latest_charge.balance_transaction".to_owned()])
        .send(client)
        .await
        .map_err(classify);
    // What is expanded needs a permission of its own. Whose payment it is must be known without the fee, and without
    // the right to read payments: an event about somebody else's money would otherwise fail for ever.
    let read = match expanded {
        Err(error) if error.is_missing_permission() => {
            RetrievePaymentIntent::new(payment.as_str()).send(client).await.map_err(classify)
        }
        read => read,
    };
    let payment = match read {
        Err(error) if error.is_missing_permission() => return owner_by_session(client, payment).await,
        read => read?,
    };
    let Some(topup) = topup_of(&payment.metadata) else { return Ok(None) };
    let charge = payment.latest_charge;
    let id = charge.as_ref().map(|charge| ChargeId::parse(charge.id().as_str())).transpose();
    let fee = charge.and_then(stripe_types::Expandable::into_object).and_then(|charge| charge.balance_transaction);
    let fee = fee.and_then(stripe_types::Expandable::into_object);
    Ok(Some(PaymentOwner {
        topup,
        livemode: payment.livemode,
        charge: id.map_err(not_understood)?,
        fee: fee.as_ref().map(real_fee).transpose()?,
    }))
}

pub(super) async fn read_fee(client: &impl Transport, id: &BalanceTransactionId) -> Result<RealFee, GatewayError> {
    let movement = RetrieveBalanceTransaction::new(id.as_str()).send(client).await.map_err(classify)?;
    real_fee(&movement)
}

fn real_fee(movement: &BalanceTransaction) -> Result<RealFee, GatewayError> {
    Ok(RealFee {
        balance_transaction: BalanceTransactionId::parse(movement.id.as_str()).map_err(not_understood)?,
        amount_minor: movement.fee,
        currency: movement.currency.to_string(),
    })
}

pub(super) async fn refunds_of(
    client: &impl Transport,
    payment: &PaymentIntentId,
) -> Result<Vec<RefundReport>, GatewayError> {
    all_refunds(client, payment).await?.into_iter().map(refund_report).collect()
}

/// The refund whose metadata names one of our requests.
pub(super) async fn find_refund(
    client: &impl Transport,
    payment: &PaymentIntentId,
    request_id: &str,
) -> Result<Option<RefundReport>, GatewayError> {
    let refunds = all_refunds(client, payment).await?;
    let is_it = |refund: &Refund| request_of(refund).is_some_and(|id| id == request_id);
    refunds.into_iter().find(is_it).map(refund_report).transpose()
}

fn request_of(refund: &Refund) -> Option<&String> {
    refund.metadata.as_ref().and_then(|metadata| metadata.get(REFUND_REQUEST_ID))
}

async fn all_refunds(client: &impl Transport, payment: &PaymentIntentId) -> Result<Vec<Refund>, GatewayError> {
    let mut refunds: Vec<Refund> = Vec::new();
    for _ in 0..MAX_PAGES {
        let mut list = ListRefund::new().payment_intent(payment.as_str()).limit(PAGE);
        if let Some(last) = refunds.last() {
            list = list.starting_after(last.id.as_str());
        }
        let page = list.send(client).await.map_err(classify)?;
        let was_empty = page.data.is_empty();
        refunds.extend(page.data);
        if !page.has_more || was_empty {
            return Ok(refunds);
        }
    }
    Err(not_understood("too many refunds of one payment"))
}

pub(super) fn refund_report(refund: Refund) -> Result<RefundReport, GatewayError> {
    let request = request_of(&refund).map(|id| word(id));
    let status = refund.status.unwrap_or_default();
    let payment_intent = refund.payment_intent.as_ref().map(|payment| PaymentIntentId::parse(payment.id().as_str()));
    Ok(RefundReport {
        id: RefundId::parse(refund.id.as_str()).map_err(not_understood)?,
        payment_intent: payment_intent.transpose().map_err(not_understood)?,
        amount_minor: amount(refund.amount).ok_or_else(|| not_understood("the amount"))?,
        currency: refund.currency.to_string(),
        status: RefundStatus::parse(&status).ok_or_else(|| not_understood(format!("refund status {status}")))?,
        reason: refund.reason.map(|reason| word(reason.as_str())),
        request,
    })
}

/// A payment has one dispute, seldom two.
pub(super) async fn disputes_of(
    client: &impl Transport,
    payment: &PaymentIntentId,
) -> Result<Vec<DisputeReport>, GatewayError> {
    let page = ListDispute::new().payment_intent(payment.as_str()).limit(PAGE).send(client).await.map_err(classify)?;
    if page.has_more {
        return Err(not_understood("too many disputes of one payment"));
    }
    page.data.iter().map(dispute_report).collect()
}

pub(super) async fn read_dispute(client: &impl Transport, dispute: &DisputeId) -> Result<DisputeReport, GatewayError> {
    let dispute = RetrieveDispute::new(dispute.as_str()).send(client).await.map_err(classify)?;
    dispute_report(&dispute)
}

/// Everything that Stripe shows of its money. What follows from it, [`DisputeReport`] says and nobody else.
pub(super) fn dispute_report(dispute: &Dispute) -> Result<DisputeReport, GatewayError> {
    let payment_intent = dispute.payment_intent.as_ref().map(|payment| PaymentIntentId::parse(payment.id().as_str()));
    Ok(DisputeReport {
        id: DisputeId::parse(dispute.id.as_str()).map_err(not_understood)?,
        payment_intent: payment_intent.transpose().map_err(not_understood)?,
        amount_minor: amount(dispute.amount).ok_or_else(|| not_understood("the amount"))?,
        currency: dispute.currency.to_string(),
        status: word(dispute.status.as_str()),
        reason: Some(word(&dispute.reason)),
        movements: dispute.balance_transactions.iter().filter(|moved| !is_fee(moved)).map(dispute_movement).collect(),
        livemode: dispute.livemode,
        created_seconds: dispute.created,
    })
}

fn dispute_movement(moved: &BalanceTransaction) -> DisputeMovement {
    DisputeMovement { amount_minor: moved.amount, currency: moved.currency.to_string() }
}

/// What Stripe charges for a dispute, or gives back of that, is not the customer's money.
fn is_fee(moved: &BalanceTransaction) -> bool {
    matches!(moved.reporting_category.as_str(), "fee" | "tax" | "network_cost")
        || matches!(moved.type_.as_str(), "stripe_fee" | "stripe_fx_fee" | "tax_fee" | "fee_credit_funding")
}

pub(super) async fn create_refund(
    client: &impl Transport,
    order: &RefundOrder,
    key: &str,
) -> Result<RefundReport, GatewayError> {
    let key = IdempotencyKey::new(key).map_err(not_understood)?;
    let mut refund = CreateRefund::new()
        .payment_intent(order.payment_intent.as_str())
        .amount(order.amount_minor)
        .metadata(HashMap::from([
            ("purpose".to_owned(), PURPOSE.to_owned()),
            (REFUND_REQUEST_ID.to_owned(), order.request_id.clone()),
        ]));
    if let Some(reason) = &order.reason {
        refund = refund.reason(match reason.as_str() {
            "duplicate" => CreateRefundReason::Duplicate,
            "fraudulent" => CreateRefundReason::Fraudulent,
            _ => CreateRefundReason::RequestedByCustomer,
        });
    }
    let strategy = RequestStrategy::Idempotent(key);
    let refund = refund.customize().request_strategy(strategy).send(client).await.map_err(classify)?;
    refund_report(refund)
}
