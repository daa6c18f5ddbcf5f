//! Controls for saved payment methods: what banks, card networks and users of Stripe's dashboard do to a card without
//! an API request.

use serde::Deserialize;
use serde_json::Value;

use super::{
    Context, State, calendar,
    card::{OffSession, Outcome, TestCard},
    control_money::{Challenge, Challenged, read},
    decline::Decline,
    error::ApiError,
    method_json, methods, setup_intent,
};

/// Runs a control. Returns the payment method as it is afterwards, or `None` if there is no such control here.
pub(crate) fn handle(
    state: &mut State,
    context: &mut Context<'_>,
    segments: &[&str],
    body: &Value,
) -> Option<Result<Value, ApiError>> {
    if let ["setup_intents", id, "challenge"] = segments {
        return Some(challenge(state, context, id, body));
    }
    let ["payment_methods", id, action] = segments else { return None };
    let done = match *action {
        "renew" => renew(state, context, id, body),
        "expire" => expire(state, context, id, body),
        "charges" => decide_charges(state, id, body),
        "detach" => read::<Nothing>(body).and_then(|Nothing {}| methods::detach(state, context, id)),
        _ => return None,
    };
    Some(done.and_then(|()| methods::find(state, id).map(method_json::payment_method)))
}

/// The customer passes or fails 3-D Secure for a setup without a page. A failure is a valid result.
fn challenge(state: &mut State, context: &mut Context<'_>, id: &str, body: &Value) -> Result<Value, ApiError> {
    let wanted: Challenge = read(body)?;
    setup_intent::find(state, id)?;
    match setup_intent::answer_challenge(state, context, id, wanted.outcome == Challenged::Passed) {
        Err(error) if error.code == Some("setup_intent_unexpected_state") => Err(error),
        _ => setup_intent::find(state, id).map(|found| setup_intent::to_json(state, found, context.base_url)),
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Renewal {
    number: Option<String>,
    exp_month: Option<i64>,
    exp_year: Option<i64>,
}

/// The card network replaces the card: another number, by default one that works, and another expiry, by default three
/// years after the old one. Its id stays.
fn renew(state: &mut State, context: &mut Context<'_>, id: &str, body: &Value) -> Result<(), ApiError> {
    let wanted: Renewal = read(body)?;
    check_is_card(state, id)?;
    let number = wanted.number.unwrap_or_else(|| "4242424242424242".to_owned());
    let Some(known) = TestCard::by_number(&number) else {
        return Err(ApiError::invalid("This is not the number of a test card.").param("number"));
    };
    let month = wanted.exp_month.unwrap_or(12);
    let card = methods::find(state, id)?.card.as_ref();
    let year = wanted.exp_year.or_else(|| card.map(|card| card.exp_year.saturating_add(3))).unwrap_or_default();
    check_month(month)?;
    methods::renew(state, context, id, known, (month, year));
    Ok(())
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expiry {
    exp_month: Option<i64>,
    exp_year: Option<i64>,
}

/// The card expires: by default last month. Charges are declined from then on. As on Stripe no event says so.
fn expire(state: &mut State, context: &mut Context<'_>, id: &str, body: &Value) -> Result<(), ApiError> {
    let wanted: Expiry = read(body)?;
    check_is_card(state, id)?;
    let (year, month) = (calendar::year(context.now()), calendar::month(context.now()));
    let last = if month == 1 { (12, year.saturating_sub(1)) } else { (month.saturating_sub(1), year) };
    let (month_given, year_given) = (wanted.exp_month.unwrap_or(last.0), wanted.exp_year.unwrap_or(last.1));
    check_month(month_given)?;
    let Some(method) = state.payment_methods.get_mut(id) else { return Ok(()) };
    if let Some(card) = &mut method.card {
        (card.exp_month, card.exp_year) = (month_given, year_given);
    }
    if (year_given, month_given) < (year, month) {
        method.outcome = Outcome::Declined(Decline::ExpiredCard);
    }
    Ok(())
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Charges {
    /// A decline code, or an error code without one; `null` or nothing lets charges succeed.
    decline: Option<String>,
}

/// The bank's answer to further charges. The card stays attached.
fn decide_charges(state: &mut State, id: &str, body: &Value) -> Result<(), ApiError> {
    let wanted: Charges = read(body)?;
    check_is_card(state, id)?;
    let outcome = match wanted.decline.as_deref().filter(|code| !code.is_empty()) {
        None => Outcome::Succeeds,
        Some("authentication_required") => Outcome::Challenge(None),
        Some(code) => {
            let known = Decline::by_code(code);
            Outcome::Declined(known.ok_or_else(|| {
                ApiError::invalid(format!("There is no decline code `{code}` in this sandbox.")).param("decline")
            })?)
        }
    };
    if let Some(method) = state.payment_methods.get_mut(id) {
        method.outcome = outcome;
        method.off_session = OffSession::Refused;
        method.attaches_anyway = true;
    }
    Ok(())
}

fn check_is_card(state: &State, id: &str) -> Result<(), ApiError> {
    if methods::find(state, id)?.card.is_some() {
        return Ok(());
    }
    Err(ApiError::invalid("This payment method is not a card."))
}

fn check_month(month: i64) -> Result<(), ApiError> {
    if (1..=12).contains(&month) {
        return Ok(());
    }
    Err(ApiError::invalid("A month is 1 to 12.").param("exp_month"))
}
