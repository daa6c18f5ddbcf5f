//! `/v1/customers`: parses Stripe's parameters and calls the commands.

use serde::Deserialize;
use serde_json::Value;

use super::{
    Context, State, accepted,
    address::ADDRESS,
    billing::test_clock,
    customer,
    customer::{Customer, Profile},
    email::check_email,
    error::ApiError,
    list,
    list::{Lag, Page, Range},
    metadata, method_api, method_json, methods,
    params::Params,
    request::{Method, Request, precheck_expansions, read, unrecognized},
    source_api, spec,
    spec::{Field, Kind, optional, required, unsupported},
};

const TEXT: Kind = Kind::Text(5_000);
const UNSET_TEXT: Kind = Kind::Unset(&TEXT);
const EXPAND: Field = optional("expand", Kind::List(20, &TEXT));

const SHIPPING: &[Field] =
    &[required("address", Kind::Object(ADDRESS)), required("name", TEXT), optional("phone", UNSET_TEXT)];

const INVOICE_SETTINGS: &[Field] = &[
    optional("default_payment_method", UNSET_TEXT),
    optional(
        "custom_fields",
        Kind::Unset(&Kind::List(4, &Kind::Object(&[required("name", Kind::Text(40)), required("value", TEXT)]))),
    ),
    optional("footer", UNSET_TEXT),
    optional(
        "rendering_options",
        Kind::Unset(&Kind::Object(&[
            optional("amount_tax_display", Kind::Unset(&Kind::OneOf(&["exclude_tax", "include_inclusive_tax"]))),
            optional("template", UNSET_TEXT),
        ])),
    ),
];

/// What both creating and updating accept.
const PROFILE: &[Field] = &[
    optional("address", Kind::Unset(&Kind::Object(ADDRESS))),
    optional("balance", Kind::Integer(i64::MIN)),
    optional("business_name", UNSET_TEXT),
    optional("description", UNSET_TEXT),
    optional("email", Kind::Unset(&Kind::Text(512))),
    optional("individual_name", UNSET_TEXT),
    optional("invoice_settings", Kind::Object(INVOICE_SETTINGS)),
    optional("metadata", Kind::Metadata),
    optional("name", UNSET_TEXT),
    optional("phone", UNSET_TEXT),
    optional("preferred_locales", Kind::List(20, &TEXT)),
    optional("shipping", Kind::Unset(&Kind::Object(SHIPPING))),
    optional("tax_exempt", Kind::Unset(&Kind::OneOf(&["exempt", "none", "reverse"]))),
    EXPAND,
    unsupported("cash_balance"),
    unsupported("invoice_prefix"),
    unsupported("next_invoice_sequence"),
    unsupported("tax"),
];

const LIST: &[Field] = &[
    optional("limit", Kind::Integer(1)),
    optional("starting_after", TEXT),
    optional("ending_before", TEXT),
    EXPAND,
    optional("created", Kind::Range),
    optional("email", TEXT),
    optional("test_clock", TEXT),
];

pub(crate) fn route(
    state: &mut State,
    context: &mut Context<'_>,
    request: &Request,
    rest: &[&str],
) -> Result<Value, ApiError> {
    let params = &request.params;
    match (request.method, rest) {
        (Method::Get, []) => list(state, params),
        (Method::Post, []) => {
            let id = create(state, context, params)?;
            customer::find(state, &id).map(customer::to_json)
        }
        (Method::Get, [id]) => {
            let found = state.customers.get(id).ok_or_else(|| ApiError::not_found("customer", id, "id"))?;
            spec::check(params, accepted::ONLY_EXPAND)?;
            Ok(customer::to_json(found))
        }
        (Method::Post, [id]) => {
            update(state, context, id, params)?;
            customer::find(state, id).map(customer::to_json)
        }
        (Method::Delete, [id]) => {
            customer::find(state, id)?;
            spec::check(params, &[])?;
            test_clock::leave(state, context, id);
            customer::delete(state, context, id)
        }
        (Method::Get, [id, "payment_methods"]) => {
            customer::find(state, id)?;
            method_api::list(state, params, Some(id))
        }
        (Method::Get, [id, "payment_methods", method]) => {
            customer::find(state, id)?;
            spec::check(params, accepted::ONLY_EXPAND)?;
            let found = methods::find(state, method)?;
            if found.customer.as_deref() != Some(id) {
                return Err(ApiError::not_found("PaymentMethod", method, "payment_method"));
            }
            Ok(method_json::payment_method(found))
        }
        (_, [id, "sources", rest @ ..]) => source_api::route(state, context, request, id, rest),
        _ => Err(unrecognized(request)),
    }
}

