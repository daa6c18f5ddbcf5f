//! Saved payment methods: attaching them to a customer, detaching them, and what using one means for the next time.
//!
//! Invariants: an attached payment method is used for its own customer only. One that was used without a customer, or
//! detached, is never used again.

use serde_json::Value;

use super::{
    Context, State,
    card::{self, Outcome, TestCard},
    card_entry,
    card_entry::CardParams,
    customer,
    error::ApiError,
    method_json,
    payment::PaymentMethod,
    payment_json,
    session::Session,
};

pub(crate) fn find<'a>(state: &'a State, id: &str) -> Result<&'a PaymentMethod, ApiError> {
    state.payment_methods.get(id).ok_or_else(|| ApiError::not_found("PaymentMethod", id, "payment_method"))
}

/// The payment method that a parameter names: a stored one, or a new one for a test name such as `pm_card_visa`.
pub(crate) fn named(state: &State, context: &mut Context<'_>, name: &str) -> Result<PaymentMethod, ApiError> {
    match state.payment_methods.get(name) {
        Some(found) => Ok(found.clone()),
        None => card_entry::named(name, context),
    }
}

/// Checks that a payment for this customer, or for none, may use it.
pub(crate) fn check_usable(method: &PaymentMethod, customer: Option<&str>) -> Result<(), ApiError> {
    let refuse = |message: String| Err(ApiError::invalid(message).param("payment_method"));
    match (&method.customer, customer) {
        _ if method.spent => refuse(
            "The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, shared \
             with a connected account without Customer attachment, or was detached from a Customer. It may not be \
             used again. To use a PaymentMethod multiple times, you must attach it to a Customer first."
                .to_owned(),
        ),
        (Some(owner), None) => refuse(format!(
            "The payment method {} belongs to the Customer {owner}. Please include the Customer in the `customer` \
             parameter of the request.",
            method.id
        )),
        (Some(owner), Some(customer)) if owner != customer => refuse(format!(
            "The payment method {} does not belong to the Customer you supplied {customer}. Please use this payment \
             method with the Customer that it belongs to instead.",
            method.id
        )),
        _ => Ok(()),
    }
}

/// `POST /v1/payment_methods/{id}/attach`. The bank is asked whether the card is good; it is not set up for charges off
/// session.
pub(crate) fn attach(
    state: &mut State,
    context: &mut Context<'_>,
    method: PaymentMethod,
    customer_id: &str,
) -> Result<String, ApiError> {
    customer::referenced(state, customer_id, "customer")?;
    match &method.customer {
        Some(owner) if owner == customer_id => return Ok(method.id),
        Some(_) => {
            let message = "The payment method you provided has already been attached to a customer.";
            return Err(ApiError::invalid(message).param("payment_method"));
        }
        None => check_usable(&method, Some(customer_id))?,
    }
    check_attachable(&method)?;
    let id = method.id.clone();
    state.payment_methods.insert(method);
    bind(state, context, &id, customer_id);
    Ok(id)
}

/// Asks the bank whether the card is good.
pub(crate) fn check_attachable(method: &PaymentMethod) -> Result<(), ApiError> {
    match method.setup_outcome() {
        Outcome::Declined(decline) => Err(payment_json::decline_error(decline)),
        _ => Ok(()),
    }
}

/// Attaches it without asking the bank, which a payment or a setup has done.
pub(crate) fn bind(state: &mut State, context: &mut Context<'_>, id: &str, customer: &str) {
    let Some(method) = state.payment_methods.get_mut(id) else { return };
    method.customer = Some(customer.to_owned());
    emit(state, context, "payment_method.attached", id);
}

fn emit(state: &mut State, context: &mut Context<'_>, kind: &str, id: &str) {
    if let Some(rendered) = state.payment_methods.get(id).map(method_json::payment_method) {
        state.emit(context, kind, rendered);
    }
}

/// Detaches it for good. The customer loses it as the default.
pub(crate) fn detach(state: &mut State, context: &mut Context<'_>, id: &str) -> Result<(), ApiError> {
    let Some(owner) = find(state, id)?.customer.clone() else {
        let message = "The payment method you provided is not attached to a customer so detachment is impossible.";
        return Err(ApiError::invalid(message).param("payment_method"));
    };
    change(state, context, "payment_method.detached", id, |method| {
        method.customer = None;
        method.spent = true;
    });
    customer::change(state, context, &owner, |customer| {
        let default = &mut customer.profile.invoice_settings.default_payment_method;
        if default.as_deref() == Some(id) {
            *default = None;
        }
    });
    Ok(())
}

/// Changes it, and emits the event if that changed anything that is shown.
pub(crate) fn change(
    state: &mut State,
    context: &mut Context<'_>,
    kind: &str,
    id: &str,
    change: impl FnOnce(&mut PaymentMethod),
) {
    let Some(method) = state.payment_methods.get_mut(id) else { return };
    let before = method_json::payment_method(method);
    change(method);
    let after = method_json::payment_method(method);
    if before != after {
        state.emit_diff(context, kind, &before, after);
    }
}

/// A new card from the network: its number and its expiry change, its id does not.
pub(crate) fn renew(state: &mut State, context: &mut Context<'_>, id: &str, known: &TestCard, expiry: (i64, i64)) {
    let (exp_month, exp_year) = expiry;
    let typed = CardParams { number: known.number.to_owned(), exp_month, exp_year, cvc: None };
    change(state, context, "payment_method.automatically_updated", id, |method| {
        method.card = Some(card_entry::card_of(&typed, known.outcome));
        method.outcome = known.outcome;
        method.after = card::aftermath(known.number);
        method.off_session = card::off_session(known.number);
    });
}

/// What a successful use does: a payment intent or setup intent that is for later saves it, any other use spends it.
pub(crate) fn after_use(state: &mut State, context: &mut Context<'_>, id: &str, usage: &Usage<'_>) {
    let Some(method) = state.payment_methods.get_mut(id) else { return };
    let is_kept = usage.for_later.is_some() || method.to_save;
    if usage.for_later == Some("off_session") {
        method.set_up = true;
    }
    match (usage.customer, &method.customer) {
        (Some(customer), None) if is_kept => bind(state, context, id, customer),
        (_, None) => method.spent = true,
        _ => {}
    }
}

/// Who used it, and whether it is meant for later.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage<'a> {
    pub(crate) customer: Option<&'a str>,
    /// `off_session` or `on_session`.
    pub(crate) for_later: Option<&'a str>,
}

/// The saved cards of a customer that a page may show, newest first.
pub(crate) fn shown_to<'a>(state: &'a State, session: &'a Session) -> impl Iterator<Item = &'a PaymentMethod> {
    state.payment_methods.iter().rev().filter(move |method| {
        method.card.is_some()
            && method.customer.is_some()
            && method.customer == session.customer_id
            && session.shows_saved(&method.allow_redisplay)
    })
}

pub(crate) fn by_id(state: &State, id: &str) -> Option<Value> {
    state.payment_methods.get(id).map(method_json::payment_method)
}

/// The error for a default payment method that is not the customer's.
pub(crate) fn check_attached(state: &State, id: &str, customer: &str, param: &str) -> Result<(), ApiError> {
    let is_theirs = state.payment_methods.get(id).is_some_and(|method| method.customer.as_deref() == Some(customer));
    if is_theirs {
        return Ok(());
    }
    let message = format!(
        "No such PaymentMethod: '{id}'; the payment method must be attached to the customer before it can be its \
         default."
    );
    Err(ApiError::invalid(message).code("resource_missing").param(param))
}
