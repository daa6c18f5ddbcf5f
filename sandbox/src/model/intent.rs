//! Payment intents created through the API, without a session: create, confirm, cancel, capture.
//!
//! Invariants: the payment itself is `confirm::attempt`, as for a session. The payment intent of a session is not
//! changed here: Checkout owns it.

use serde_json::Value;

use super::{
    Context, State, after_charge, bank_transfer, confirm,
    confirm::{change, emit_charge, emit_intent, unexpected},
    error::ApiError,
    methods,
    payment::{IntentStatus, PaymentIntent, PaymentMethod},
    payment_json,
};

/// Creates a payment intent. If it has a payment method, it only waits for confirmation.
pub(crate) fn create(
    state: &mut State,
    context: &mut Context<'_>,
    mut intent: PaymentIntent,
    method: Option<PaymentMethod>,
) -> String {
    let id = intent.id.clone();
    if let Some(method) = method {
        intent.status = IntentStatus::RequiresConfirmation;
        intent.payment_method = Some(method.id.clone());
        state.payment_methods.insert(method);
    }
    state.payment_intents.insert(intent);
    emit_intent(state, context, "payment_intent.created", &id);
    id
}

/// Charges the given payment method, or the one already on the intent.
pub(crate) fn confirm(
    state: &mut State,
    context: &mut Context<'_>,
    id: &str,
    method: Option<PaymentMethod>,
    off_session: bool,
) -> Result<(), ApiError> {
    let intent = of_the_api(state, id, "confirm")?;
    match intent.status {
        IntentStatus::RequiresPaymentMethod | IntentStatus::RequiresConfirmation | IntentStatus::RequiresAction => {}
        IntentStatus::Succeeded => {
            return Err(unexpected(
                "You cannot confirm this PaymentIntent because it has already succeeded after being previously \
                 confirmed.",
            ));
        }
        status => {
            return Err(unexpected(&format!(
                "You cannot confirm this PaymentIntent because it has a status of {}. Only a PaymentIntent with one \
                 of the following statuses may be confirmed: requires_payment_method, requires_confirmation, \
                 requires_action.",
                payment_json::intent_status(status)
            )));
        }
    }
    let customer = intent.customer.clone();
    let usable = intent.payment_method.as_deref().filter(|_| intent.status != IntentStatus::RequiresPaymentMethod);
    let method = method.or_else(|| usable.and_then(|id| state.payment_methods.get(id)).cloned());
    let Some(method) = method else {
        return Err(unexpected(
            "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the \
             PaymentIntent with a payment method and then confirm it again, or confirm it again directly with a \
             payment method or ConfirmationToken.",
        ));
    };
    methods::check_usable(&method, customer.as_deref())?;
    if method.bank_transfer {
        bank_transfer::check_can_wait(state, id)?;
        let method_id = method.id.clone();
        state.payment_methods.insert(method);
        change(state, id, |intent| intent.payment_method = Some(method_id));
        return bank_transfer::wait(state, context, id);
    }
    confirm::attempt(state, context, id, method, off_session).map(|_| ())
}

/// Cancels an unpaid payment intent and releases its authorized money.
pub(crate) fn cancel(
    state: &mut State,
    context: &mut Context<'_>,
    id: &str,
    reason: Option<&str>,
) -> Result<(), ApiError> {
    let intent = of_the_api(state, id, "cancel")?.clone();
    if matches!(intent.status, IntentStatus::Succeeded | IntentStatus::Canceled | IntentStatus::Processing) {
        return Err(unexpected(&format!(
            "You cannot cancel this PaymentIntent because it has a status of {}. Only a PaymentIntent with one of the \
             following statuses may be canceled: requires_payment_method, requires_capture, requires_confirmation, \
             requires_action.",
            payment_json::intent_status(intent.status)
        )));
    }
    if intent.status == IntentStatus::RequiresCapture {
        release(state, context, &intent);
    }
    confirm::cancel(state, context, id, reason);
    Ok(())
}

/// Emits `charge.refunded` without a refund: the money was never captured.
fn release(state: &mut State, context: &mut Context<'_>, intent: &PaymentIntent) {
    let Some(id) = intent.latest_charge.as_deref() else { return };
    let before = payment_json::charge_by_id(state, id).unwrap_or(Value::Null);
    if let Some(charge) = state.charges.get_mut(id) {
        charge.amount_refunded = charge.amount;
    }
    if let Some(after) = payment_json::charge_by_id(state, id) {
        state.emit_diff(context, "charge.refunded", &before, after);
    }
}

/// Captures all of the authorized money.
pub(crate) fn capture(
    state: &mut State,
    context: &mut Context<'_>,
    id: &str,
    amount: Option<i64>,
) -> Result<(), ApiError> {
    let intent = find(state, id)?;
    let (IntentStatus::RequiresCapture, Some(charge_id)) = (intent.status, intent.latest_charge.clone()) else {
        return Err(unexpected(&format!(
            "This PaymentIntent could not be captured because it has a status of {}. Only a PaymentIntent with one of \
             the following statuses may be captured: requires_capture.",
            payment_json::intent_status(intent.status)
        )));
    };
    match amount {
        Some(amount) if amount > intent.amount => {
            let message = "The amount to capture is greater than the capturable amount of this PaymentIntent.";
            return Err(ApiError::invalid(message).code("amount_too_large").param("amount_to_capture"));
        }
        Some(amount) if amount < intent.amount => {
            return Err(ApiError::unsupported("capturing a part", "amount_to_capture"));
        }
        _ => {}
    }
    if let Some(charge) = state.charges.get_mut(&charge_id) {
        charge.uncaptured = false;
    }
    change(state, id, |intent| intent.status = IntentStatus::Succeeded);
    emit_charge(state, context, "charge.captured", &charge_id);
    emit_intent(state, context, "payment_intent.succeeded", id);
    after_charge::fill_in(state, context, &charge_id);
    Ok(())
}

pub(crate) fn find<'a>(state: &'a State, id: &str) -> Result<&'a PaymentIntent, ApiError> {
    state.payment_intents.get(id).ok_or_else(|| ApiError::not_found("payment_intent", id, "intent"))
}

/// A payment intent that the API may change.
pub(crate) fn of_the_api<'a>(state: &'a State, id: &str, verb: &str) -> Result<&'a PaymentIntent, ApiError> {
    let intent = find(state, id)?;
    if intent.session.is_none() {
        return Ok(intent);
    }
    Err(unexpected(&format!(
        "You cannot {verb} this PaymentIntent because it was created by a Checkout Session. Pay or expire the Checkout \
         Session instead."
    )))
}
