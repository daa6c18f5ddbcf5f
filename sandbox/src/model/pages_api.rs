//! `/v1/payment_pages/{session}`: Stripe's private endpoints for paying a session from code, and how a request names
//! its payment method. The hosted page parses cards the same way.

use crate::model::request;
use serde::Deserialize;
use serde_json::Value;

use super::{
    Context, State, accepted,
    card::{self, Aftermath, DELAYED_PAYMENT_METHOD, Outcome, TestCard},
    confirm as payment_confirm,
    email::check_email,
    error::ApiError,
    expand,
    params::Params,
    payment::{Card, PaymentMethod},
    sepa, session, session_json,
};

#[derive(Debug, Deserialize)]
struct Wanted {
    payment_method: Option<String>,
    card: Option<CardParams>,
    payment_method_data: Option<MethodData>,
    expected_amount: i64,
    email: Option<String>,
    name: Option<String>,
}

#[derive(Debug, Deserialize)]
struct MethodData {
    sepa_debit: IbanParams,
    #[serde(default)]
    billing_details: BillingDetails,
}

#[derive(Debug, Deserialize)]
struct IbanParams {
    iban: String,
}

#[derive(Debug, Default, Deserialize)]
struct BillingDetails {
    email: Option<String>,
    name: Option<String>,
}

/// A card as entered by the customer.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct CardParams {
    pub(crate) number: String,
    pub(crate) exp_month: i64,
    pub(crate) exp_year: i64,
    pub(crate) cvc: Option<String>,
}

/// `GET /v1/payment_pages/{session}`: the session, with the members that the page needs.
pub(crate) fn retrieve(state: &State, context: &Context<'_>, id: &str) -> Result<Value, ApiError> {
    let mut rendered = session_json::session(session::find(state, id)?, context.base_url);
    let paths = ["line_items".to_owned(), "payment_intent".to_owned()];
    expand::expand(state, context.base_url, &mut rendered, &paths)?;
    Ok(rendered)
}

/// `POST /v1/payment_pages/{session}/confirm`.
pub(crate) fn confirm(
    state: &mut State,
    context: &mut Context<'_>,
    id: &str,
    params: &Params,
) -> Result<Value, ApiError> {
    let session = session::find(state, id)?;
    let wanted: Wanted = request::read(params, accepted::CONFIRM_PAGE)?;
    if wanted.expected_amount != session.amount_total {
        return Err(ApiError::invalid(format!(
            "The expected amount ({}) does not match the Checkout Session's total ({}).",
            wanted.expected_amount, session.amount_total
        ))
        .param("expected_amount"));
    }
    let billing = wanted.payment_method_data.as_ref().map(|data| &data.billing_details);
    let (billing_email, billing_name) =
        billing.map_or((None, None), |details| (details.email.clone(), details.name.clone()));
    let (email, name) = (wanted.email.or(billing_email), wanted.name.or(billing_name));
    check_email(email.as_deref(), "email")?;
    let email = email.or_else(|| session.customer_email.clone()).or_else(|| Some("customer@example.com".to_owned()));
    let method = match (wanted.payment_method, wanted.card, wanted.payment_method_data) {
        (Some(name), None, None) => named(&name, context)?,
        (None, Some(typed), None) => from_card(&typed, context)?,
        (None, None, Some(data)) => {
            sepa::check_offered(session)?;
            sepa::from_iban(&data.sepa_debit.iban, context)?
        }
        (None, None, None) => return Err(ApiError::missing_param("payment_method")),
        _ => {
            let message = "You may only specify one of these parameters: payment_method, card, payment_method_data.";
            return Err(ApiError::invalid(message));
        }
    };
    let method = PaymentMethod { email, name, ..method };
    payment_confirm::confirm(state, context, id, method)?;
    retrieve(state, context, id)
}

/// One of Stripe's test payment methods, or the sandbox's delayed one.
pub(crate) fn named(name: &str, context: &mut Context<'_>) -> Result<PaymentMethod, ApiError> {
    if name == DELAYED_PAYMENT_METHOD {
        return Ok(method(context, None, Outcome::Delayed));
    }
    let known = TestCard::by_payment_method(name)
        .ok_or_else(|| ApiError::missing_reference("PaymentMethod", name, "payment_method"))?;
    let typed = CardParams {
        number: known.number.to_owned(),
        exp_month: 12,
        exp_year: year(context.now()).saturating_add(4),
        cvc: Some("123".to_owned()),
    };
    Ok(method(context, Some(&typed), known.outcome))
}

/// A card that the customer entered. An invalid card is refused here; an unknown valid number is declined later.
pub(crate) fn from_card(typed: &CardParams, context: &mut Context<'_>) -> Result<PaymentMethod, ApiError> {
    if let Some(mistake) = mistakes(typed, context.now()).first() {
        return Err(ApiError::new(402, "card_error", mistake.message).code(mistake.code).param(mistake.param));
    }
    let outcome =
        TestCard::by_number(&typed.number).map_or(Outcome::Declined(card::Decline::NotATestCard), |card| card.outcome);
    Ok(method(context, Some(typed), outcome))
}

