//! `/v1/setup_intents`: parses Stripe's parameters and calls the commands.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{
    Context, State, accepted, customer,
    error::ApiError,
    list,
    list::{Lag, Page, Range},
    metadata,
    method_params::{MANDATE_DATA, METHOD, MethodParams},
    methods,
    params::Params,
    payment::PaymentMethod,
    request::{Method, Request, precheck_expansions, read, unrecognized},
    setup_intent,
    setup_intent::{SetupIntent, SetupStatus},
    spec,
    spec::{Field, Kind, optional, required, unsupported},
    version::ENDIVE,
};

const TEXT: Kind = Kind::Text(5_000);
const EXPAND: Field = optional("expand", Kind::List(20, &TEXT));

const SHARED: &[Field] = &[
    optional("payment_method", TEXT),
    optional("payment_method_data", Kind::Object(METHOD)),
    optional("return_url", TEXT),
    MANDATE_DATA,
    EXPAND,
    unsupported("confirmation_token"),
    unsupported("payment_method_options"),
    unsupported("use_stripe_sdk"),
];

/// Without the payment method list, whose name depends on the version.
const CREATE: &[Field] = &[
    optional(
        "automatic_payment_methods",
        Kind::Object(&[
            required("enabled", Kind::Boolean),
            optional("allow_redirects", Kind::OneOf(&["always", "never"])),
        ]),
    ),
    optional("confirm", Kind::Boolean),
    optional("customer", TEXT),
    optional("description", Kind::Text(1_000)),
    optional("metadata", Kind::Metadata),
    optional("usage", Kind::OneOf(&["off_session", "on_session"])),
    unsupported("attach_to_self"),
    unsupported("customer_account"),
    unsupported("excluded_payment_method_types"),
    unsupported("flow_directions"),
    unsupported("on_behalf_of"),
    unsupported("payment_method_configuration"),
    unsupported("single_use"),
];

const UPDATE: &[Field] = &[
    optional("customer", TEXT),
    optional("description", Kind::Text(1_000)),
    optional("metadata", Kind::Metadata),
    optional("payment_method", TEXT),
    EXPAND,
    unsupported("attach_to_self"),
    unsupported("customer_account"),
    unsupported("excluded_payment_method_types"),
    unsupported("flow_directions"),
    unsupported("payment_method_configuration"),
    unsupported("payment_method_data"),
    unsupported("payment_method_options"),
];

const CANCEL: &[Field] =
    &[optional("cancellation_reason", Kind::OneOf(&["abandoned", "duplicate", "requested_by_customer"])), EXPAND];

const LIST: &[Field] = &[
    optional("limit", Kind::Integer(1)),
    optional("starting_after", TEXT),
    optional("ending_before", TEXT),
    EXPAND,
    optional("created", Kind::Range),
    optional("customer", TEXT),
    optional("payment_method", TEXT),
    unsupported("attach_to_self"),
    unsupported("customer_account"),
];

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
            setup_intent::find(state, id)?;
            spec::check(params, accepted::RETRIEVE_PAYMENT_INTENT)?;
            (*id).to_owned()
        }
        (Method::Post, [id]) => {
            update(state, context, id, params)?;
            (*id).to_owned()
        }
        (Method::Post, [id, "confirm"]) => {
            setup_intent::find(state, id)?;
            let wanted: Confirmation = read(params, SHARED)?;
            let method = wanted.method(state, context)?;
            setup_intent::confirm(state, context, id, method)?;
            (*id).to_owned()
        }
        (Method::Post, [id, "cancel"]) => {
            setup_intent::find(state, id)?;
            let wanted: Cancellation = read(params, CANCEL)?;
            setup_intent::cancel(state, context, id, wanted.cancellation_reason.as_deref())?;
            (*id).to_owned()
        }
        _ => return Err(unrecognized(request)),
    };
    let intent = setup_intent::find(state, &id)?;
    Ok(setup_intent::to_json(state, intent, context.base_url))
}

#[derive(Debug, Deserialize)]
struct Cancellation {
    cancellation_reason: Option<String>,
}

/// How a request names a payment method.
#[derive(Debug, Deserialize)]
struct Confirmation {
    payment_method: Option<String>,
    payment_method_data: Option<MethodParams>,
}

