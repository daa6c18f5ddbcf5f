//! `/v1/payment_methods`, and the payment methods of a customer: parses Stripe's parameters and calls the commands.

use serde::Deserialize;
use serde_json::Value;

use super::{
    Context, State, accepted,
    address::Address,
    edit,
    error::ApiError,
    list,
    list::Page,
    metadata, method_json,
    method_params::{BILLING, METHOD, MethodParams, REDISPLAY},
    methods,
    params::Params,
    payment::PaymentMethod,
    request::{Method, Request, precheck_expansions, read, unrecognized},
    spec,
    spec::{Field, Kind, optional, required, unsupported},
};

const TEXT: Kind = Kind::Text(5_000);
const EXPAND: Field = optional("expand", Kind::List(20, &TEXT));

const ATTACH: &[Field] = &[required("customer", TEXT), EXPAND, unsupported("customer_account")];

const UPDATE: &[Field] = &[
    optional("allow_redisplay", REDISPLAY),
    optional("billing_details", Kind::Object(BILLING)),
    optional(
        "card",
        Kind::Object(&[
            optional("exp_month", Kind::Integer(1)),
            optional("exp_year", Kind::Integer(1)),
            unsupported("networks"),
        ]),
    ),
    optional("metadata", Kind::Metadata),
    EXPAND,
    unsupported("us_bank_account"),
];

const LIST: &[Field] = &[
    optional("limit", Kind::Integer(1)),
    optional("starting_after", TEXT),
    optional("ending_before", TEXT),
    EXPAND,
    optional("type", TEXT),
    optional("customer", TEXT),
    optional("allow_redisplay", REDISPLAY),
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
        (Method::Get, []) => return list(state, params, None),
        (Method::Post, []) => create(state, context, params)?,
        (Method::Get, [id]) => {
            methods::find(state, id)?;
            spec::check(params, accepted::ONLY_EXPAND)?;
            (*id).to_owned()
        }
        (Method::Post, [id]) => {
            update(state, context, id, params)?;
            (*id).to_owned()
        }
        (Method::Post, [id, "attach"]) => {
            let wanted: Attach = read(params, ATTACH)?;
            let method = match state.payment_methods.get(id) {
                Some(found) => found.clone(),
                None => methods::named(state, context, id).map_err(|error| ApiError { status: 404, ..error })?,
            };
            methods::attach(state, context, method, &wanted.customer)?
        }
        (Method::Post, [id, "detach"]) => {
            methods::find(state, id)?;
            spec::check(params, accepted::ONLY_EXPAND)?;
            methods::detach(state, context, id)?;
            (*id).to_owned()
        }
        _ => return Err(unrecognized(request)),
    };
    methods::find(state, &id).map(method_json::payment_method)
}

#[derive(Debug, Deserialize)]
struct Attach {
    customer: String,
}

fn create(state: &mut State, context: &mut Context<'_>, params: &Params) -> Result<String, ApiError> {
    let mut fields = METHOD.to_vec();
    fields.extend([EXPAND, unsupported("customer"), unsupported("payment_method")]);
    let wanted: MethodParams = read(params, &fields)?;
    precheck_expansions(params, "payment_method")?;
    let method = wanted.build(context, "")?;
    let id = method.id.clone();
    state.payment_methods.insert(method);
    Ok(id)
}

#[derive(Debug, Deserialize)]
struct Update {
    allow_redisplay: Option<String>,
    card: Option<Expiry>,
}

#[derive(Debug, Deserialize)]
struct Expiry {
    exp_month: Option<i64>,
    exp_year: Option<i64>,
}

/// What `billing_details` are stored as.
#[derive(Debug, serde::Serialize, Deserialize)]
struct Details {
    address: Option<Address>,
    email: Option<String>,
    name: Option<String>,
    phone: Option<String>,
}

fn update(state: &mut State, context: &mut Context<'_>, id: &str, params: &Params) -> Result<(), ApiError> {
    let found = methods::find(state, id)?;
    let checked = spec::check(&metadata::without_unset(params), UPDATE)?;
    let wanted: Update = read(&metadata::without_unset(params), UPDATE)?;
    let metadata = metadata::changed(&found.metadata, params)?;
    if found.customer.is_none() {
        let message = "You must save this PaymentMethod to a customer before you can update it.";
        return Err(ApiError::invalid(message).param("payment_method"));
    }
    let month = wanted.card.as_ref().and_then(|card| card.exp_month);
    if month.is_some_and(|month| month > 12) || (wanted.card.is_some() && found.card.is_none()) {
        let message = "Your card's expiration month is invalid.";
        return Err(ApiError::invalid(message).code("invalid_expiry_month").param("card[exp_month]"));
    }
    let details = Details {
        address: found.address.clone(),
        email: found.email.clone(),
        name: found.name.clone(),
        phone: found.phone.clone(),
    };
    let changes = checked.get("billing_details").cloned().unwrap_or_default();
    let details: Details = edit::edited(&details, &changes)?;
    methods::change(state, context, "payment_method.updated", id, |method: &mut PaymentMethod| {
        method.metadata = metadata;
        (method.address, method.phone) = (details.address, details.phone);
        (method.email, method.name) = (details.email, details.name);
        if let Some(choice) = wanted.allow_redisplay {
            method.allow_redisplay = choice;
        }
        if let (Some(card), Some(expiry)) = (&mut method.card, wanted.card) {
            card.exp_month = expiry.exp_month.unwrap_or(card.exp_month);
            card.exp_year = expiry.exp_year.unwrap_or(card.exp_year);
        }
    });
    Ok(())
}

#[derive(Debug, Deserialize)]
struct Filter {
    #[serde(flatten)]
    page: Page,
    r#type: Option<String>,
    customer: Option<String>,
    allow_redisplay: Option<String>,
}

/// The list of all payment methods, or of a customer's.
pub(crate) fn list(state: &State, params: &Params, customer: Option<&str>) -> Result<Value, ApiError> {
    let fields: Vec<Field> =
        LIST.iter().copied().filter(|field| customer.is_none() || !field.name.starts_with("customer")).collect();
    let filter: Filter = read(params, &fields)?;
    let url = customer.map(|id| format!("/v1/customers/{id}/payment_methods"));
    let owner = customer.or(filter.customer.as_deref());
    list::page(
        &state.payment_methods,
        &filter.page,
        ("PaymentMethod", url.as_deref().unwrap_or("/v1/payment_methods")),
        |method| {
            owner.is_none_or(|owner| method.customer.as_deref() == Some(owner))
                && filter.r#type.as_ref().is_none_or(|kind| kind == method.kind())
                && filter.allow_redisplay.as_ref().is_none_or(|choice| *choice == method.allow_redisplay)
        },
        method_json::payment_method,
    )
}
