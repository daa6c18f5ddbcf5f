//! `/v1/payment_pages/{session}`: Stripe's private endpoints for paying a session from code, and how a request names
//! its payment method. The hosted page parses cards the same way.

use crate::model::request;
use serde::Deserialize;
use serde_json::Value;

use super::{
    Context, State, accepted,
    email::check_email,
    error::ApiError,
    expand, methods,
    params::Params,
    payment::PaymentMethod,
    sepa,
    session::{self, Mode},
    session_confirm, session_json,
};

pub(crate) use super::card_entry::{CardParams, from_card, mistakes};

#[derive(Debug, Deserialize)]
struct Wanted {
    payment_method: Option<String>,
    card: Option<CardParams>,
    payment_method_data: Option<MethodData>,
    expected_amount: Option<i64>,
    email: Option<String>,
    name: Option<String>,
    tax_id: Option<String>,
    #[serde(default)]
    save_payment_method: bool,
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

/// `GET /v1/payment_pages/{session}`: the session, with the members that the page needs.
pub(crate) fn retrieve(state: &State, context: &Context<'_>, id: &str) -> Result<Value, ApiError> {
    let mut rendered = session_json::session(session::find(state, id)?, context.base_url);
    let paths = ["line_items".to_owned(), "payment_intent".to_owned(), "setup_intent".to_owned()];
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
    let expected = match (wanted.expected_amount, session.mode) {
        (None, Mode::Setup) => 0,
        (given, _) => given.ok_or_else(|| ApiError::missing_param("expected_amount"))?,
    };
    if expected != session.amount_total {
        return Err(ApiError::invalid(format!(
            "The expected amount ({expected}) does not match the Checkout Session's total ({}).",
            session.amount_total
        ))
        .param("expected_amount"));
    }
    let billing = wanted.payment_method_data.as_ref().map(|data| &data.billing_details);
    let (billing_email, billing_name) =
        billing.map_or((None, None), |details| (details.email.clone(), details.name.clone()));
    let (email, name) = (wanted.email.or(billing_email), wanted.name.or(billing_name));
    check_email(email.as_deref(), "email")?;
    let tax_id = wanted.tax_id.unwrap_or_default();
    let known_email = session.customer_email.clone();
    let method = match (wanted.payment_method, wanted.card, wanted.payment_method_data) {
        (Some(name), None, None) => methods::named(state, context, &name)?,
        (None, Some(typed), None) => from_card(&typed, context)?,
        (None, None, Some(data)) => {
            sepa::check_offered(session)?;
            sepa::from_iban(&data.sepa_debit.iban, context)?
        }
        (None, None, None) if session.needs_no_method() => {
            session_confirm::keep_tax_id(state, id, &tax_id);
            session_confirm::confirm_without_method(state, context, id, email)?;
            return retrieve(state, context, id);
        }
        (None, None, None) => return Err(ApiError::missing_param("payment_method")),
        _ => {
            let message = "You may only specify one of these parameters: payment_method, card, payment_method_data.";
            return Err(ApiError::invalid(message));
        }
    };
    let email = email.or(known_email).or(method.email).or_else(|| Some("customer@example.com".to_owned()));
    let method = PaymentMethod { email, name: name.or(method.name), to_save: wanted.save_payment_method, ..method };
    session_confirm::keep_tax_id(state, id, &tax_id);
    session_confirm::confirm(state, context, id, method)?;
    retrieve(state, context, id)
}
