//! What a customer does in the portal, within what its configuration allows. The events are those of the same requests.

use serde_json::Value;

use super::{
    agenda, catalog, change, ending,
    interval::Interval,
    portal::{self, PortalSession},
    schedule_create,
    subscription::{self, BillingMode, Cancellation, Status, Subscription},
    subscription_update, update,
    update::Payment,
    update_plan::{ItemChange, PlanChange, Proration},
};
use crate::model::{
    Context, State, card_entry::CardParams, customer, error::ApiError, methods, payment::PaymentMethod,
};

/// An action on the page of the portal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// The subscription, with the reason that the customer chose.
    Cancel(String, Option<String>),
    /// Takes a cancellation back.
    Resume(String),
    /// The subscription and its new price.
    ChangePlan(String, String),
}

/// Carries out an action for the customer of a session.
pub(crate) fn carry_out(
    state: &mut State,
    context: &mut Context<'_>,
    session: &str,
    action: &Action,
) -> Result<(), ApiError> {
    let session = portal::find(state, session)?.clone();
    let features = portal::features(state, &session.configuration);
    agenda::at_customers_time(state, context, &session.customer, |state, context| match action {
        Action::Cancel(id, feedback) => cancel(state, context, (&session, &features), id, feedback.clone()),
        Action::Resume(id) => resume(state, context, (&session, &features), id),
        Action::ChangePlan(id, price) => change_plan(state, context, (&session, &features), id, price),
    })
}

fn off(what: &str) -> ApiError {
    ApiError::invalid(format!("This portal does not offer that: its configuration has {what} disabled."))
}

fn own(state: &State, session: &PortalSession, id: &str) -> Result<Subscription, ApiError> {
    let found = subscription::find(state, id)?;
    if found.customer == session.customer && !found.is_ended() {
        return Ok(found.clone());
    }
    Err(ApiError::not_found("subscription", id, "id"))
}

fn cancel(
    state: &mut State,
    context: &mut Context<'_>,
    (session, features): (&PortalSession, &Value),
    id: &str,
    feedback: Option<String>,
) -> Result<(), ApiError> {
    let found = own(state, session, id)?;
    if !portal::is_on(features, "subscription_cancel") {
        return Err(off("subscription_cancel"));
    }
    let why = Cancellation { reason: Some("cancellation_requested".to_owned()), feedback, comment: None };
    let at_once = features.pointer("/subscription_cancel/mode").and_then(Value::as_str) == Some("immediately");
    if at_once {
        ending::cancel(state, context, id, &why);
        return Ok(());
    }
    let now = context.now();
    // A flexible subscription gets a date, a classic one the flag: both mean the same.
    let end = match (found.status, found.trial_end) {
        (Status::Trialing, Some(end)) => end,
        _ => found.period_end(),
    };
    change::subscription(state, context, id, |found| {
        if found.billing_mode == BillingMode::Flexible {
            found.cancel_at = Some(end);
        } else {
            found.cancel_at_period_end = true;
        }
        found.canceled_at = Some(now);
        found.cancellation = why;
    });
    Ok(())
}

fn resume(
    state: &mut State,
    context: &mut Context<'_>,
    (session, features): (&PortalSession, &Value),
    id: &str,
) -> Result<(), ApiError> {
    own(state, session, id)?;
    if !portal::is_on(features, "subscription_cancel") {
        return Err(off("subscription_cancel"));
    }
    change::subscription(state, context, id, |found| {
        found.cancel_at = None;
        found.cancel_at_period_end = false;
        found.canceled_at = None;
        found.cancellation = Cancellation::default();
    });
    Ok(())
}

fn change_plan(
    state: &mut State,
    context: &mut Context<'_>,
    (session, features): (&PortalSession, &Value),
    id: &str,
    price: &str,
) -> Result<(), ApiError> {
    let found = own(state, session, id)?;
    if !portal::is_on(features, "subscription_update") {
        return Err(off("subscription_update"));
    }
    let [item] = found.items.as_slice() else {
        return Err(ApiError::invalid("This subscription cannot be updated because it has multiple items."));
    };
    if !portal::offered_prices(features).iter().any(|offered| offered == price) {
        return Err(ApiError::invalid("This plan is not offered."));
    }
    if !subscription_update::is_changeable(&found) {
        return Err(ApiError::invalid("This subscription cannot be changed until its last invoice is paid."));
    }
    if waits_for_period_end(state, features, (&item.price, price)) {
        return schedule_create::change_at_period_end(state, context, &found, price);
    }
    let continues = features.pointer("/subscription_update/trial_update_behavior").and_then(Value::as_str)
        == Some("continue_trial");
    let is_trial = found.status == Status::Trialing;
    let behavior = features.pointer("/subscription_update/proration_behavior").and_then(Value::as_str);
    let plan = PlanChange {
        items: vec![ItemChange {
            id: Some(item.id.clone()),
            price: Some(price.to_owned()),
            quantity: item.quantity,
            ..ItemChange::default()
        }],
        proration: Proration::parse(behavior),
        trial_end: (is_trial && !continues).then(|| context.now()),
        ..PlanChange::default()
    };
    update::change_plan(state, context, id, (&plan, Payment::Pend), |_| ())
}

/// Whether the configuration keeps such a change for the end of the period: a cheaper price, or a shorter interval.
fn waits_for_period_end(state: &State, features: &Value, (old, new): (&str, &str)) -> bool {
    let conditions =
        features.pointer("/subscription_update/schedule_at_period_end/conditions").and_then(Value::as_array);
    let (Some(old), Some(new)) = (catalog::price(state, old), catalog::price(state, new)) else { return false };
    let is = |kind: &str| match kind {
        "decreasing_item_amount" => new.amount(1) < old.amount(1),
        "shortening_interval" => {
            let length = |price: &catalog::Priced| price.interval.map_or(0, Interval::longest);
            length(&new) < length(&old)
        }
        _ => false,
    };
    conditions.into_iter().flatten().filter_map(|of| of.get("type")?.as_str()).any(is)
}

/// Saves a card that the customer entered, as the default of the customer. As on Stripe, a subscription that has a
/// default of its own keeps it.
pub(crate) fn replace_card(
    state: &mut State,
    context: &mut Context<'_>,
    session: &str,
    typed: &CardParams,
) -> Result<(), ApiError> {
    let session = portal::find(state, session)?.clone();
    if !portal::is_on(&portal::features(state, &session.configuration), "payment_method_update") {
        return Err(off("payment_method_update"));
    }
    agenda::at_customers_time(state, context, &session.customer, |state, context| {
        let method = crate::model::card_entry::from_card(typed, context)?;
        save(state, context, &session.customer, method)
    })
}

fn save(
    state: &mut State,
    context: &mut Context<'_>,
    customer: &str,
    mut method: PaymentMethod,
) -> Result<(), ApiError> {
    // The page authenticates the customer, so the card is ready for charges off session.
    method.set_up = true;
    "always".clone_into(&mut method.allow_redisplay);
    let id = methods::attach(state, context, method, customer)?;
    customer::change(state, context, customer, |customer| {
        customer.profile.invoice_settings.default_payment_method = Some(id);
    });
    Ok(())
}