#[derive(Debug, Deserialize)]
struct Creation {
    payment_method: Option<String>,
    source: Option<String>,
    test_clock: Option<String>,
}

fn create(state: &mut State, context: &mut Context<'_>, params: &Params) -> Result<String, ApiError> {
    let mut fields = PROFILE.to_vec();
    fields.extend([
        optional("payment_method", TEXT),
        optional("source", TEXT),
        optional("test_clock", TEXT),
        unsupported("tax_id_data"),
        unsupported("validate"),
    ]);
    let params = &metadata::without_unset(params);
    let wanted: Creation = read(params, &fields)?;
    precheck_expansions(params, "customer")?;
    let mut profile = checked_profile(&Profile::default(), params, &fields)?;
    if let Some(clock) = &wanted.test_clock {
        check_test_clock(state, clock)?;
    }
    // By this name, or by its id, once it is attached.
    let default = profile.invoice_settings.default_payment_method.take();
    if let Some(default) = &default
        && wanted.payment_method.as_ref() != Some(default)
    {
        methods::check_attached(state, default, "", "invoice_settings[default_payment_method]")?;
    }
    let method = match &wanted.payment_method {
        Some(name) => Some(methods::named(state, context, name)?),
        None => None,
    };
    if let Some(method) = &method {
        methods::check_attachable(method)?;
    }
    let card = match &wanted.source {
        Some(token) => Some(source_api::card(token, context)?),
        None => None,
    };
    let made = Customer { test_clock: wanted.test_clock, ..Customer::new(context, profile) };
    let id = customer::add(state, context, made);
    if let Some(method) = method {
        let method_id = methods::attach(state, context, method, &id)?;
        if default.is_some() {
            customer::change(state, context, &id, |customer| {
                customer.profile.invoice_settings.default_payment_method = Some(method_id);
            });
        }
    }
    if let Some(card) = card {
        source_api::add(state, context, &id, card);
    }
    Ok(id)
}

/// A test clock that a customer lives by must exist.
fn check_test_clock(state: &State, id: &str) -> Result<(), ApiError> {
    match state.test_clocks.get(id) {
        Some(_) => Ok(()),
        None => Err(ApiError::missing_reference("testclock", id, "test_clock")),
    }
}

fn update(state: &mut State, context: &mut Context<'_>, id: &str, params: &Params) -> Result<(), ApiError> {
    #[derive(Deserialize)]
    struct Update {
        default_source: Option<String>,
    }
    let found = customer::find(state, id)?;
    let mut fields = PROFILE.to_vec();
    fields.extend([optional("default_source", TEXT), unsupported("source"), unsupported("validate")]);
    let wanted: Update = read(&metadata::without_unset(params), &fields)?;
    let profile = checked_profile(&found.profile, params, &fields)?;
    let default = &profile.invoice_settings.default_payment_method;
    if let Some(default) = default
        && Some(default) != found.profile.invoice_settings.default_payment_method.as_ref()
    {
        methods::check_attached(state, default, id, "invoice_settings[default_payment_method]")?;
    }
    if let Some(source) = &wanted.default_source {
        source_api::find(found, source)?;
    }
    customer::change(state, context, id, |customer| {
        customer.profile = profile;
        customer.default_source = wanted.default_source.or(customer.default_source.take());
    });
    Ok(())
}

/// The profile with what the request changes.
fn checked_profile(current: &Profile, params: &Params, fields: &[Field]) -> Result<Profile, ApiError> {
    let mut changes = spec::check(&metadata::without_unset(params), fields)?;
    if let Some(members) = changes.as_object_mut() {
        members.remove("metadata");
    }
    let mut profile = customer::edited_profile(current, &changes)?;
    check_email(profile.email.as_deref(), "email")?;
    profile.metadata = metadata::changed(&current.metadata, params)?;
    Ok(profile)
}

#[derive(Debug, Deserialize)]
struct Filter {
    #[serde(flatten)]
    page: Page,
    created: Option<Range>,
    email: Option<String>,
    test_clock: Option<String>,
}

impl Filter {
    fn accepts(&self, customer: &Customer) -> bool {
        !customer.deleted
            && self.created.as_ref().is_none_or(|range| range.contains(customer.created))
            && (self.email.is_none() || self.email == customer.profile.email)
            && (self.test_clock.is_none() || self.test_clock == customer.test_clock)
    }
}

fn list(state: &State, params: &Params) -> Result<Value, ApiError> {
    let filter: Filter = read(params, LIST)?;
    list::late_page(
        (&state.customers, Lag::of(state)),
        &filter.page,
        ("customer", "/v1/customers"),
        |customer| filter.accepts(customer),
        customer::to_json,
    )
}
