//! `/v1/billing_portal`: parses Stripe's parameters; configurations and sessions.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    document,
    portal::{self, CONFIGURATION, PortalSession},
    portal_params::{CONFIGURED, FEATURES, SESSION},
    subscription,
    subscription_params::EXPAND,
};
use crate::model::{
    Context, State, customer,
    error::ApiError,
    metadata,
    params::Params,
    price, product,
    request::{Method, Request, precheck_expansions, read, unrecognized},
    spec::{self, Field, Kind, optional, required},
};

pub(crate) fn route(
    state: &mut State,
    context: &mut Context<'_>,
    request: &Request,
    rest: &[&str],
) -> Result<Value, ApiError> {
    let params = &request.params;
    match (request.method, rest) {
        (Method::Post, ["configurations"]) => create_configuration(state, context, params),
        (Method::Get, ["configurations"]) => {
            let filters = [optional("active", Kind::Boolean), optional("is_default", Kind::Boolean)];
            document::list(state, CONFIGURATION, params, &filters)
        }
        (Method::Get, ["configurations", id]) => {
            spec::check(params, &[EXPAND])?;
            document::find(state, CONFIGURATION, id).map(|found| found.value.clone())
        }
        (Method::Post, ["configurations", id]) => update_configuration(state, context, id, params),
        (Method::Post, ["sessions"]) => create_session(state, context, params),
        _ => Err(unrecognized(request)),
    }
}

fn with_rest(fields: &[Field]) -> Vec<Field> {
    fields.iter().copied().chain([optional("metadata", Kind::Metadata), EXPAND]).collect()
}

/// The products of a plan switch must exist, each with prices of its own.
fn check_products(state: &State, checked: &Value) -> Result<(), ApiError> {
    let products = checked.pointer("/features/subscription_update/products").and_then(Value::as_array);
    for (place, product) in products.into_iter().flatten().enumerate() {
        let at = format!("features[subscription_update][products][{place}]");
        let id = product.get("product").and_then(Value::as_str).unwrap_or_default();
        product::referenced(state, id, &format!("{at}[product]"))?;
        for price in product.get("prices").and_then(Value::as_array).into_iter().flatten() {
            let price = price.as_str().unwrap_or_default();
            if price::referenced(state, price, &format!("{at}[prices]"))?.product != id {
                let message = format!("The price {price} does not belong to the product {id}.");
                return Err(ApiError::invalid(message).param(at));
            }
        }
    }
    Ok(())
}

fn create_configuration(state: &mut State, context: &mut Context<'_>, params: &Params) -> Result<Value, ApiError> {
    let mut fields = CONFIGURED.to_vec();
    fields.push(required("features", Kind::Object(FEATURES)));
    let checked = spec::check(params, &with_rest(&fields))?;
    check_products(state, &checked)?;
    let is_default = !state.documents.iter().any(|found| found.kind == CONFIGURATION.object);
    let mut value = json!({
        "id": context.ids.next("bpc_1", 23),
        "object": CONFIGURATION.object,
        "active": true,
        "application": null,
        "business_profile": { "headline": null, "privacy_policy_url": null, "terms_of_service_url": null },
        "created": context.now(),
        "default_return_url": null,
        "features": portal::no_features(),
        "is_default": is_default,
        "livemode": false,
        "login_page": { "enabled": false, "url": null },
        "metadata": {},
        "name": null,
        "updated": context.now(),
    });
    for (name, member) in checked.as_object().into_iter().flatten().filter(|(name, _)| *name != "expand") {
        if let Some(place) = value.get_mut(name) {
            document::merge(place, member);
        }
    }
    complete_products(&mut value);
    Ok(document::add(state, context, CONFIGURATION, value))
}

