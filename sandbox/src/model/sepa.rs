//! SEPA debits: which sessions offer them, and their objects as Stripe's JSON.

use serde_json::{Value, json};

use super::{
    Context, State,
    card::{Aftermath, Outcome},
    error::ApiError,
    iban::{DebitEnding, SepaDebit, TEST_IBANS, compact, mistake},
    payment::PaymentMethod,
    session::Session,
};

/// Whether the session offers a debit: its currency is the euro and its payment method types allow it.
pub(crate) fn is_offered(session: &Session) -> bool {
    session.currency == "eur" && session.payment_method_types.iter().any(|kind| kind == "sepa_debit")
}

pub(crate) fn check_offered(session: &Session) -> Result<(), ApiError> {
    if is_offered(session) {
        return Ok(());
    }
    let message = "The payment method type `sepa_debit` is not available for this Checkout Session: it needs the \
                   currency eur and `sepa_debit` among its payment method types.";
    Err(ApiError::invalid(message).param("payment_method_data[type]"))
}

/// A debit from the account number that the customer entered. Entering it also accepts the mandate.
pub(crate) fn from_iban(typed: &str, context: &mut Context<'_>) -> Result<PaymentMethod, ApiError> {
    let iban = compact(typed);
    let known = TEST_IBANS.iter().find(|test| test.iban == iban);
    let (Some(known), None) = (known, mistake(typed)) else {
        let message = mistake(typed).unwrap_or_default();
        return Err(ApiError::invalid(message)
            .code("account_number_invalid")
            .param("payment_method_data[sepa_debit][iban]"));
    };
    let part = |range: std::ops::Range<usize>| iban.get(range).unwrap_or_default().to_owned();
    let mandate = context.ids.next("mandate_1", 23);
    // In Austria the five digits after the check digits, in Italy after one letter more.
    let bank_code = if iban.starts_with("IT") { 5..10 } else { 4..9 };
    Ok(PaymentMethod {
        sepa_debit: Some(SepaDebit {
            country: part(0..2),
            bank_code: part(bank_code),
            last4: part(iban.len().saturating_sub(4)..iban.len()),
            mandate,
            after_ms: known.after_ms,
            ending: known.ending,
        }),
        after: match known.ending {
            DebitEnding::Disputed => Aftermath::DisputedAsFraudulent,
            DebitEnding::Succeeds | DebitEnding::Fails => Aftermath::Nothing,
        },
        ..PaymentMethod::new(context, Outcome::Delayed)
    })
}

/// Schedules the settlement of a debit that starts now.
pub(crate) fn schedule(state: &mut State, context: &Context<'_>, intent_id: &str, method_id: &str) {
    let debit = state.payment_methods.get(method_id).and_then(|method| method.sepa_debit.as_ref());
    if let Some(after_ms) = debit.map(|debit| debit.after_ms) {
        let now_ms = state.own_time_ms(context);
        state.settlements.insert((now_ms.saturating_add(after_ms), intent_id.to_owned()), ());
    }
}

/// `payment_method_details` of a charge.
pub(crate) fn charge_details(debit: &SepaDebit) -> Value {
    json!({ "type": "sepa_debit", "sepa_debit": {
        "bank_code": debit.bank_code, "branch_code": "", "country": debit.country, "fingerprint": null,
        "last4": debit.last4, "mandate": debit.mandate,
    }})
}

/// The member `sepa_debit` of a payment method.
pub(crate) fn method_details(debit: &SepaDebit) -> Value {
    json!({
        "bank_code": debit.bank_code, "branch_code": "", "country": debit.country, "fingerprint": null,
        "generated_from": null, "last4": debit.last4,
    })
}
