//! The end of a session's page: its customer is created or updated, the session is complete, and its event is sent.

use super::{
    Context, State, customer,
    customer::{Customer, Profile},
    payment::PaymentMethod,
    session::{CustomerDetails, Mode, SessionStatus},
    session_json, setup_intent,
};

/// The customer of the session of a payment: a new one if the session creates one, or the given one with what it took
/// over from the page.
pub(crate) fn settle_customer(state: &mut State, context: &mut Context<'_>, intent_id: &str, method_id: &str) {
    let Some(session_id) = state.payment_intents.get(intent_id).and_then(|intent| intent.session.clone()) else {
        return;
    };
    if let Some(customer) = customer_of(state, context, &session_id, method_id)
        && let Some(intent) = state.payment_intents.get_mut(intent_id)
    {
        intent.customer = Some(customer);
    }
}

/// The same for a session in setup mode.
pub(crate) fn settle_setup_customer(state: &mut State, context: &mut Context<'_>, session_id: &str, method_id: &str) {
    let intent_id = state.sessions.get(session_id).and_then(|session| session.setup_intent.clone());
    if let (Some(customer), Some(intent_id)) = (customer_of(state, context, session_id, method_id), intent_id) {
        setup_intent::change(state, &intent_id, |intent| intent.customer = Some(customer));
    }
}

fn customer_of(state: &mut State, context: &mut Context<'_>, session_id: &str, method_id: &str) -> Option<String> {
    let session = state.sessions.get(session_id)?.clone();
    let method = state.payment_methods.get(method_id)?.clone();
    if let Some(id) = session.customer_id {
        let takes = |what: &str| session.customer_update.get(what).is_some_and(|choice| choice == "auto");
        let (name, address) = (takes("name"), takes("address"));
        customer::change(state, context, &id, |customer| {
            let profile = &mut customer.profile;
            profile.email = profile.email.take().or(method.email);
            profile.name = method.name.filter(|_| name).or(profile.name.take());
            profile.address = method.address.filter(|_| address).or(profile.address.take());
            customer.tax_id = session.tax_id.or(customer.tax_id.take());
        });
        return Some(id);
    }
    if session.customer_creation != "always" {
        return None;
    }
    let made = Customer::new(context, profile_of(&method));
    let created = customer::add(state, context, made);
    if let Some(session) = state.sessions.get_mut(session_id) {
        session.customer_id = Some(created.clone());
    }
    Some(created)
}

fn profile_of(method: &PaymentMethod) -> Profile {
    Profile {
        email: method.email.clone(),
        name: method.name.clone(),
        phone: method.phone.clone(),
        address: method.address.clone(),
        ..Profile::default()
    }
}

/// The payment of a session is done on the customer's side: it is paid, or it settles later.
pub(crate) fn complete_payment(state: &mut State, context: &mut Context<'_>, intent_id: &str, paid: bool) {
    let intent = state.payment_intents.get(intent_id);
    if let Some((Some(session_id), method)) =
        intent.map(|intent| (intent.session.clone(), intent.payment_method.clone().unwrap_or_default()))
    {
        complete(state, context, &session_id, &method, paid);
    }
}

/// The card of a session in setup mode is saved.
pub(crate) fn complete_setup(state: &mut State, context: &mut Context<'_>, session_id: &str, method_id: &str) {
    complete(state, context, session_id, method_id, false);
}

fn complete(state: &mut State, context: &mut Context<'_>, session_id: &str, method_id: &str, paid: bool) {
    let typed = state
        .payment_methods
        .get(method_id)
        .map(|method| CustomerDetails { email: method.email.clone(), name: method.name.clone() });
    if let Some(session) = state.sessions.get_mut(session_id) {
        session.status = SessionStatus::Complete;
        state.open_until.remove(&(session.expires_at, session.id.clone()));
        session.paid = paid;
        session.customer = typed.map(|typed| CustomerDetails {
            email: typed.email.or_else(|| session.customer_email.clone()),
            name: typed.name,
        });
    }
    promise(state, context, session_id);
    let event = emit_session(state, context, "checkout.session.completed", session_id);
    if let Some(session) = state.sessions.get_mut(session_id) {
        session.completed_event = event;
    }
}

/// A session that nothing is due for completes without a payment method.
pub(crate) fn complete_free(state: &mut State, context: &mut Context<'_>, session_id: &str, email: Option<String>) {
    let Some(session) = state.sessions.get(session_id).cloned() else { return };
    if session.customer_id.is_none() {
        let profile = Profile { email: email.or(session.customer_email), ..Profile::default() };
        let made = Customer::new(context, profile);
        let created = customer::add(state, context, made);
        if let Some(session) = state.sessions.get_mut(session_id) {
            session.customer_id = Some(created);
        }
    }
    complete(state, context, session_id, "", false);
}

/// A completed session names its subscription and its invoice, which are made right after it: see `billing`.
fn promise(state: &mut State, context: &mut Context<'_>, session_id: &str) {
    let Some(session) = state.sessions.get_mut(session_id) else { return };
    if session.mode == Mode::Subscription {
        session.subscription = Some(context.ids.next("sub_1", 23));
    }
    promise_invoice(state, context, session_id);
}

/// A paid session names the invoice of its payment.
pub(crate) fn promise_invoice(state: &mut State, context: &mut Context<'_>, session_id: &str) {
    let Some(session) = state.sessions.get_mut(session_id) else { return };
    let is_of_payment = session.mode == Mode::Payment && session.invoice_creation && session.paid;
    if session.mode == Mode::Subscription || is_of_payment {
        session.invoice.get_or_insert_with(|| context.ids.next("in_1", 23));
        state.completed_sessions.push(session_id.to_owned());
    }
}

pub(crate) fn emit_session(state: &mut State, context: &mut Context<'_>, kind: &str, id: &str) -> Option<String> {
    let rendered = session_json::snapshot(state, context, id)?;
    Some(state.emit(context, kind, rendered))
}
