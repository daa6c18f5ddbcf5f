//! Payments, with or without a session: what happens when a payment intent is confirmed or its customer authenticates.
//! The page and the API both use this module.
//!
//! Invariants: a session completes at most once, and only then does its charge succeed or start to settle.

use serde_json::Value;

use super::{
    Context, State, after_charge,
    card::{Decline, Outcome},
    error::ApiError,
    methods,
    methods::Usage,
    payment::{Charge, ChargeStatus, IntentStatus, PaymentIntent, PaymentMethod},
    payment_json, sepa,
    session::PaymentIntentData,
    session_completion,
};

/// The result of a confirmation that was not declined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Confirmed {
    /// The customer is done; the payment has succeeded or is still processing.
    Complete,
    /// The customer must authenticate.
    NeedsAction,
}

/// Charges a payment method for a payment intent, for a session's page or for the API.
pub(crate) fn attempt(
    state: &mut State,
    context: &mut Context<'_>,
    intent_id: &str,
    method: PaymentMethod,
    off_session: bool,
) -> Result<Confirmed, ApiError> {
    let (outcome, method_id) = (method.charge_outcome(off_session), method.id.clone());
    state.payment_methods.insert(method);
    match outcome {
        Outcome::Succeeds => succeed(state, context, intent_id, &method_id, false),
        Outcome::Declined(decline) => Err(fail_charge(state, context, intent_id, &method_id, decline, false)),
        Outcome::Challenge(_) => {
            change(state, intent_id, |intent| {
                intent.status = IntentStatus::RequiresAction;
                intent.payment_method = Some(method_id);
                intent.last_error = None;
            });
            emit_intent(state, context, "payment_intent.requires_action", intent_id);
            Ok(Confirmed::NeedsAction)
        }
        Outcome::Delayed => Ok(begin_delayed(state, context, intent_id, &method_id)),
    }
}

/// The customer passes or fails the 3-D Secure challenge of a payment intent.
pub(crate) fn answer_challenge(
    state: &mut State,
    context: &mut Context<'_>,
    intent_id: &str,
    passed: bool,
) -> Result<Confirmed, ApiError> {
    let waiting = state
        .payment_intents
        .get(intent_id)
        .filter(|intent| intent.status == IntentStatus::RequiresAction)
        .and_then(|intent| intent.payment_method.clone());
    let Some(method_id) = waiting else {
        return Err(unexpected("This payment is not waiting for authentication."));
    };
    let after = state.payment_methods.get(&method_id).map(|method| method.outcome);
    match after {
        _ if !passed => Err(fail_authentication(state, context, intent_id)),
        Some(Outcome::Challenge(Some(decline))) => {
            Err(fail_charge(state, context, intent_id, &method_id, decline, true))
        }
        _ => succeed(state, context, intent_id, &method_id, true),
    }
}

/// Cancels an unpaid payment intent; that of a session, because the session expired.
pub(crate) fn cancel(state: &mut State, context: &mut Context<'_>, intent_id: &str, reason: Option<&str>) {
    let now = context.now();
    change(state, intent_id, |intent| {
        intent.status = IntentStatus::Canceled;
        intent.canceled_at = Some(now);
        intent.cancellation_reason = reason.map(str::to_owned);
    });
    emit_intent(state, context, "payment_intent.canceled", intent_id);
}

pub(crate) fn unexpected(message: &str) -> ApiError {
    ApiError::invalid(message).code("payment_intent_unexpected_state").executed()
}

/// Marks charge, intent and session as paid, in Stripe's order, and last books the balance transaction.
fn succeed(
    state: &mut State,
    context: &mut Context<'_>,
    intent_id: &str,
    method_id: &str,
    authenticated: bool,
) -> Result<Confirmed, ApiError> {
    use_method(state, context, intent_id, method_id);
    let charge_id = new_charge(state, context, intent_id, method_id, authenticated)
        .ok_or_else(|| ApiError::internal("the payment intent is gone"))?;
    if state.payment_intents.get(intent_id).is_some_and(PaymentIntent::is_captured_by_hand) {
        reserve(state, context, intent_id, &charge_id);
        return Ok(Confirmed::Complete);
    }
    pay(state, context, intent_id, &charge_id);
    session_completion::complete_payment(state, context, intent_id, true);
    after_charge::fill_in(state, context, &charge_id);
    Ok(Confirmed::Complete)
}

