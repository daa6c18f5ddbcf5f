//! `/v1/payment_intents`: parses Stripe's parameters and calls the matching command.

use serde::Deserialize;
use serde_json::Value;

use super::{
    Context, State, accepted, accepted_intents, currency,
    email::check_email,
    error::ApiError,
    intent, list,
    list::{Page, Range},
    pages_api,
    params::Params,
    payment::{IntentStatus, PaymentIntent},
    payment_json,
    request::{Method, Request, precheck_expansions, read, unrecognized},
    session::PaymentIntentData,
    spec,
    version::ENDIVE,
};

pub(crate) fn route(
    state: &mut State,
    context: &mut Context<'_>,
    request: &Request,
    rest: &[&str],
) -> Result<Value, ApiError> {
    let params = &request.params;
    let id = match (request.method, rest) {
        (Method::Get, []) => return list(state, context, params),
        (Method::Post, []) => create(state, context, params)?,
        (Method::Get, [id]) => {
            intent::find(state, id)?;
            spec::check(params, accepted::RETRIEVE_PAYMENT_INTENT)?;
            (*id).to_owned()
        }
        (Method::Post, [id, "confirm"]) => {
            intent::find(state, id)?;
            let wanted: Confirmation = read(params, accepted_intents::CONFIRM_INTENT)?;
            wanted.carry_out(state, context, id)?;
            (*id).to_owned()
        }
        (Method::Post, [id, "cancel"]) => {
            intent::find(state, id)?;
            let wanted: Cancellation = read(params, accepted_intents::CANCEL_INTENT)?;
            intent::cancel(state, context, id, wanted.cancellation_reason.as_deref())?;
            (*id).to_owned()
        }
        (Method::Post, [id, "capture"]) => {
            intent::find(state, id)?;
            let wanted: Capture = read(params, accepted_intents::CAPTURE_INTENT)?;
            intent::capture(state, context, id, wanted.amount_to_capture)?;
            (*id).to_owned()
        }
        _ => return Err(unrecognized(request)),
    };
    intent::find(state, &id).map(|found| payment_json::payment_intent(state, found, context.base_url))
}

#[derive(Debug, Default, Deserialize)]
struct Confirmation {
    payment_method: Option<String>,
    #[serde(default)]
    off_session: bool,
}

impl Confirmation {
    fn carry_out(&self, state: &mut State, context: &mut Context<'_>, id: &str) -> Result<(), ApiError> {
        let method = match &self.payment_method {
            Some(name) => Some(pages_api::named(name, context)?),
            None => None,
        };
        intent::confirm(state, context, id, method, self.off_session)
    }
}