fn update_configuration(
    state: &mut State,
    context: &mut Context<'_>,
    id: &str,
    params: &Params,
) -> Result<Value, ApiError> {
    let current = document::find(state, CONFIGURATION, id)?.value.get("metadata").cloned().unwrap_or_default();
    let current = serde_json::from_value(current).unwrap_or_default();
    let mut fields = CONFIGURED.to_vec();
    fields.push(optional("active", Kind::Boolean));
    fields.push(optional("features", Kind::Object(FEATURES)));
    let mut checked = spec::check(&metadata::without_unset(params), &with_rest(&fields))?;
    check_products(state, &checked)?;
    let metadata = metadata::changed(&current, params)?;
    if let Some(members) = checked.as_object_mut() {
        members.remove("expand");
        members.remove("metadata");
        members.insert("updated".to_owned(), json!(context.now()));
    }
    document::change(state, context, (CONFIGURATION, id), |value| {
        document::merge(value, &checked);
        complete_products(value);
        if let Some(place) = value.get_mut("metadata") {
            *place = json!(metadata);
        }
    })
}

/// Stripe shows the bounds of a quantity that is not adjustable too.
fn complete_products(value: &mut Value) {
    let products = value.pointer_mut("/features/subscription_update/products").and_then(Value::as_array_mut);
    for product in products.into_iter().flatten().filter_map(Value::as_object_mut) {
        let adjustable = product.entry("adjustable_quantity").or_insert(json!({ "enabled": false }));
        if let Some(adjustable) = adjustable.as_object_mut() {
            adjustable.entry("maximum").or_insert(Value::Null);
            adjustable.entry("minimum").or_insert(json!(1));
        }
    }
}

#[derive(Debug, Deserialize)]
struct Wanted {
    customer: Option<String>,
    configuration: Option<String>,
    flow_data: Option<Value>,
    locale: Option<String>,
    return_url: Option<String>,
}

fn create_session(state: &mut State, context: &mut Context<'_>, params: &Params) -> Result<Value, ApiError> {
    let wanted: Wanted = read(params, SESSION)?;
    precheck_expansions(params, "billing_portal.session")?;
    let customer = wanted.customer.ok_or_else(|| ApiError::missing_param("customer"))?;
    customer::referenced(state, &customer, "customer")?;
    let configuration = match wanted.configuration {
        Some(id) => {
            document::find(state, CONFIGURATION, &id)
                .map_err(|_| ApiError::missing_reference("configuration", &id, "configuration"))?;
            id
        }
        None => default_configuration(state, context)?,
    };
    let features = portal::features(state, &configuration);
    if let Some(flow) = &wanted.flow_data {
        check_flow(state, flow, &customer, &features)?;
    }
    let default_url = state.documents.get(&configuration).and_then(|found| found.value.get("default_return_url"));
    let default_url = default_url.and_then(Value::as_str).map(str::to_owned);
    let session = PortalSession {
        id: context.ids.next("bps_1", 23),
        created: context.now(),
        customer,
        configuration,
        flow: wanted.flow_data.as_ref().map(complete_flow),
        return_url: wanted.return_url.or(default_url),
        locale: wanted.locale,
        on_behalf_of: None,
    };
    let rendered = portal::to_json(&session, context.base_url);
    state.portal_sessions.insert(session);
    state.emit(context, "billing_portal.session.created", rendered.clone());
    Ok(rendered)
}

/// The default configuration: in the dashboard, or the first that was made. A sandbox with the dashboard's settings
/// saved makes one with everything on.
fn default_configuration(state: &mut State, context: &mut Context<'_>) -> Result<String, ApiError> {
    let made = state
        .documents
        .iter()
        .find(|found| found.kind == CONFIGURATION.object && found.value.get("is_default") == Some(&json!(true)));
    if let Some(found) = made {
        return Ok(found.id.clone());
    }
    if state.portal_unsaved {
        return Err(ApiError::invalid(
            "You can't create a portal session in test mode until you save your customer portal settings in test mode \
             at https://dashboard.stripe.com/test/settings/billing/portal.",
        ));
    }
    let mut features = portal::no_features();
    for name in ["invoice_history", "payment_method_update", "subscription_cancel"] {
        if let Some(enabled) = features.get_mut(name).and_then(|feature| feature.get_mut("enabled")) {
            *enabled = json!(true);
        }
    }
    let id = context.ids.next("bpc_1", 23);
    let value = json!({
        "id": id, "object": CONFIGURATION.object, "active": true, "application": null,
        "business_profile": { "headline": null, "privacy_policy_url": null, "terms_of_service_url": null },
        "created": context.now(), "default_return_url": null, "features": features, "is_default": true,
        "livemode": false, "login_page": { "enabled": false, "url": null }, "metadata": {}, "name": null,
        "updated": context.now(),
    });
    document::add(state, context, CONFIGURATION, value);
    Ok(id)
}