fn method(context: &mut Context<'_>, typed: Option<&CardParams>, outcome: Outcome) -> PaymentMethod {
    PaymentMethod {
        id: context.ids.next("pm_1", 23),
        created: context.now(),
        card: typed.map(|typed| Card {
            brand: card::brand(&typed.number).to_owned(),
            last4: typed.number.get(typed.number.len().saturating_sub(4)..).unwrap_or_default().to_owned(),
            exp_month: typed.exp_month,
            exp_year: typed.exp_year,
            country: card::country(&typed.number).to_owned(),
            funding: card::funding(&typed.number).to_owned(),
            cvc_check: typed.cvc.as_ref().map(|_| cvc_check(typed, outcome)),
            risk: card::risk(&typed.number),
        }),
        sepa_debit: None,
        outcome,
        after: typed.map_or(Aftermath::Nothing, |typed| card::aftermath(&typed.number)),
        email: None,
        name: None,
    }
}

fn cvc_check(typed: &CardParams, outcome: Outcome) -> String {
    let fails = typed.number == "4000000000000101" || outcome == Outcome::Declined(card::Decline::IncorrectCvc);
    if fails { "fail" } else { "pass" }.to_owned()
}

/// A mistake in a card, found before it is charged.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mistake {
    pub(crate) param: &'static str,
    pub(crate) code: &'static str,
    pub(crate) message: &'static str,
}

/// All mistakes in a card, with the messages shown to the customer.
pub(crate) fn mistakes(typed: &CardParams, now: i64) -> Vec<Mistake> {
    let mut found = Vec::new();
    let mut say = |param, code, message| {
        found.push(Mistake { param, code, message });
    };
    let length = typed.number.len();
    if !(12..=19).contains(&length) || !typed.number.bytes().all(|b| b.is_ascii_digit()) {
        say("number", "invalid_number", "Your card number is invalid.");
    } else if !card::passes_luhn(&typed.number) {
        say("number", "incorrect_number", "Your card number is incorrect.");
    }
    let (year, month) = (year(now), month(now));
    if !(1..=12).contains(&typed.exp_month) {
        let message = "Your card's expiration month is invalid.";
        say("exp_month", "invalid_expiry_month", message);
    } else if typed.exp_year < year {
        let message = "Your card's expiration year is in the past.";
        say("exp_year", "invalid_expiry_year", message);
    } else if typed.exp_year == year && typed.exp_month < month {
        let message = "Your card's expiration date is in the past.";
        say("exp_month", "invalid_expiry_month", message);
    } else if typed.exp_year > year.saturating_add(50) {
        let message = "Your card's expiration year is invalid.";
        say("exp_year", "invalid_expiry_year", message);
    }
    if let Some(cvc) = &typed.cvc {
        let digits = if card::brand(&typed.number) == "amex" { 3..=4 } else { 3..=3 };
        if !digits.contains(&cvc.len()) || !cvc.bytes().all(|b| b.is_ascii_digit()) {
            say("cvc", "invalid_cvc", "Your card's security code is invalid.");
        }
    }
    found
}

fn year(now: i64) -> i64 {
    civil(now).0
}

fn month(now: i64) -> i64 {
    civil(now).1
}

/// A time in UTC, as Stripe's API v2 writes it.
pub(crate) fn rfc3339(now: i64) -> String {
    let ((year, month, day), second) = (civil_day(now), now.rem_euclid(86_400));
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.000Z")
}

/// Year and month in UTC.
fn civil(now: i64) -> (i64, i64) {
    let (year, month, _) = civil_day(now);
    (year, month)
}

/// Year, month and day in UTC, by Howard Hinnant's `civil_from_days`.
fn civil_day(now: i64) -> (i64, i64, i64) {
    let days = now.div_euclid(86_400).saturating_add(719_468);
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::{civil, rfc3339};

    #[test]
    fn a_time_is_written_as_in_version_two_of_the_api() {
        assert_eq!(rfc3339(951_868_799), "2000-02-29T23:59:59.000Z");
        assert_eq!(rfc3339(1_735_689_600), "2025-01-01T00:00:00.000Z");
    }

    #[test]
    fn dates_are_right_at_the_edges_of_months_and_years() {
        for (seconds, expected) in [
            (0, (1970, 1)),
            (951_782_399, (2000, 2)),    // 2000-02-28T23:59:59
            (951_868_800, (2000, 3)),    // 2000-03-01
            (1_735_689_599, (2024, 12)), // 2024-12-31T23:59:59
            (1_735_689_600, (2025, 1)),
        ] {
            assert_eq!(civil(seconds), expected, "{seconds}");
        }
    }
}
