//! Sessions: the customer confirms the page, or authenticates. Payments and setups are `confirm` and `setup_intent`.
//!
//! Invariants: only an open session is confirmed. A session has one `PaymentIntent` or one `SetupIntent`, reused by
//! every further attempt.

use super::{
    Context, State, account,
    card::Outcome,
    confirm::{self, Confirmed, emit_intent, unexpected},
    currency, customer,
    error::ApiError,
    methods,
    payment::{IntentStatus, PaymentIntent, PaymentMethod},
    session::{self, Session, SessionStatus},
    session_completion, setup_intent,
};

/// Keeps the tax id that the customer typed on a page which asks for it.
pub(crate) fn keep_tax_id(state: &mut State, session_id: &str, tax_id: &str) {
    let typed = Some(tax_id.trim().to_owned()).filter(|typed| !typed.is_empty());
    if let Some(session) = state.sessions.get_mut(session_id).filter(|session| session.tax_id_collection) {
        session.tax_id = typed;
    }
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
    let method = with_customer(session, method)?;
    if session.setup_intent.is_some() {
        return set_up(state, context, session_id, method);
    }
    add_tax(state, session_id);
    let intent_id = intent_of(state, context, session_id)?;
    confirm::attempt(state, context, &intent_id, method, false)
}

/// Completes a session that needs no payment method: nothing is due, and its page may skip the card.
pub(crate) fn confirm_without_method(
    state: &mut State,
    context: &mut Context<'_>,
    session_id: &str,
    email: Option<String>,
) -> Result<Confirmed, ApiError> {
    let session = session::find(state, session_id)?;
    if !session.is_open() {
        return Err(not_open(session.status));
    }
    session_completion::complete_free(state, context, session_id, email);
    Ok(Confirmed::Complete)
}

/// Checks that the session may use the payment method, and how long it is kept: with the box ticked for later
/// checkouts too, in any other case for charges off session only.
fn with_customer(session: &Session, mut method: PaymentMethod) -> Result<PaymentMethod, ApiError> {
    methods::check_usable(&method, session.customer_id.as_deref())?;
    method.to_save &= session.offers_to_save();
    if method.customer.is_none() {
        if method.to_save { "always" } else { "limited" }.clone_into(&mut method.allow_redisplay);
    }
    Ok(method)
}

/// Saves the payment method of a session in setup mode.
fn set_up(
    state: &mut State,
    context: &mut Context<'_>,
    session_id: &str,
    method: PaymentMethod,
) -> Result<Confirmed, ApiError> {
    let intent_id = setup_intent_of(state, session_id)?;
    let method_id = method.id.clone();
    // The customer that the session creates must be there before the card is attached.
    let ends_now = matches!(method.setup_outcome(), Outcome::Succeeds | Outcome::Delayed);
    state.payment_methods.insert(method.clone());
    if ends_now {
        session_completion::settle_setup_customer(state, context, session_id, &method_id);
    }
    if !setup_intent::attempt(state, context, &intent_id, method)? {
        return Ok(Confirmed::NeedsAction);
    }
    session_completion::complete_setup(state, context, session_id, &method_id);
    Ok(Confirmed::Complete)
}

fn setup_intent_of(state: &State, session_id: &str) -> Result<String, ApiError> {
    let intent = session::find(state, session_id)?.setup_intent.clone();
    intent.ok_or_else(|| ApiError::internal("the session has no setup intent"))
}

/// Adds the tax, which is known once the customer has given an address, and a tax id if it is a business.
fn add_tax(state: &mut State, session_id: &str) {
    // Without a registration Stripe collects nothing, and does not say so.
    let unregistered = state.tax_unregistered;
    let customer = state.sessions.get(session_id).and_then(|session| session.customer_id.clone());
    let is_business = customer::owes_tax_itself(state, customer.as_deref());
    let Some(session) = state.sessions.get_mut(session_id) else { return };
    if unregistered || !(session.automatic_tax || session.managed_payments) {
        return;
    }
    let owes_itself = is_business || session.tax_id.is_some();
    // What an attempt before this one added.
    let before = session.tax.saturating_sub(session.tax_inclusive);
    session.amount_total = session.amount_total.saturating_sub(before);
    (session.tax, session.tax_inclusive) = (0, 0);
    let step = currency::step(&session.currency);
    let mut exclusive = 0_i64;
    for item in &mut session.line_items {
        let is_inclusive = item.tax_behavior == "inclusive";
        item.tax = if owes_itself { 0 } else { account::tax_of(item.amount, is_inclusive, step) };
        session.tax = session.tax.saturating_add(item.tax);
        if is_inclusive {
            session.tax_inclusive = session.tax_inclusive.saturating_add(item.tax);
        } else {
            exclusive = exclusive.saturating_add(item.tax);
        }
    }
    session.amount_total = session.amount_total.saturating_add(exclusive);
    let (intent, total) = (session.payment_intent.clone(), session.amount_total);
    if let Some(intent) = intent.and_then(|id| state.payment_intents.get_mut(&id)) {
        intent.amount = total;
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
    if session.setup_intent.is_some() {
        let intent_id = setup_intent_of(state, session_id)?;
        let method_id = setup_intent::find(state, &intent_id)?.payment_method.clone().unwrap_or_default();
        if passed {
            session_completion::settle_setup_customer(state, context, session_id, &method_id);
        }
        setup_intent::answer_challenge(state, context, &intent_id, passed)?;
        session_completion::complete_setup(state, context, session_id, &method_id);
        return Ok(Confirmed::Complete);
    }
    let Some(intent_id) = session.payment_intent.clone() else {
        return Err(unexpected("This Checkout Session is not waiting for authentication."));
    };
    confirm::answer_challenge(state, context, &intent_id, passed)
}

fn not_open(status: SessionStatus) -> ApiError {
    unexpected(&format!(
        "You cannot confirm this Checkout Session because it has a status of `{}`. Only open sessions can be \
         confirmed.",
        status.as_str()
    ))
}

/// The session's `PaymentIntent`. The first attempt creates it; in old API versions the session does.
pub(crate) fn intent_of(state: &mut State, context: &mut Context<'_>, session_id: &str) -> Result<String, ApiError> {
    let session = session::find(state, session_id)?;
    if let Some(id) = &session.payment_intent {
        return Ok(id.clone());
    }
    let id = context.ids.next("pi_3", 23);
    let intent = PaymentIntent {
        invoice: None,
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
        customer: session.customer_id.clone(),
        awaits_transfer: false,
        amount_funded: 0,
    };
    state.payment_intents.insert(intent);
    if let Some(session) = state.sessions.get_mut(session_id) {
        session.payment_intent = Some(id.clone());
    }
    emit_intent(state, context, "payment_intent.created", &id);
    Ok(id)
}
