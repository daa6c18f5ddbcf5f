//! How a payment method comes to be: from one of Stripe's test names, from a card or from an account number that the
//! customer entered. The hosted page parses cards the same way.

use serde::Deserialize;

use super::{
    Context, calendar,
    card::{self, DELAYED_PAYMENT_METHOD, Outcome, TestCard},
    error::ApiError,
    payment::{Card, PaymentMethod},
};

/// A card as entered by the customer.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct CardParams {
    pub(crate) number: String,
    pub(crate) exp_month: i64,
    pub(crate) exp_year: i64,
    pub(crate) cvc: Option<String>,
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
        exp_year: calendar::year(context.now()).saturating_add(4),
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

/// One of Stripe's test tokens, such as `tok_visa`. It is the card of `pm_card_visa`.
pub(crate) fn from_token(token: &str, param: &str, context: &mut Context<'_>) -> Result<PaymentMethod, ApiError> {
    let name = token.strip_prefix("tok_").map(|name| format!("pm_card_{name}")).unwrap_or_default();
    TestCard::by_payment_method(&name).ok_or_else(|| ApiError::missing_reference("token", token, param))?;
    named(&name, context)
}

fn method(context: &mut Context<'_>, typed: Option<&CardParams>, outcome: Outcome) -> PaymentMethod {
    let number = typed.map_or("", |typed| typed.number.as_str());
    PaymentMethod {
        card: typed.map(|typed| card_of(typed, outcome)),
        after: card::aftermath(number),
        off_session: card::off_session(number),
        attaches_anyway: card::attaches_anyway(number),
        ..PaymentMethod::new(context, outcome)
    }
}

/// What is kept of a card. The number itself is not.
pub(crate) fn card_of(typed: &CardParams, outcome: Outcome) -> Card {
    Card {
        brand: card::brand(&typed.number).to_owned(),
        last4: typed.number.get(typed.number.len().saturating_sub(4)..).unwrap_or_default().to_owned(),
        exp_month: typed.exp_month,
        exp_year: typed.exp_year,
        country: card::country(&typed.number).to_owned(),
        funding: card::funding(&typed.number).to_owned(),
        cvc_check: typed.cvc.as_ref().map(|_| cvc_check(typed, outcome)),
        risk: card::risk(&typed.number),
        fingerprint: Some(card::fingerprint(&typed.number)),
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
    let (year, month) = (calendar::year(now), calendar::month(now));
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
