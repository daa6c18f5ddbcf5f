//! `/v1/billing/meters` and `/v1/billing/meter_events`: parses Stripe's parameters and calls the commands.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{
    Context, State, accepted,
    error::ApiError,
    list,
    list::{Lag, Page},
    meter,
    meter::{Meter, MeterEvent},
    params::Params,
    request::{Method, Request, precheck_expansions, read, unrecognized},
    spec,
    spec::{Field, Kind, optional, required},
};

const TEXT: Kind = Kind::Text(5_000);
const EXPAND: Field = optional("expand", Kind::List(20, &TEXT));

const CREATE: &[Field] = &[
    required("default_aggregation", Kind::Object(&[required("formula", Kind::OneOf(&["count", "last", "sum"]))])),
    required("display_name", Kind::Text(250)),
    required("event_name", Kind::Text(100)),
    optional(
        "customer_mapping",
        Kind::Object(&[required("event_payload_key", Kind::Text(100)), required("type", Kind::OneOf(&["by_id"]))]),
    ),
    optional("event_time_window", Kind::OneOf(&["day", "hour"])),
    optional("value_settings", Kind::Object(&[required("event_payload_key", Kind::Text(100))])),
    EXPAND,
];
const UPDATE: &[Field] = &[optional("display_name", Kind::Text(250)), EXPAND];
const LIST: &[Field] = &[
    optional("limit", Kind::Integer(1)),
    optional("starting_after", TEXT),
    optional("ending_before", TEXT),
    optional("status", Kind::OneOf(&["active", "inactive"])),
    EXPAND,
];
const REPORT: &[Field] = &[
    required("event_name", Kind::Text(100)),
    required("payload", Kind::Map(&Kind::Text(100))),
    optional("identifier", Kind::Text(100)),
    optional("timestamp", Kind::Integer(0)),
    EXPAND,
];

pub(crate) fn route(
    state: &mut State,
    context: &mut Context<'_>,
    request: &Request,
    rest: &[&str],
) -> Result<Value, ApiError> {
    let params = &request.params;
    let now = context.now();
    let id = match (request.method, rest) {
        (Method::Get, []) => return list(state, params),
        (Method::Post, []) => create(state, context, params)?,
        (Method::Get, [id]) => {
            meter::find(state, id)?;
            spec::check(params, accepted::ONLY_EXPAND)?;
            (*id).to_owned()
        }
        (Method::Post, [id]) => {
            #[derive(Deserialize)]
            struct Update {
                display_name: Option<String>,
            }
            meter::find(state, id)?;
            let wanted: Update = read(params, UPDATE)?;
            change(state, context, "billing.meter.updated", id, |meter| {
                meter.display_name = wanted.display_name.unwrap_or_else(|| meter.display_name.clone());
            });
            (*id).to_owned()
        }
        (Method::Post, [id, "deactivate"]) => {
            meter::find(state, id)?;
            spec::check(params, accepted::ONLY_EXPAND)?;
            change(state, context, "billing.meter.deactivated", id, |meter| meter.deactivated_at = Some(now));
            (*id).to_owned()
        }
        (Method::Post, [id, "reactivate"]) => {
            let name = meter::find(state, id)?.event_name.clone();
            spec::check(params, accepted::ONLY_EXPAND)?;
            check_free(state, &name)?;
            change(state, context, "billing.meter.reactivated", id, |meter| meter.deactivated_at = None);
            (*id).to_owned()
        }
        _ => return Err(unrecognized(request)),
    };
    meter::find(state, &id).map(meter::to_json)
}

fn check_free(state: &State, event_name: &str) -> Result<(), ApiError> {
    let Some(other) = meter::by_event(state, event_name) else { return Ok(()) };
    let message = format!("A meter (`{}`) with the event name `{event_name}` is active already.", other.id);
    Err(ApiError::invalid(message).code("resource_already_exists").param("event_name"))
}

fn create(state: &mut State, context: &mut Context<'_>, params: &Params) -> Result<String, ApiError> {
    #[derive(Deserialize)]
    struct Creation {
        default_aggregation: Aggregation,
        display_name: String,
        event_name: String,
        event_time_window: Option<String>,
        customer_mapping: Option<Key>,
        value_settings: Option<Key>,
    }
    #[derive(Deserialize)]
    struct Aggregation {
        formula: String,
    }
    #[derive(Deserialize)]
    struct Key {
        event_payload_key: String,
    }
    let wanted: Creation = read(params, CREATE)?;
    precheck_expansions(params, "billing.meter")?;
    check_free(state, &wanted.event_name)?;
    let key = |given: Option<Key>, default: &str| given.map_or_else(|| default.to_owned(), |key| key.event_payload_key);
    let made = Meter {
        id: context.ids.next("mtr_test_61", 20),
        created: context.now(),
        updated: context.now(),
        display_name: wanted.display_name,
        event_name: wanted.event_name,
        event_time_window: wanted.event_time_window,
        formula: wanted.default_aggregation.formula,
        customer_key: key(wanted.customer_mapping, "stripe_customer_id"),
        value_key: key(wanted.value_settings, "value"),
        deactivated_at: None,
    };
    let (id, rendered) = (made.id.clone(), meter::to_json(&made));
    state.meters.insert(made);
    state.emit(context, "billing.meter.created", rendered);
    Ok(id)
}

fn change(state: &mut State, context: &mut Context<'_>, kind: &str, id: &str, change: impl FnOnce(&mut Meter)) {
    let now = context.now();
    let Some(found) = state.meters.get_mut(id) else { return };
    let before = meter::to_json(found);
    change(found);
    found.updated = now;
    let after = meter::to_json(found);
    state.emit_diff(context, kind, &before, after);
}

fn list(state: &State, params: &Params) -> Result<Value, ApiError> {
    #[derive(Deserialize)]
    struct Filter {
        #[serde(flatten)]
        page: Page,
        status: Option<String>,
    }
    let filter: Filter = read(params, LIST)?;
    list::late_page(
        (&state.meters, Lag::of(state)),
        &filter.page,
        ("billing meter", "/v1/billing/meters"),
        |meter| filter.status.as_ref().is_none_or(|status| (status == "active") == meter.deactivated_at.is_none()),
        meter::to_json,
    )
}

/// `POST /v1/billing/meter_events`: counts one event.
pub(crate) fn report(state: &mut State, context: &mut Context<'_>, params: &Params) -> Result<Value, ApiError> {
    #[derive(Deserialize)]
    struct Report {
        event_name: String,
        payload: BTreeMap<String, String>,
        identifier: Option<String>,
        timestamp: Option<i64>,
    }
    let wanted: Report = read(params, REPORT)?;
    let event = MeterEvent {
        identifier: wanted.identifier.unwrap_or_else(|| context.ids.next("", 32)),
        created: context.now(),
        event_name: wanted.event_name,
        timestamp: wanted.timestamp.unwrap_or_else(|| context.now()),
        payload: wanted.payload,
    };
    if state.meter_events.get(&event.identifier).is_some() {
        let message = format!("An event already exists with identifier {}.", event.identifier);
        return Err(ApiError::invalid(message).code("duplicate_meter_event").param("identifier").executed());
    }
    let rendered = meter::event_json(&event);
    meter::count(state, context, event);
    Ok(rendered)
}
