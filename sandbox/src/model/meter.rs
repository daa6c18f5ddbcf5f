//! Billing meters, and the events that are counted by them (docs: "Usage-based billing").
//!
//! Invariants: an event name belongs to one active meter. An identifier is counted once. An event that cannot be
//! counted is reported by a thin event, not by its request.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Context, State, calendar, decimal, error::ApiError, table::Row};

/// A meter.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Meter {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) display_name: String,
    pub(crate) event_name: String,
    pub(crate) event_time_window: Option<String>,
    /// `count`, `last` or `sum`.
    pub(crate) formula: String,
    /// The names of the members of an event's payload.
    pub(crate) customer_key: String,
    pub(crate) value_key: String,
    pub(crate) deactivated_at: Option<i64>,
}

/// An event that was counted.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct MeterEvent {
    pub(crate) identifier: String,
    pub(crate) created: i64,
    pub(crate) event_name: String,
    pub(crate) timestamp: i64,
    pub(crate) payload: BTreeMap<String, String>,
}

/// A session of the stream of meter events: its token is the key of the stream's requests.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct MeterSession {
    pub(crate) id: String,
    pub(crate) token: String,
    pub(crate) created: i64,
}

impl Row for Meter {
    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> Option<i64> {
        Some(self.created)
    }
}

impl Row for MeterEvent {
    fn id(&self) -> &str {
        &self.identifier
    }
}

impl Row for MeterSession {
    fn id(&self) -> &str {
        &self.id
    }
}

/// How long a session's token is good, in seconds.
const SESSION_LASTS: i64 = 15 * 60;

impl MeterSession {
    pub(crate) fn new(context: &mut Context<'_>) -> Self {
        Self {
            id: context.ids.next("bmes_test_61", 20),
            token: context.ids.next("token_test_", 40),
            created: context.now(),
        }
    }

    pub(crate) fn is_good(&self, now: i64) -> bool {
        now < self.created.saturating_add(SESSION_LASTS)
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({
            "id": self.id,
            "object": "v2.billing.meter_event_session",
            "authentication_token": self.token,
            "created": calendar::rfc3339(self.created),
            "expires_at": calendar::rfc3339(self.created.saturating_add(SESSION_LASTS)),
            "livemode": false,
        })
    }
}

pub(crate) fn find<'a>(state: &'a State, id: &str) -> Result<&'a Meter, ApiError> {
    state.meters.get(id).ok_or_else(|| ApiError::not_found("billing meter", id, "id"))
}

/// The active meter of an event name.
pub(crate) fn by_event<'a>(state: &'a State, event_name: &str) -> Option<&'a Meter> {
    state.meters.iter().find(|meter| meter.event_name == event_name && meter.deactivated_at.is_none())
}

/// Counts an event, or reports why it cannot be counted.
pub(crate) fn count(state: &mut State, context: &mut Context<'_>, event: MeterEvent) {
    let Some(meter) = by_event(state, &event.event_name).cloned() else {
        let message = format!("No active meter with event name {} found.", event.event_name);
        report(state, context, None, ("meter_event_no_customer_defined", &message, &event));
        return;
    };
    let customer = event.payload.get(&meter.customer_key);
    let known = customer.is_some_and(|id| state.customers.get(id).is_some_and(|customer| !customer.deleted));
    let value = event.payload.get(&meter.value_key).map_or("1", String::as_str);
    let is_number = decimal::parse(value.trim_start_matches('-')).is_some();
    let problem = match (customer, known, is_number) {
        (None, ..) => Some((
            "meter_event_no_customer_defined",
            format!("The event payload must have the member `{}`.", meter.customer_key),
        )),
        (Some(id), false, _) => Some(("meter_event_customer_not_found", format!("No such customer: '{id}'"))),
        (_, _, false) => Some(("meter_event_invalid_value", "The value of the event is no number.".to_owned())),
        _ => None,
    };
    match problem {
        Some((code, message)) => report(state, context, Some(&meter.id), (code, &message, &event)),
        None => state.meter_events.insert(event),
    }
}

/// The thin event that says what was wrong with an event.
fn report(
    state: &mut State,
    context: &mut Context<'_>,
    meter: Option<&str>,
    (code, message, event): (&str, &str, &MeterEvent),
) {
    let now = calendar::rfc3339(context.now());
    let code = if meter.is_none() { "no_meter" } else { code };
    let data = json!({
        "developer_message_summary": "There is 1 invalid event",
        "reason": {
            "error_count": 1,
            "error_types": [{
                "code": code,
                "error_count": 1,
                "sample_errors": [{
                    "error_message": message, "request": { "identifier": event.identifier },
                }],
            }],
        },
        "validation_start": now,
        "validation_end": now,
    });
    match meter {
        Some(id) => {
            let url = format!("/v1/billing/meters/{id}");
            let related = json!({ "id": id, "type": "billing.meter", "url": url });
            state.emit_thin(context, "v1.billing.meter.error_report_triggered", &data, &related);
        }
        None => state.emit_thin(context, "v1.billing.meter.no_meter_found", &data, &Value::Null),
    }
}

pub(crate) fn to_json(meter: &Meter) -> Value {
    json!({
        "id": meter.id,
        "object": "billing.meter",
        "created": meter.created,
        "customer_mapping": { "event_payload_key": meter.customer_key, "type": "by_id" },
        "default_aggregation": { "formula": meter.formula },
        "display_name": meter.display_name,
        "event_name": meter.event_name,
        "event_time_window": meter.event_time_window,
        "livemode": false,
        "status": if meter.deactivated_at.is_some() { "inactive" } else { "active" },
        "status_transitions": { "deactivated_at": meter.deactivated_at },
        "updated": meter.updated,
        "value_settings": { "event_payload_key": meter.value_key },
    })
}

pub(crate) fn event_json(event: &MeterEvent) -> Value {
    json!({
        "object": "billing.meter_event",
        "created": event.created,
        "event_name": event.event_name,
        "identifier": event.identifier,
        "livemode": false,
        "payload": event.payload,
        "timestamp": event.timestamp,
    })
}
