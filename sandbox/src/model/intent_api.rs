//! `/v1/payment_intents`: parses Stripe's parameters and calls the matching command.

use serde::Deserialize;
use serde_json::Value;

use super::{
    Context, State, accepted, accepted_intents, amounts, currency, customer,
    email::check_email,
    error::ApiError,
    intent, intent_update, list,
    list::{Page, Range},
    method_params::MethodParams,
    methods,
    params::Params,
    payment::{IntentStatus, PaymentIntent, PaymentMethod},
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
        (Method::Post, [id]) => {
            intent_update::update(state, context, id, params)?;
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

#[derive(Debug, Deserialize)]
struct Confirmation {
    #[serde(flatten)]
    method: WantedMethod,
    off_session: Option<String>,
    setup_future_usage: Option<String>,
}

impl Confirmation {
    fn carry_out(self, state: &mut State, context: &mut Context<'_>, id: &str) -> Result<(), ApiError> {
        let method = self.method.resolve(state, context)?;
        if let Some(usage) = self.setup_future_usage
            && let Some(intent) = state.payment_intents.get_mut(id)
        {
            intent.data.setup_future_usage = Some(usage);
        }
        intent::confirm(state, context, id, method, is_off_session(self.off_session.as_deref()))
    }
}

/// `off_session` is a boolean, or says that the payment is one of many or a single one.
fn is_off_session(said: Option<&str>) -> bool {
    said.is_some_and(|said| said != "false")
}

/// How a request names a payment method.
#[derive(Debug, Deserialize)]
struct WantedMethod {
    payment_method: Option<String>,
    payment_method_data: Option<MethodParams>,
}

impl WantedMethod {
    fn resolve(self, state: &State, context: &mut Context<'_>) -> Result<Option<PaymentMethod>, ApiError> {
        match (self.payment_method, self.payment_method_data) {
            (Some(_), Some(_)) => Err(ApiError::invalid(
                "You may only specify one of these parameters: payment_method, payment_method_data.",
            )),
            (Some(name), None) => methods::named(state, context, &name).map(Some),
            (None, Some(data)) => data.build(context, "payment_method_data").map(Some),
            (None, None) => Ok(None),
        }
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
    customer: Option<String>,
    #[serde(default)]
    confirm: bool,
    off_session: Option<String>,
    #[serde(flatten)]
    method: WantedMethod,
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
    amounts::check(wanted.amount, &currency)?;
    check_email(wanted.data.receipt_email.as_deref(), "receipt_email")?;
    check_methods(&wanted)?;
    if let Some(customer) = &wanted.customer {
        customer::referenced(state, customer, "customer")?;
    }
    let (confirm, off_session) = (wanted.confirm, is_off_session(wanted.off_session.as_deref()));
    if wanted.off_session.is_some() && !confirm {
        let message = "You can only set `off_session` when `confirm` is `true`.";
        return Err(ApiError::invalid(message).param("off_session"));
    }
    let (made, method) = build(wanted, context, currency);
    let method = method.resolve(state, context)?;
    if let Some(method) = &method {
        methods::check_usable(method, made.customer.as_deref())?;
    }
    let id = intent::create(state, context, made, method);
    if confirm {
        intent::confirm(state, context, &id, None, off_session)?;
    }
    Ok(id)
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

fn build(wanted: Wanted, context: &mut Context<'_>, currency: String) -> (PaymentIntent, WantedMethod) {
    let id = context.ids.next("pi_3", 23);
    // Unless the request names payment methods, they are chosen automatically: the default since 2023-08-16.
    let automatic = match (&wanted.automatic_payment_methods, &wanted.payment_method_types) {
        (Some(automatic), _) if !automatic.enabled => None,
        (None, Some(_)) => None,
        (given, _) => Some(given.as_ref().and_then(|given| given.allow_redirects.as_deref()).unwrap_or("always")),
    };
    let intent = PaymentIntent {
        invoice: None,
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
        customer: wanted.customer,
        awaits_transfer: false,
        amount_funded: 0,
    };
    (intent, wanted.method)
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
        |intent| {
            (filter.customer.is_none() || filter.customer == intent.customer)
                && filter.created.as_ref().is_none_or(|range| range.contains(intent.created))
        },
        |intent| payment_json::payment_intent(state, intent, context.base_url),
    )
}
