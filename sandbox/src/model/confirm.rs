//! Payments, with or without a session: confirmation and authentication. The page and the API both use this module.
//!
//! Invariants: a session completes at most once, and only then does its charge succeed or start to settle. A session
//! has one `PaymentIntent`, reused by every further attempt.

use serde_json::Value;

use super::{
    Context, State, account, after_charge,
    card::{Decline, Outcome},
    currency,
    error::ApiError,
    payment::{Charge, ChargeStatus, IntentStatus, PaymentIntent, PaymentMethod},
    payment_json, sepa,
    session::{self, CustomerDetails, SessionStatus},
    session_json,
};

/// The result of a confirmation that was not declined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Confirmed {
    /// The customer is done; the payment has succeeded or is still processing.
    Complete,
    /// The customer must authenticate.
    NeedsAction,
}

/// Pays an open session. A decline is an error; it leaves a failed charge, and the session stays open.
pub(crate) fn confirm(
    state: &mut State,
    context: &mut Context<'_>,
    session_id: &str,
    method: PaymentMethod,
) -> Result<Confirmed, ApiError> {
    let session = session::find(state, session_id)?;
    if !session.is_open() {
        return Err(not_open(session.status));
    }
    add_tax(state, session_id);
    let intent_id = intent_of(state, context, session_id)?;
    attempt(state, context, &intent_id, method)
}

/// Adds the tax, which is known once the customer has given an address.
fn add_tax(state: &mut State, session_id: &str) {
    let Some(session) = state.sessions.get_mut(session_id) else { return };
    if session.tax > 0 || !(session.automatic_tax || session.managed_payments) {
        return;
    }
    session.tax = account::tax(session.amount_total, currency::step(&session.currency));
    session.amount_total = session.amount_total.saturating_add(session.tax);
    let (intent, total) = (session.payment_intent.clone(), session.amount_total);
    if let Some(intent) = intent.and_then(|id| state.payment_intents.get_mut(&id)) {
        intent.amount = total;
    }
}

/// Charges a payment method for a payment intent, for a session's page or for the API.
pub(crate) fn attempt(
    state: &mut State,
    context: &mut Context<'_>,
    intent_id: &str,
    method: PaymentMethod,
) -> Result<Confirmed, ApiError> {
    let (outcome, method_id) = (method.outcome, method.id.clone());
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

/// The customer passes or fails the 3-D Secure challenge of a session.
pub(crate) fn finish_challenge(
    state: &mut State,
    context: &mut Context<'_>,
    session_id: &str,
    passed: bool,
) -> Result<Confirmed, ApiError> {
    let session = session::find(state, session_id)?;
    if !session.is_open() {
        return Err(not_open(session.status));
    }
    let Some(intent_id) = session.payment_intent.clone() else {
        return Err(unexpected("This Checkout Session is not waiting for authentication."));
    };
    answer_challenge(state, context, &intent_id, passed)
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

fn not_open(status: SessionStatus) -> ApiError {
    unexpected(&format!(
        "You cannot confirm this Checkout Session because it has a status of `{}`. Only open sessions can be \
         confirmed.",
        status.as_str()
    ))
}

pub(crate) fn unexpected(message: &str) -> ApiError {
    ApiError::invalid(message).code("payment_intent_unexpected_state").executed()
}

/// The session's `PaymentIntent`. The first attempt creates it; in old API versions the session does.
pub(crate) fn intent_of(state: &mut State, context: &mut Context<'_>, session_id: &str) -> Result<String, ApiError> {
    let session = session::find(state, session_id)?;
    if let Some(id) = &session.payment_intent {
        return Ok(id.clone());
    }
    let id = context.ids.next("pi_3", 23);
    let intent = PaymentIntent {
        id: id.clone(),
        created: context.now(),
        session: Some(session_id.to_owned()),
        amount: session.amount_total,
        currency: session.currency.clone(),
        status: IntentStatus::RequiresPaymentMethod,
        data: session.payment_intent_data.clone(),
        client_secret: format!("{id}_secret_{}", context.ids.next("", 25)),
        payment_method: None,
        payment_method_types: session.payment_method_types.clone(),
        latest_charge: None,
        last_error: None,
        canceled_at: None,
        cancellation_reason: None,
        allowed_payment_method_types: None,
        automatic_payment_methods: None,
    };
    state.payment_intents.insert(intent);
    if let Some(session) = state.sessions.get_mut(session_id) {
        session.payment_intent = Some(id.clone());
    }
    emit_intent(state, context, "payment_intent.created", &id);
    Ok(id)
}

/// Marks charge, intent and session as paid, in Stripe's order, and last books the balance transaction.
fn succeed(
    state: &mut State,
    context: &mut Context<'_>,
    intent_id: &str,
    method_id: &str,
    authenticated: bool,
) -> Result<Confirmed, ApiError> {
    let charge_id = new_charge(state, context, intent_id, method_id, authenticated)
        .ok_or_else(|| ApiError::internal("the payment intent is gone"))?;
    if state.payment_intents.get(intent_id).is_some_and(PaymentIntent::is_captured_by_hand) {
        reserve(state, context, intent_id, &charge_id);
        return Ok(Confirmed::Complete);
    }
    pay(state, context, intent_id, &charge_id);
    complete_session(state, context, intent_id, true);
    after_charge::fill_in(state, context, &charge_id);
    Ok(Confirmed::Complete)
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
    let charge_id = new_charge(state, context, intent_id, method_id, false);
    change(state, intent_id, |intent| intent.status = IntentStatus::Processing);
    emit_intent(state, context, "payment_intent.processing", intent_id);
    if let Some(charge_id) = charge_id {
        emit_charge(state, context, "charge.pending", &charge_id);
    }
    complete_session(state, context, intent_id, false);
    sepa::schedule(state, context, intent_id, method_id);
    Confirmed::Complete
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
    };
    state.charges.insert(charge);
    Some(id)
}

fn complete_session(state: &mut State, context: &mut Context<'_>, intent_id: &str, paid: bool) {
    let intent = state.payment_intents.get(intent_id);
    let Some((Some(session_id), method)) =
        intent.map(|intent| (intent.session.clone(), intent.payment_method.clone().unwrap_or_default()))
    else {
        return;
    };
    let typed = state
        .payment_methods
        .get(&method)
        .map(|method| CustomerDetails { email: method.email.clone(), name: method.name.clone() });
    if let Some(session) = state.sessions.get_mut(&session_id) {
        session.status = SessionStatus::Complete;
        state.open_until.remove(&(session.expires_at, session.id.clone()));
        session.paid = paid;
        session.customer = typed;
    }
    let event = emit_session(state, context, "checkout.session.completed", &session_id);
    if let Some(session) = state.sessions.get_mut(&session_id) {
        session.completed_event = event;
    }
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

pub(crate) fn emit_intent(state: &mut State, context: &mut Context<'_>, kind: &str, id: &str) {
    if let Some(rendered) = payment_json::intent_by_id(state, context.base_url, id) {
        state.emit(context, kind, rendered);
    }
}

pub(crate) fn emit_charge(state: &mut State, context: &mut Context<'_>, kind: &str, id: &str) {
    if let Some(rendered) = payment_json::charge_by_id(state, id) {
        state.emit(context, kind, rendered);
    }
}

pub(crate) fn emit_session(state: &mut State, context: &mut Context<'_>, kind: &str, id: &str) -> Option<String> {
    let rendered = session_json::snapshot(state, context, id)?;
    Some(state.emit(context, kind, rendered))
}
