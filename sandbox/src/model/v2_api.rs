//! `/v2/…`: what the sandbox has of Stripe's API v2, whose bodies are JSON: the stream of meter events, and thin
//! events.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Context, State,
    error::ApiError,
    meter,
    meter::{MeterEvent, MeterSession},
    params::Params,
    request::{Method, Request, read, unrecognized},
    spec,
    spec::{Field, Kind, optional, required},
};

/// The path of the stream, whose key is a session's token.
pub(crate) const METER_STREAM: &str = "/v2/billing/meter_event_stream";

const EVENT: &[Field] = &[
    required("event_name", Kind::Text(100)),
    required("payload", Kind::Map(&Kind::Text(100))),
    optional("identifier", Kind::Text(100)),
    optional("timestamp", Kind::Text(40)),
];
const EVENTS: &[Field] = &[required("events", Kind::List(100, &Kind::Object(EVENT)))];

#[derive(Debug, Deserialize)]
struct WantedEvent {
    event_name: String,
    payload: BTreeMap<String, String>,
    identifier: Option<String>,
}

pub(crate) fn route(
    state: &mut State,
    context: &mut Context<'_>,
    request: &Request,
    segments: &[&str],
) -> Result<Value, ApiError> {
    let params = &request.params;
    match (request.method, segments) {
        (Method::Post, ["billing", "meter_event_session"]) => {
            spec::check(params, &[])?;
            let session = MeterSession::new(context);
            let rendered = session.to_json();
            let now = context.now();
            state.meter_sessions.remove_if(|session| !session.is_good(now));
            state.meter_sessions.insert(session);
            Ok(rendered)
        }
        (Method::Post, ["billing", "meter_event_stream"]) => {
            stream(state, context, params)?;
            Ok(json!({}))
        }
        (Method::Get, ["core", "events", id]) => {
            let found = state.events.get(id).filter(|event| event.thin_only).map(|event| event.object.clone());
            found.ok_or_else(|| ApiError::not_found("event", id, "id"))
        }
        (Method::Get, ["core", "events"]) => {
            spec::check(params, &[])?;
            let thin = state.events.iter().rev().filter(|event| event.thin_only).take(20);
            let data: Vec<Value> = thin.map(|event| event.object.clone()).collect();
            Ok(json!({ "data": data, "next_page_url": null, "previous_page_url": null }))
        }
        _ => Err(unrecognized(request)),
    }
}

fn stream(state: &mut State, context: &mut Context<'_>, params: &Params) -> Result<(), ApiError> {
    #[derive(Deserialize)]
    struct Events {
        events: Vec<WantedEvent>,
    }
    let wanted: Events = read(params, EVENTS)?;
    for event in wanted.events {
        let event = MeterEvent {
            identifier: event.identifier.unwrap_or_else(|| context.ids.next("", 32)),
            created: context.now(),
            event_name: event.event_name,
            timestamp: context.now(),
            payload: event.payload,
        };
        // As on Stripe, an identifier that was seen before is not counted again, without an error.
        if state.meter_events.get(&event.identifier).is_none() {
            meter::count(state, context, event);
        }
    }
    Ok(())
}

/// Whether a token is that of a session.
pub(crate) fn is_token(state: &State, token: &str, now: i64) -> bool {
    state.meter_sessions.iter().any(|session| session.token == token && session.is_good(now))
}