#[derive(Debug, Deserialize)]
struct Cancellation {
    cancellation_reason: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Capture {
    amount_to_capture: Option<i64>,
}

#[derive(Debug, Deserialize)]
struct Wanted {
    amount: i64,
    currency: String,
    automatic_payment_methods: Option<Automatic>,
    payment_method_types: Option<Vec<String>>,
    allowed_payment_method_types: Option<Vec<String>>,
    payment_method: Option<String>,
    #[serde(default)]
    confirm: bool,
    off_session: Option<bool>,
    #[serde(flatten)]
    data: PaymentIntentData,
}

#[derive(Debug, Deserialize)]
struct Automatic {
    enabled: bool,
    allow_redirects: Option<String>,
}

/// Creates a payment intent and confirms it if requested. As on Stripe, a decline leaves the intent behind.
fn create(state: &mut State, context: &mut Context<'_>, params: &Params) -> Result<String, ApiError> {
    let mut fields = accepted_intents::CREATE_INTENT.to_vec();
    fields.push(if context.api_version >= ENDIVE {
        accepted::ALLOWED_PAYMENT_METHOD_TYPES
    } else {
        accepted::PAYMENT_METHOD_TYPES
    });
    let wanted: Wanted = read(params, &fields)?;
    precheck_expansions(params, "payment_intent")?;
    let currency = currency::parse(&wanted.currency, "currency")?;
    check_amount(wanted.amount, &currency)?;
    check_email(wanted.data.receipt_email.as_deref(), "receipt_email")?;
    check_methods(&wanted)?;
    let method = match &wanted.payment_method {
        Some(name) => Some(pages_api::named(name, context)?),
        None => None,
    };
    let (confirm, off_session) = (wanted.confirm, wanted.off_session.unwrap_or(false));
    if wanted.off_session.is_some() && !confirm {
        let message = "You can only set `off_session` when `confirm` is `true`.";
        return Err(ApiError::invalid(message).param("off_session"));
    }
    let made = build(wanted, context, currency);
    let id = intent::create(state, context, made, method);
    if confirm {
        intent::confirm(state, context, &id, None, off_session)?;
    }
    Ok(id)
}

fn check_amount(amount: i64, currency: &str) -> Result<(), ApiError> {
    let refuse = |words: &str, bound: i64, code| {
        let message = format!("Amount must be {words} {} {currency}", currency::format(bound, currency));
        Err(ApiError::invalid(message).code(code).param("amount"))
    };
    let step = currency::step(currency);
    let maximum = currency::maximum(currency);
    match amount {
        _ if amount < currency::minimum(currency) => {
            refuse("at least", currency::minimum(currency), "amount_too_small")
        }
        _ if amount > maximum => refuse("no more than", maximum, "amount_too_large"),
        _ if amount.rem_euclid(step) != 0 => {
            let message = format!("Invalid integer: amounts in {currency} must be evenly divisible by {step}.");
            Err(ApiError::invalid(message).code("parameter_invalid_integer").param("amount"))
        }
        _ => Ok(()),
    }
}

fn check_methods(wanted: &Wanted) -> Result<(), ApiError> {
    let automatic = wanted.automatic_payment_methods.as_ref().is_some_and(|automatic| automatic.enabled);
    if automatic && wanted.payment_method_types.is_some() {
        return Err(ApiError::invalid(
            "You may only specify one of these parameters: automatic_payment_methods, payment_method_types.",
        ));
    }
    Ok(())
}

fn build(wanted: Wanted, context: &mut Context<'_>, currency: String) -> PaymentIntent {
    let id = context.ids.next("pi_3", 23);
    // Unless the request names payment methods, they are chosen automatically: the default since 2023-08-16.
    let automatic = match (&wanted.automatic_payment_methods, &wanted.payment_method_types) {
        (Some(automatic), _) if !automatic.enabled => None,
        (None, Some(_)) => None,
        (given, _) => Some(given.as_ref().and_then(|given| given.allow_redirects.as_deref()).unwrap_or("always")),
    };
    PaymentIntent {
        created: context.now(),
        session: None,
        amount: wanted.amount,
        currency,
        status: IntentStatus::RequiresPaymentMethod,
        client_secret: format!("{id}_secret_{}", context.ids.next("", 25)),
        id,
        payment_method: None,
        automatic_payment_methods: automatic.map(str::to_owned),
        payment_method_types: wanted
            .payment_method_types
            .or_else(|| wanted.allowed_payment_method_types.clone())
            .filter(|types| !types.is_empty())
            .unwrap_or_else(|| vec!["card".to_owned()]),
        allowed_payment_method_types: wanted.allowed_payment_method_types,
        data: wanted.data,
        latest_charge: None,
        last_error: None,
        canceled_at: None,
        cancellation_reason: None,
    }
}

#[derive(Debug, Deserialize)]
struct Filter {
    #[serde(flatten)]
    page: Page,
    created: Option<Range>,
    customer: Option<String>,
}

fn list(state: &State, context: &Context<'_>, params: &Params) -> Result<Value, ApiError> {
    let filter: Filter = read(params, accepted_intents::LIST_INTENTS)?;
    list::page(
        &state.payment_intents,
        &filter.page,
        ("payment_intent", "/v1/payment_intents"),
        // No payment intent in the sandbox has a customer.
        |intent| {
            filter.customer.is_none() && filter.created.as_ref().is_none_or(|range| range.contains(intent.created))
        },
        |intent| payment_json::payment_intent(state, intent, context.base_url),
    )
}
