//! `/v1/tax/settings` and `/v1/tax/registrations`: what an integration checks before it relies on automatic tax. One
//! registration exists from the start; a control can take it away.

use serde_json::{Value, json};

use super::subscription_params::{EXPAND, TEXT};
use crate::model::{
    Context, State,
    error::ApiError,
    request::{Method, Request, unrecognized},
    spec::{self, Kind, optional},
};

const REGISTRATION: &str = "taxreg_SandboxUS";

pub(crate) fn route(state: &State, context: &Context<'_>, request: &Request, rest: &[&str]) -> Result<Value, ApiError> {
    let params = &request.params;
    match (request.method, rest) {
        (Method::Get, ["settings"]) => {
            spec::check(params, &[EXPAND])?;
            Ok(settings())
        }
        (Method::Get, ["registrations"]) => {
            let fields = [
                optional("limit", Kind::Integer(1)),
                optional("starting_after", TEXT),
                optional("ending_before", TEXT),
                optional("status", Kind::OneOf(&["active", "all", "expired", "scheduled"])),
                EXPAND,
            ];
            let wanted = spec::check(params, &fields)?;
            let status = wanted.get("status").and_then(Value::as_str).unwrap_or("active");
            let shows = matches!(status, "active" | "all") && !state.tax_unregistered;
            let data: Vec<Value> = shows.then(|| registration(context)).into_iter().collect();
            Ok(json!({ "object": "list", "data": data, "has_more": false, "url": "/v1/tax/registrations" }))
        }
        (Method::Get, ["registrations", id]) => {
            spec::check(params, &[EXPAND])?;
            if *id == REGISTRATION && !state.tax_unregistered {
                return Ok(registration(context));
            }
            Err(ApiError::not_found("registration", id, "id"))
        }
        _ => Err(unrecognized(request)),
    }
}

fn settings() -> Value {
    json!({
        "object": "tax.settings",
        "defaults": { "provider": "stripe", "tax_behavior": "exclusive", "tax_code": "txcd_10000000" },
        "head_office": { "address": {
            "city": "San Francisco", "country": "US", "line1": "354 Oyster Point Blvd", "line2": null,
            "postal_code": "94080", "state": "CA",
        }},
        "livemode": false,
        "status": "active",
        "status_details": { "active": {} },
    })
}

fn registration(context: &Context<'_>) -> Value {
    json!({
        "id": REGISTRATION,
        "object": "tax.registration",
        "active_from": 0,
        "country": "US",
        "country_options": { "us": { "state": "CA", "type": "state_sales_tax" } },
        "created": context.now().min(0),
        "expires_at": null,
        "livemode": false,
        "status": "active",
    })
}