impl Confirmation {
    fn method(self, state: &State, context: &mut Context<'_>) -> Result<Option<PaymentMethod>, ApiError> {
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
struct Creation {
    automatic_payment_methods: Option<Automatic>,
    #[serde(default)]
    confirm: bool,
    customer: Option<String>,
    description: Option<String>,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
    usage: Option<String>,
    payment_method_types: Option<Vec<String>>,
    allowed_payment_method_types: Option<Vec<String>>,
    #[serde(flatten)]
    method: Confirmation,
}

#[derive(Debug, Deserialize)]
struct Automatic {
    enabled: bool,
    allow_redirects: Option<String>,
}

/// Creates a setup intent and confirms it if requested. As on Stripe, a decline leaves it behind.
fn create(state: &mut State, context: &mut Context<'_>, params: &Params) -> Result<String, ApiError> {
    let mut fields = [CREATE, SHARED].concat();
    fields.push(if context.api_version >= ENDIVE {
        accepted::ALLOWED_PAYMENT_METHOD_TYPES
    } else {
        accepted::PAYMENT_METHOD_TYPES
    });
    let wanted: Creation = read(params, &fields)?;
    precheck_expansions(params, "setup_intent")?;
    if let Some(customer) = &wanted.customer {
        customer::referenced(state, customer, "customer")?;
    }
    let method = wanted.method.method(state, context)?;
    if let Some(method) = &method {
        methods::check_usable(method, wanted.customer.as_deref())?;
    }
    let named = wanted.payment_method_types.is_some();
    let types = wanted.payment_method_types.or_else(|| wanted.allowed_payment_method_types.clone());
    let fresh = SetupIntent::new(context);
    let made = SetupIntent {
        customer: wanted.customer,
        description: wanted.description,
        metadata: wanted.metadata,
        usage: wanted.usage.unwrap_or(fresh.usage),
        payment_method_types: types.filter(|types| !types.is_empty()).unwrap_or(fresh.payment_method_types),
        allowed_payment_method_types: wanted.allowed_payment_method_types,
        automatic_payment_methods: match wanted.automatic_payment_methods {
            Some(automatic) if !automatic.enabled => None,
            None if named => None,
            given => Some(given.and_then(|given| given.allow_redirects).unwrap_or_else(|| "always".to_owned())),
        },
        ..fresh
    };
    let id = setup_intent::create(state, context, made, method);
    if wanted.confirm {
        setup_intent::confirm(state, context, &id, None)?;
    }
    Ok(id)
}

#[derive(Debug, Deserialize)]
struct Update {
    customer: Option<String>,
    description: Option<String>,
    payment_method: Option<String>,
}

fn update(state: &mut State, context: &mut Context<'_>, id: &str, params: &Params) -> Result<(), ApiError> {
    let found = setup_intent::find(state, id)?;
    let wanted: Update = read(&metadata::without_unset(params), UPDATE)?;
    let changed = metadata::changed(&found.metadata, params)?;
    if let Some(customer) = &wanted.customer {
        customer::referenced(state, customer, "customer")?;
    }
    let is_over = matches!(found.status, SetupStatus::Succeeded | SetupStatus::Canceled);
    if is_over && (wanted.customer.is_some() || wanted.payment_method.is_some()) {
        let message = "You cannot update the customer or the payment method of a SetupIntent that is finished.";
        return Err(ApiError::invalid(message).code("setup_intent_unexpected_state"));
    }
    let customer = wanted.customer.or_else(|| found.customer.clone());
    let method = match &wanted.payment_method {
        Some(name) => Some(methods::named(state, context, name)?),
        None => None,
    };
    if let Some(method) = &method {
        methods::check_usable(method, customer.as_deref())?;
    }
    let method_id = method.as_ref().map(|method| method.id.clone());
    if let Some(method) = method {
        state.payment_methods.insert(method);
    }
    setup_intent::change(state, id, |intent| {
        intent.customer = customer;
        intent.metadata = changed;
        intent.description = wanted.description.or(intent.description.take());
        if method_id.is_some() {
            intent.payment_method = method_id;
            intent.status = SetupStatus::RequiresConfirmation;
        }
    });
    Ok(())
}

#[derive(Debug, Deserialize)]
struct Filter {
    #[serde(flatten)]
    page: Page,
    created: Option<Range>,
    customer: Option<String>,
    payment_method: Option<String>,
}

fn list(state: &State, context: &Context<'_>, params: &Params) -> Result<Value, ApiError> {
    let filter: Filter = read(params, LIST)?;
    list::late_page(
        (&state.setup_intents, Lag::of(state)),
        &filter.page,
        ("setupintent", "/v1/setup_intents"),
        |intent| {
            filter.created.as_ref().is_none_or(|range| range.contains(intent.created))
                && (filter.customer.is_none() || filter.customer == intent.customer)
                && (filter.payment_method.is_none() || filter.payment_method == intent.payment_method)
        },
        |intent| setup_intent::to_json(state, intent, context.base_url),
    )
}