fn check_flow(state: &State, flow: &Value, customer: &str, features: &Value) -> Result<(), ApiError> {
    let kind = flow.get("type").and_then(Value::as_str).unwrap_or_default();
    let feature = if kind == "subscription_update_confirm" { "subscription_update" } else { kind };
    let off = || {
        let message = format!("This {kind} flow cannot be used: the configuration has {feature} disabled.");
        ApiError::invalid(message).param("flow_data[type]")
    };
    if !portal::is_on(features, feature) {
        return Err(off());
    }
    if kind == "payment_method_update" {
        return Ok(());
    }
    let at = format!("flow_data[{kind}][subscription]");
    let id = flow.get(kind).and_then(|of| of.get("subscription")).and_then(Value::as_str);
    let id = id.ok_or_else(|| ApiError::missing_param(&at))?;
    let found = subscription::find(state, id).map_err(|_| ApiError::missing_reference("subscription", id, &at))?;
    if found.customer != customer {
        return Err(ApiError::missing_reference("subscription", id, &at));
    }
    if found.is_ended() {
        let message = "This subscription cannot be changed: it is canceled.";
        return Err(ApiError::invalid(message).param(at));
    }
    if kind == "subscription_update_confirm" {
        check_confirm(flow, found.items.len(), features)?;
    }
    Ok(())
}

/// The price must be offered, and the subscription must have one item.
fn check_confirm(flow: &Value, items: usize, features: &Value) -> Result<(), ApiError> {
    let at = "flow_data[subscription_update_confirm][items]";
    if items != 1 {
        let message = "This subscription cannot be updated because it has multiple items.";
        return Err(ApiError::invalid(message).param(at));
    }
    let price = flow.pointer("/subscription_update_confirm/items/0/price").and_then(Value::as_str);
    let offered = portal::offered_prices(features);
    match price {
        Some(price) if !offered.iter().any(|id| id == price) => {
            let message = format!(
                "The item `price` should be set to a price that is in the configuration's \
                 `features[subscription_update][products]`, but {price} is not."
            );
            Err(ApiError::invalid(message).param(at))
        }
        _ => Ok(()),
    }
}

/// A flow as the session shows it: with every member.
fn complete_flow(flow: &Value) -> Value {
    let mut whole = json!({
        "after_completion": { "hosted_confirmation": null, "redirect": null, "type": "portal_homepage" },
        "customer_update": null,
        "subscription_cancel": null,
        "subscription_pause": null,
        "subscription_update": null,
        "subscription_update_confirm": null,
        "type": "payment_method_update",
    });
    document::merge(&mut whole, flow);
    for (name, missing) in [("subscription_cancel", "retention"), ("subscription_update_confirm", "discounts")] {
        if let Some(of) = whole.get_mut(name).and_then(Value::as_object_mut) {
            of.insert(missing.to_owned(), Value::Null);
        }
    }
    let items = whole.pointer_mut("/subscription_update_confirm/items").and_then(Value::as_array_mut);
    for item in items.into_iter().flatten().filter_map(Value::as_object_mut) {
        item.entry("price").or_insert(Value::Null);
    }
    let message = whole.pointer_mut("/after_completion/hosted_confirmation").and_then(Value::as_object_mut);
    if let Some(message) = message {
        message.entry("custom_message").or_insert(Value::Null);
    }
    whole
}
