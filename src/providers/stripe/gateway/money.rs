//! Refunds, disputes, payments and fees.

use std::collections::HashMap;

use stripe_core::balance_transaction::RetrieveBalanceTransaction;
use stripe_core::dispute::{ListDispute, RetrieveDispute};
use stripe_core::payment_intent::RetrievePaymentIntent;
use stripe_core::refund::{CreateRefund, CreateRefundReason, ListRefund};

use crate::domain::checkout::PURPOSE;
use crate::domain::fees::RealFee;
use crate::domain::ids::{ChargeId, DisputeId, FeeId, PaymentId};
use crate::domain::refund_reason::RefundReason;
use crate::domain::reversal::{DisputeReport, REFUND_REQUEST_ID, RefundReport};
use crate::providers::port::{PaymentOwner, ProviderError, RefundOrder};
use crate::providers::stripe::gateway::call::{ask, ask_list, make};
use crate::providers::stripe::gateway::failure::not_understood;
use crate::providers::stripe::gateway::permissions::owner_by_session;
use crate::providers::stripe::name::NAME;
use crate::providers::stripe::objects::{BalanceTransaction, Charge, Dispute, Expandable, List, PaymentIntent, Refund};
use crate::providers::stripe::transport::Transport;

/// Stripe's largest page.
pub(super) const PAGE: i64 = 100;
/// A payment has a handful of refunds; one with more pages than this is not ours.
const MAX_PAGES: usize = 20;

pub(super) async fn read_payment(
    transport: &impl Transport,
    payment: &PaymentId,
) -> Result<Option<PaymentOwner>, ProviderError> {
    let retrieve = || RetrievePaymentIntent::new(payment.as_str());
    let expanded = retrieve().expand(["latest_charge.balance_transaction".to_owned()]);
    // Expanding needs further permissions. The top-up must be found even without the fee, and without permission to
    // read payments: otherwise an event about another application's payment would fail forever.
    let read = match ask(transport, &expanded).await {
        Err(error) if error.is_missing_permission() => ask(transport, &retrieve()).await,
        read => read,
    };
    match read {
        Err(error) if error.is_missing_permission() => owner_by_session(transport, payment).await,
        read => owner(read?),
    }
}

fn owner(payment: PaymentIntent) -> Result<Option<PaymentOwner>, ProviderError> {
    let Some(topup) = payment.topup() else { return Ok(None) };
    let (charge, fee) = match payment.latest_charge {
        Some(Expandable::Object(charge)) => {
            let Charge { id, balance_transaction, .. } = *charge;
            (Some(id), balance_transaction.and_then(Expandable::into_object))
        }
        Some(Expandable::Id(id)) => (Some(id), None),
        None => (None, None),
    };
    Ok(Some(PaymentOwner {
        topup,
        livemode: payment.livemode.ok_or_else(|| not_understood("the payment has no livemode"))?,
        charge: charge.map(|id| ChargeId::parse(NAME, id)).transpose().map_err(not_understood)?,
        fee: fee.map(BalanceTransaction::real_fee).transpose().map_err(not_understood)?,
    }))
}

pub(super) async fn read_fee(transport: &impl Transport, id: &FeeId) -> Result<RealFee, ProviderError> {
    let movement: BalanceTransaction = ask(transport, &RetrieveBalanceTransaction::new(id.as_str())).await?;
    movement.real_fee().map_err(not_understood)
}

pub(super) async fn read_receipt(
    transport: &impl Transport,
    payment: &PaymentId,
) -> Result<Option<String>, ProviderError> {
    let expanded = RetrievePaymentIntent::new(payment.as_str()).expand(["latest_charge".to_owned()]);
    let payment: PaymentIntent = ask(transport, &expanded).await?;
    let charge = payment.latest_charge.and_then(Expandable::into_object);
    Ok(charge.and_then(|charge| charge.receipt_url))
}

pub(super) async fn refunds_of(
    transport: &impl Transport,
    payment: &PaymentId,
) -> Result<Vec<RefundReport>, ProviderError> {
    all_refunds(transport, payment).await?.into_iter().map(refund_report).collect()
}

/// The refund whose metadata names one of our refund requests.
pub(super) async fn find_refund(
    transport: &impl Transport,
    payment: &PaymentId,
    request_id: &str,
) -> Result<Option<RefundReport>, ProviderError> {
    let refunds = all_refunds(transport, payment).await?;
    let is_it = |refund: &Refund| refund.request() == Some(request_id);
    refunds.into_iter().find(is_it).map(refund_report).transpose()
}

async fn all_refunds(transport: &impl Transport, payment: &PaymentId) -> Result<Vec<Refund>, ProviderError> {
    let mut refunds: Vec<Refund> = Vec::new();
    for _ in 0..MAX_PAGES {
        let mut list = ListRefund::new().payment_intent(payment.as_str()).limit(PAGE);
        if let Some(last) = refunds.last() {
            list = list.starting_after(last.id.as_str());
        }
        let page: List<Refund> = ask_list(transport, &list).await?;
        refunds.extend(page.data);
        if !page.has_more {
            return Ok(refunds);
        }
    }
    Err(not_understood("too many refunds of one payment"))
}

pub(super) fn refund_report(refund: Refund) -> Result<RefundReport, ProviderError> {
    refund.report().map_err(not_understood)
}

/// A payment has one dispute, rarely two.
pub(super) async fn disputes_of(
    transport: &impl Transport,
    payment: &PaymentId,
) -> Result<Vec<DisputeReport>, ProviderError> {
    let page: List<Dispute> =
        ask_list(transport, &ListDispute::new().payment_intent(payment.as_str()).limit(PAGE)).await?;
    if page.has_more {
        return Err(not_understood("too many disputes of one payment"));
    }
    page.data.into_iter().map(dispute_report).collect()
}

pub(super) async fn read_dispute(
    transport: &impl Transport,
    dispute: &DisputeId,
) -> Result<DisputeReport, ProviderError> {
    dispute_report(ask(transport, &RetrieveDispute::new(dispute.as_str())).await?)
}

pub(super) fn dispute_report(dispute: Dispute) -> Result<DisputeReport, ProviderError> {
    dispute.report().map_err(not_understood)
}

pub(super) async fn create_refund(
    transport: &impl Transport,
    order: &RefundOrder,
    key: &str,
) -> Result<RefundReport, ProviderError> {
    let mut refund =
        CreateRefund::new().payment_intent(order.payment.as_str()).amount(order.amount_minor).metadata(HashMap::from(
            [("purpose".to_owned(), PURPOSE.to_owned()), (REFUND_REQUEST_ID.to_owned(), order.request_id.clone())],
        ));
    if let Some(reason) = &order.reason {
        refund = refund.reason(match RefundReason::parse(reason) {
            Some(RefundReason::Duplicate) => CreateRefundReason::Duplicate,
            Some(RefundReason::Fraudulent) => CreateRefundReason::Fraudulent,
            Some(RefundReason::RequestedByCustomer) | None => CreateRefundReason::RequestedByCustomer,
        });
    }
    refund_report(make(transport, &refund, key).await?)
}