/// A bank transfer has come in full.
pub(crate) fn transferred(state: &mut State, context: &mut Context<'_>, intent_id: &str) -> Result<(), ApiError> {
    let method = state.payment_intents.get(intent_id).and_then(|intent| intent.payment_method.clone());
    succeed(state, context, intent_id, &method.unwrap_or_default(), false).map(|_| ())
}

pub(crate) fn pay(state: &mut State, context: &mut Context<'_>, intent_id: &str, charge_id: &str) {
    if let Some(charge) = state.charges.get_mut(charge_id) {
        charge.status = ChargeStatus::Succeeded;
    }
    change(state, intent_id, |intent| {
        intent.status = IntentStatus::Succeeded;
        intent.last_error = None;
    });
    emit_charge(state, context, "charge.succeeded", charge_id);
    emit_intent(state, context, "payment_intent.succeeded", intent_id);
}

/// With manual capture the money is only authorized.
fn reserve(state: &mut State, context: &mut Context<'_>, intent_id: &str, charge_id: &str) {
    if let Some(charge) = state.charges.get_mut(charge_id) {
        charge.status = ChargeStatus::Succeeded;
        charge.uncaptured = true;
    }
    change(state, intent_id, |intent| {
        intent.status = IntentStatus::RequiresCapture;
        intent.last_error = None;
    });
    emit_charge(state, context, "charge.succeeded", charge_id);
    emit_intent(state, context, "payment_intent.amount_capturable_updated", intent_id);
}

fn begin_delayed(state: &mut State, context: &mut Context<'_>, intent_id: &str, method_id: &str) -> Confirmed {
    use_method(state, context, intent_id, method_id);
    let charge_id = new_charge(state, context, intent_id, method_id, false);
    change(state, intent_id, |intent| intent.status = IntentStatus::Processing);
    emit_intent(state, context, "payment_intent.processing", intent_id);
    if let Some(charge_id) = charge_id {
        emit_charge(state, context, "charge.pending", &charge_id);
    }
    session_completion::complete_payment(state, context, intent_id, false);
    sepa::schedule(state, context, intent_id, method_id);
    Confirmed::Complete
}

/// Notes that the payment method is used, which saves it for its customer or spends it. A session has its customer by
/// now.
fn use_method(state: &mut State, context: &mut Context<'_>, intent_id: &str, method_id: &str) {
    session_completion::settle_customer(state, context, intent_id, method_id);
    let Some(intent) = state.payment_intents.get(intent_id) else { return };
    let (customer, for_later) = (intent.customer.clone(), intent.data.setup_future_usage.clone());
    let usage = Usage { customer: customer.as_deref(), for_later: for_later.as_deref() };
    methods::after_use(state, context, method_id, &usage);
}

/// Creates a pending charge, which becomes the latest of its intent.
fn new_charge(
    state: &mut State,
    context: &mut Context<'_>,
    intent_id: &str,
    method_id: &str,
    authenticated: bool,
) -> Option<String> {
    let delayed = state.payment_methods.get(method_id)?.card.is_none();
    let id = context.ids.next(if delayed { "py_3" } else { "ch_3" }, 23);
    let intent = state.payment_intents.get_mut(intent_id)?;
    intent.latest_charge = Some(id.clone());
    intent.payment_method = Some(method_id.to_owned());
    let charge = Charge {
        id: id.clone(),
        created: context.now(),
        amount: intent.amount,
        currency: intent.currency.clone(),
        status: ChargeStatus::Pending,
        payment_intent: intent_id.to_owned(),
        payment_method: method_id.to_owned(),
        failure: None,
        authenticated,
        balance_transaction: None,
        metadata: intent.data.metadata.clone(),
        description: intent.data.description.clone(),
        receipt_email: intent.data.receipt_email.clone(),
        amount_refunded: 0,
        disputed: false,
        uncaptured: false,
        customer: intent.customer.clone(),
        receipt_url: Some(format!("{}/receipts/{id}", context.base_url)),
    };
    state.charges.insert(charge);
    Some(id)
}

