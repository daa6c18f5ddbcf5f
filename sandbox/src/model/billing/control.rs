//! The controls of billing: what a test or a demo does that Stripe's API has no request for.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    agenda, collect,
    dunning::{AfterRetries, MAX_RETRIES},
    invoice, invoice_json, subscription, subscription_json, test_clock,
};
use crate::model::{Context, State, control_money::read, customer, error::ApiError};

/// The longest move of a customer's time in one step: about two years.
const FURTHEST: i64 = 2 * 366 * 86_400;

/// Runs a control; `None` if there is none of that name.
pub(crate) fn handle(
    state: &mut State,
    context: &mut Context<'_>,
    path: &[&str],
    body: &Value,
) -> Option<Result<Value, ApiError>> {
    Some(match path {
        ["billing"] => settings(state, body),
        ["customers", id, "advance"] => advance(state, context, id, body),
        ["subscriptions", id, "advance"] => advance_subscription(state, context, id, body),
        ["invoices", id, "challenge"] => challenge(state, context, id, body),
        _ => return None,
    })
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    retry_days: Option<Vec<u16>>,
    after_retries: Option<AfterRetries>,
    upcoming_days: Option<u16>,
    tax_registered: Option<bool>,
    portal_saved: Option<bool>,
}

/// The dashboard's settings for subscriptions; what is not named stays.
fn settings(state: &mut State, body: &Value) -> Result<Value, ApiError> {
    let wanted: Settings = read(body)?;
    let mut settings = state.billing;
    if let Some(days) = wanted.retry_days {
        let is_rising = days.windows(2).all(|pair| matches!(pair, [first, second] if first < second));
        if days.len() > MAX_RETRIES || !is_rising || days.contains(&0) {
            let message = format!("`retry_days` are at most {MAX_RETRIES} rising numbers of days, from 1 on.");
            return Err(ApiError::invalid(message));
        }
        settings.retry_days = [0; MAX_RETRIES];
        for (place, day) in settings.retry_days.iter_mut().zip(days) {
            *place = day;
        }
    }
    settings.after_retries = wanted.after_retries.unwrap_or(settings.after_retries);
    settings.upcoming_days = wanted.upcoming_days.unwrap_or(settings.upcoming_days);
    state.billing = settings;
    state.tax_unregistered = wanted.tax_registered.map_or(state.tax_unregistered, |registered| !registered);
    state.portal_unsaved = wanted.portal_saved.map_or(state.portal_unsaved, |saved| !saved);
    let days: Vec<u16> = settings.retry_days.iter().copied().filter(|day| *day > 0).collect();
    Ok(json!({
        "retry_days": days,
        "after_retries": settings.after_retries,
        "upcoming_days": settings.upcoming_days,
        "tax_registered": !state.tax_unregistered,
        "portal_saved": !state.portal_unsaved,
    }))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    /// How far the customer's time moves.
    seconds: Option<i64>,
    /// To this time, in seconds since 1970.
    to: Option<i64>,
    /// To the end of the current period, and past the hour in which its invoice is a draft.
    #[serde(default)]
    to_renewal: bool,
}

/// Moves the time of a customer without a test clock ahead, and works off what becomes due.
fn advance(state: &mut State, context: &mut Context<'_>, id: &str, body: &Value) -> Result<Value, ApiError> {
    let wanted: Advance = read(body)?;
    customer::find(state, id)?;
    if state.customers.get(id).is_some_and(|customer| customer.test_clock.is_some()) {
        return Err(ApiError::invalid("This customer has a test clock. Advance that."));
    }
    let now = now_of(state, context, id);
    let seconds = match (wanted.seconds, wanted.to, wanted.to_renewal) {
        (Some(seconds), None, false) => seconds,
        (None, Some(to), false) => to.saturating_sub(now),
        (None, None, true) => {
            let due = state.subscriptions.iter().filter(|found| found.customer == id && !found.is_ended());
            let end = due.map(subscription::Subscription::period_end).min();
            let end = end.ok_or_else(|| ApiError::invalid("This customer has no running subscription."))?;
            end.saturating_add(super::issue::DRAFT_SECONDS).saturating_sub(now).max(0)
        }
        _ => return Err(ApiError::invalid("Give one of `seconds`, `to` and `to_renewal`.")),
    };
    if !(0..=FURTHEST).contains(&seconds) {
        return Err(ApiError::invalid("A customer's time goes forward, by two years at most."));
    }
    test_clock::move_ahead(state, id, seconds);
    test_clock::run_due(state, context);
    Ok(json!({ "customer": id, "now": now_of(state, context, id) }))
}

fn now_of(state: &State, context: &Context<'_>, customer: &str) -> i64 {
    let timeline = agenda::timeline(state, customer);
    agenda::time_ms(state, &timeline, context.now_ms).div_euclid(1_000)
}

/// The same for the customer of a subscription. Returns the subscription.
fn advance_subscription(
    state: &mut State,
    context: &mut Context<'_>,
    id: &str,
    body: &Value,
) -> Result<Value, ApiError> {
    let customer = subscription::find(state, id)?.customer.clone();
    advance(state, context, &customer, body)?;
    subscription::find(state, id).map(|found| subscription_json::subscription(state, found))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Challenge {
    outcome: Outcome,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Passed,
    Failed,
}

/// The customer passes or fails the 3-D Secure challenge of an invoice's payment.
fn challenge(state: &mut State, context: &mut Context<'_>, id: &str, body: &Value) -> Result<Value, ApiError> {
    let wanted: Challenge = read(body)?;
    let found = invoice::find(state, id)?;
    let (customer, passed) = (found.customer.clone().unwrap_or_default(), wanted.outcome == Outcome::Passed);
    agenda::at_customers_time(state, context, &customer, |state, context| {
        match collect::answer_challenge(state, context, id, passed) {
            // A decline is a valid result of the challenge.
            Err(error) if error.code == Some("payment_intent_unexpected_state") => Err(error),
            _ => Ok(()),
        }
    })?;
    invoice::find(state, id).map(|found| invoice_json::invoice(state, found, context.base_url))
}
