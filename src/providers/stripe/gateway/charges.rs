//! Charges of saved cards while the customer is not there: payments without a checkout session. The payment's own id
//! stands where a session's id stands for other purchases.

use std::collections::HashMap;
use std::str::FromStr;

use serde::Deserialize;
use stripe_client_core::{IdempotencyKey, StripeRequest};
use stripe_core::payment_intent::{
    CancelPaymentIntent, CreatePaymentIntent, CreatePaymentIntentOffSession, ListPaymentIntent, RetrievePaymentIntent,
};
use stripe_shared::PaymentIntentAllowedPaymentMethodTypes;
use stripe_types::RangeQueryTs;

use crate::domain::checkout::PurchaseReport;
use crate::domain::ids::{CustomerId, PaymentId, SessionId, TopupId};
use crate::providers::port::{Charge, CheckoutRequest, ListPage, ProviderError};
use crate::providers::stripe::gateway::call::{any_answer_to, ask, ask_list, read};
use crate::providers::stripe::gateway::checkout::{metadata, payment_description};
use crate::providers::stripe::gateway::failure;
use crate::providers::stripe::gateway::failure::not_understood;
use crate::providers::stripe::gateway::lists::{Page, collect, within};
use crate::providers::stripe::gateway::money::PAGE;
use crate::providers::stripe::objects::{AUTO_TOPUP, ORIGIN, PaymentError, PaymentIntent};
use crate::providers::stripe::transport::{Answer, Transport};

/// A declined card: the answer has the payment, which stays open.
const PAYMENT_REQUIRED: u16 = 402;
/// The payment is in another state than the call needs: it was cancelled before, or is paid.
const UNEXPECTED_STATE: &str = "payment_intent_unexpected_state";
/// How Stripe's ids of payments begin.
const PAYMENT_PREFIX: &str = "pi_";
/// The most pages to search for a top-up's payment: a customer has few.
const MAX_LOOKED_PAGES: usize = 5;

/// Whether a purchase's id is that of a payment, because there was no checkout session.
pub(super) fn is_payment(session: &SessionId) -> bool {
    session.as_str().starts_with(PAYMENT_PREFIX)
}

/// Builds the request; equal for equal stored requests. `None` if it names no card, or a stored number cannot be sent.
fn create(request: &CheckoutRequest) -> Option<CreatePaymentIntent> {
    let currency = stripe_types::Currency::from_str(&request.currency).unwrap_or_else(|never| match never {});
    let mut metadata: HashMap<String, String> = metadata(request);
    metadata.insert(ORIGIN.to_owned(), AUTO_TOPUP.to_owned());
    Some(
        CreatePaymentIntent::new(request.total_amount_minor()?, currency)
            .customer(request.customer.as_deref()?)
            .payment_method(request.payment_method.as_deref()?)
            // Of the methods that the dashboard allows, some would need a page to return to.
            .allowed_payment_method_types(vec![PaymentIntentAllowedPaymentMethodTypes::Card])
            .off_session(CreatePaymentIntentOffSession::Bool(true))
            .confirm(true)
            .description(payment_description(request)?)
            .metadata(metadata),
    )
}

#[derive(Deserialize)]
struct DeclinedBody {
    error: DeclinedError,
}

#[derive(Deserialize)]
struct DeclinedError {
    #[serde(flatten)]
    error: PaymentError,
    #[serde(default)]
    payment_intent: Option<PaymentIntent>,
}

pub(super) async fn charge(
    transport: &impl Transport,
    request: &CheckoutRequest,
    key: &str,
) -> Result<Charge, ProviderError> {
    let request =
        create(request).ok_or_else(|| ProviderError::Unreachable("the stored request cannot be sent".to_owned()))?;
    let key = IdempotencyKey::new(key).map_err(|error| ProviderError::Unreachable(error.to_string()))?;
    let answer = any_answer_to(transport, request.build(), Some(key.into_inner())).await?;
    match answer.status {
        200..300 => outcome(read(&answer)?),
        PAYMENT_REQUIRED => declined(&answer),
        _ => Err(failure::of_answer(&answer)),
    }
}

fn declined(answer: &Answer) -> Result<Charge, ProviderError> {
    let Ok(DeclinedBody { error }) = serde_json::from_slice(&answer.body) else {
        return Err(failure::of_answer(answer));
    };
    let payment = error.payment_intent.map(PaymentIntent::into_payment).transpose().map_err(not_understood)?;
    Ok(Charge::Declined { payment, decline: error.error.decline() })
}

/// What a payment says that was read. One that waits for the customer is as good as declined: nobody is there.
fn outcome(payment: PaymentIntent) -> Result<Charge, ProviderError> {
    if payment.brings_money() {
        let report = payment.report(None).map_err(not_understood)?;
        let report = report.ok_or_else(|| not_understood("the payment is not ours"))?;
        return Ok(Charge::Made(Box::new(report)));
    }
    let decline = payment.decline();
    Ok(Charge::Declined { payment: Some(payment.into_payment().map_err(not_understood)?), decline })
}

pub(super) async fn find(
    transport: &impl Transport,
    topup: &TopupId,
    customer: &CustomerId,
    within_ms: (i64, i64),
) -> Result<Option<Charge>, ProviderError> {
    let within = within(within_ms.0, within_ms.1);
    let mut after: Option<String> = None;
    for _ in 0..MAX_LOOKED_PAGES {
        let mut list = ListPaymentIntent::new().customer(customer.as_str()).created(within).limit(PAGE);
        if let Some(after) = &after {
            list = list.starting_after(after.as_str());
        }
        let page = ask_list::<PaymentIntent>(transport, &list).await?;
        let (has_more, end) = (page.has_more, page.data.last().map(|payment| payment.id().to_owned()));
        if let Some(found) = page.data.into_iter().find(|payment| payment.topup().as_ref() == Some(topup)) {
            return outcome(found).map(Some);
        }
        if !has_more {
            return Ok(None);
        }
        after = end;
    }
    Err(not_understood("too many payments of one customer to find one"))
}

pub(super) async fn cancel(transport: &impl Transport, payment: &PaymentId) -> Result<Charge, ProviderError> {
    let cancelled = ask::<PaymentIntent>(transport, &CancelPaymentIntent::new(payment.as_str())).await;
    match cancelled {
        Err(ProviderError::Refused(failure)) if failure.code == UNEXPECTED_STATE => {
            outcome(ask(transport, &RetrievePaymentIntent::new(payment.as_str())).await?)
        }
        cancelled => outcome(cancelled?),
    }
}

/// The report of a payment without a session; `None` if it is not ours.
pub(super) async fn report_of(
    transport: &impl Transport,
    session: &SessionId,
) -> Result<Option<PurchaseReport>, ProviderError> {
    let payment: PaymentIntent = ask(transport, &RetrievePaymentIntent::new(session.as_str())).await?;
    payment.report(None).map_err(not_understood)
}

/// Only payments that were made here without a session: those of sessions are listed with their sessions.
pub(super) async fn list(
    transport: &impl Transport,
    since_seconds: i64,
    after: Option<&str>,
) -> Result<ListPage<PurchaseReport>, ProviderError> {
    let mut list = ListPaymentIntent::new().created(RangeQueryTs::gte(since_seconds)).limit(PAGE);
    if let Some(after) = after {
        list = list.starting_after(after);
    }
    let page: Page = ask_list(transport, &list).await?;
    collect(page, |payment| {
        let payment: PaymentIntent = serde_json::from_str(payment.get()).map_err(not_understood)?;
        payment.report(None).map_err(not_understood)
    })
}