fn fail_charge(
    state: &mut State,
    context: &mut Context<'_>,
    intent_id: &str,
    method_id: &str,
    decline: Decline,
    authenticated: bool,
) -> ApiError {
    let charge_id = new_charge(state, context, intent_id, method_id, authenticated);
    if let Some(charge) = charge_id.as_deref().and_then(|id| state.charges.get_mut(id)) {
        charge.status = ChargeStatus::Failed;
        charge.failure = Some(decline);
    }
    if let Some(id) = &charge_id {
        emit_charge(state, context, "charge.failed", id);
    }
    fail_intent(state, context, intent_id, decline);
    let mut error = payment_json::card_error(state, intent_id, decline);
    if let Some(id) = charge_id {
        error = error.detail("charge", Value::String(id));
    }
    error
}

/// A failed challenge creates no charge.
fn fail_authentication(state: &mut State, context: &mut Context<'_>, intent_id: &str) -> ApiError {
    let decline = Decline::AuthenticationFailed;
    fail_intent(state, context, intent_id, decline);
    payment_json::card_error(state, intent_id, decline)
}

pub(crate) fn fail_intent(state: &mut State, context: &mut Context<'_>, intent_id: &str, decline: Decline) {
    change(state, intent_id, |intent| {
        intent.status = IntentStatus::RequiresPaymentMethod;
        intent.last_error = Some(decline);
    });
    emit_intent(state, context, "payment_intent.payment_failed", intent_id);
}

pub(crate) fn change(state: &mut State, intent_id: &str, change: impl FnOnce(&mut PaymentIntent)) {
    if let Some(intent) = state.payment_intents.get_mut(intent_id) {
        change(intent);
    }
}

/// Charges an invoice's payment method. A card that is set up is charged off session; any other one may ask for the
/// customer, as always when the customer is there.
pub(crate) fn charge_saved(
    state: &mut State,
    context: &mut Context<'_>,
    intent_id: &str,
    method: &str,
    on_session: bool,
) -> Result<Confirmed, ApiError> {
    let method = methods::named(state, context, method)?;
    let needs_customer = method.charge_outcome(true) == Outcome::Declined(Decline::AuthenticationRequired);
    attempt(state, context, intent_id, method, !on_session && !needs_customer)
}

/// A payment intent that is made without a request for it.
pub(crate) fn new_intent(
    context: &mut Context<'_>,
    amount: i64,
    currency: &str,
    customer: Option<&str>,
    data: PaymentIntentData,
) -> PaymentIntent {
    let id = context.ids.next("pi_3", 23);
    PaymentIntent {
        created: context.now(),
        session: None,
        amount,
        currency: currency.to_owned(),
        status: IntentStatus::RequiresPaymentMethod,
        data,
        client_secret: format!("{id}_secret_{}", context.ids.next("", 25)),
        id,
        payment_method: None,
        payment_method_types: vec!["card".to_owned()],
        latest_charge: None,
        last_error: None,
        canceled_at: None,
        cancellation_reason: None,
        allowed_payment_method_types: None,
        automatic_payment_methods: None,
        customer: customer.map(str::to_owned),
        awaits_transfer: false,
        amount_funded: 0,
        invoice: None,
    }
}

/// Emits an event about an intent. That of an invoice is noted, so that the invoice follows.
pub(crate) fn emit_intent(state: &mut State, context: &mut Context<'_>, kind: &str, id: &str) {
    let is_of_invoice = state.payment_intents.get(id).is_some_and(|intent| intent.invoice.is_some());
    let is_news =
        ["payment_intent.succeeded", "payment_intent.payment_failed", "payment_intent.requires_action"].contains(&kind);
    if is_of_invoice && is_news {
        state.changed_intents.push(id.to_owned());
    }
    if let Some(rendered) = payment_json::intent_by_id(state, context.base_url, id) {
        state.emit(context, kind, rendered);
    }
}

pub(crate) fn emit_charge(state: &mut State, context: &mut Context<'_>, kind: &str, id: &str) {
    if let Some(rendered) = payment_json::charge_by_id(state, id) {
        state.emit(context, kind, rendered);
    }
}
