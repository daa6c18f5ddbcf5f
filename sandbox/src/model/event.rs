//! Events and their pending deliveries.
//!
//! An event is written once, when something happens, and never changes. Each endpoint subscribed to it gets a delivery.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    Cause, Context, State, calendar,
    table::{Row, Table},
    version::{self, DEFAULT_API_VERSION},
};

/// An event. `object` is a snapshot of the object at that time.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) kind: String,
    pub(crate) object: Value,
    pub(crate) previous_attributes: Option<Value>,
    /// Members that old API versions show in `object` and new ones do not, as they were at that time.
    #[serde(default)]
    pub(crate) former: Map<String, Value>,
    pub(crate) cause: Option<Cause>,
    pub(crate) targets: Vec<Target>,
    /// The connected account that it happened in.
    #[serde(default)]
    pub(crate) account: Option<String>,
    /// Stripe has no snapshot of it: `object` is the body of the thin event, and other endpoints do not get it.
    #[serde(default)]
    pub(crate) thin_only: bool,
}

/// An endpoint that an event is sent to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Target {
    pub(crate) endpoint: String,
    /// It answered at least once, with any status.
    pub(crate) answered: bool,
    /// It answered with 2xx.
    pub(crate) delivered: bool,
}

/// A pending delivery of one event to one endpoint.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Delivery {
    pub(crate) event: String,
    pub(crate) endpoint: String,
    pub(crate) attempts: u32,
    pub(crate) due_ms: i64,
    /// Requested by hand: sent once, and the automatic retries continue independently.
    pub(crate) manual: bool,
    /// Sent even if deliveries are held.
    #[serde(default)]
    pub(crate) forced: bool,
    /// Overrides the endpoint's API version.
    #[serde(default)]
    pub(crate) api_version: Option<String>,
}

/// The result of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AttemptResult {
    /// A 2xx status.
    Delivered,
    /// Any other status.
    Refused,
    /// No answer.
    Unreachable,
}

impl Row for Event {
    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> Option<i64> {
        Some(self.created)
    }
}

impl Event {
    /// The event as the API shows it.
    pub(crate) fn to_json(&self) -> Value {
        let pending = self.targets.iter().filter(|t| !t.delivered).count();
        self.render(Some(DEFAULT_API_VERSION), pending)
    }

    /// The webhook body: the same bytes for every attempt at one endpoint.
    pub(crate) fn body(&self, api_version: Option<&str>) -> String {
        let api_version = api_version.unwrap_or(DEFAULT_API_VERSION);
        // For the endpoint that reads the body, the webhook is always pending.
        let mut rendered = self.render(Some(api_version), self.targets.len().max(1));
        if let Some(object) = rendered.pointer_mut("/data/object") {
            // Of the objects in the event, only its own is a snapshot from when it happened.
            let own = object.get("id").cloned();
            version::render(object, api_version, &|object| {
                if object.get("id") == own.as_ref() { self.former.clone() } else { Map::new() }
            });
        }
        rendered.to_string()
    }

    /// The webhook body as a thin payload: it names the event and the object only.
    pub(crate) fn thin_body(&self) -> String {
        if self.thin_only {
            return self.object.to_string();
        }
        let member = |name| self.object.get(name).and_then(Value::as_str).unwrap_or_default();
        let (id, kind) = (member("id"), member("object"));
        json!({
            "id": format!("evt_test_65{}", self.id.trim_start_matches("evt_")),
            "object": "v2.core.event",
            "type": format!("v1.{}", self.kind),
            "livemode": false,
            "created": calendar::rfc3339(self.created),
            "context": null,
            "reason": null,
            "snapshot_event": self.id,
            "related_object": { "id": id, "type": kind, "url": thin_url(kind, id) },
        })
        .to_string()
    }

    fn render(&self, api_version: Option<&str>, pending_webhooks: usize) -> Value {
        let mut data = json!({ "object": self.object });
        if let (Some(previous), Some(data)) = (&self.previous_attributes, data.as_object_mut()) {
            data.insert("previous_attributes".to_owned(), previous.clone());
        }
        let (request, key) = match &self.cause {
            Some(cause) => (Some(&cause.request_id), cause.idempotency_key.as_ref()),
            None => (None, None),
        };
        let mut event = json!({
            "id": self.id,
            "object": "event",
            "api_version": api_version,
            "created": self.created,
            "data": data,
            "livemode": false,
            "pending_webhooks": pending_webhooks,
            "request": { "id": request, "idempotency_key": key },
            "type": self.kind,
        });
        if let (Some(account), Some(members)) = (&self.account, event.as_object_mut()) {
            members.insert("account".to_owned(), json!(account));
        }
        event
    }
}

/// An event to be recorded.
#[derive(Debug, Default)]
struct Happened<'a> {
    id: &'a str,
    kind: &'a str,
    object: Value,
    previous_attributes: Option<Value>,
    account: Option<String>,
    thin_only: bool,
}

impl State {
    /// Records an event and queues it for the endpoints subscribed to it. Returns its id.
    pub(crate) fn emit(&mut self, context: &mut Context<'_>, kind: &str, object: Value) -> String {
        self.emit_change(context, kind, object, None)
    }

    /// Like [`State::emit`], with the previous values of what was updated.
    pub(crate) fn emit_change(
        &mut self,
        context: &mut Context<'_>,
        kind: &str,
        object: Value,
        previous_attributes: Option<Value>,
    ) -> String {
        let id = context.ids.next("evt_1", 23);
        self.record(context, Happened { id: &id, kind, object, previous_attributes, ..Happened::default() });
        id
    }

    /// Like [`State::emit_change`], for what happens in a connected account.
    pub(crate) fn emit_in_account(
        &mut self,
        context: &mut Context<'_>,
        kind: &str,
        (before, object): (&Value, Value),
        account: &str,
    ) {
        let id = context.ids.next("evt_1", 23);
        let previous_attributes = former_values(before, &object).filter(|_| !before.is_null());
        let account = Some(account.to_owned());
        self.record(context, Happened { id: &id, kind, object, previous_attributes, account, ..Happened::default() });
    }

    /// Records an event that only thin destinations get.
    pub(crate) fn emit_thin(&mut self, context: &mut Context<'_>, kind: &str, data: &Value, related: &Value) {
        let id = context.ids.next("evt_test_65", 23);
        let object = json!({
            "id": id,
            "object": "v2.core.event",
            "type": kind,
            "livemode": false,
            "created": calendar::rfc3339(context.now()),
            "context": null,
            "reason": null,
            "related_object": related,
            "data": data,
        });
        self.record(context, Happened { id: &id, kind, object, thin_only: true, ..Happened::default() });
    }

    fn record(&mut self, context: &Context<'_>, happened: Happened<'_>) {
        let Happened { id, kind, object, previous_attributes, account, thin_only } = happened;
        let subscribed = self.endpoints.iter().filter(|endpoint| endpoint.wants(kind) && (endpoint.thin || !thin_only));
        let wanted: Vec<String> = subscribed.map(|endpoint| endpoint.id.clone()).collect();
        // At a test clock's time nothing would ever be sent, or listed where it is looked for.
        let now_ms = self.own_time_ms(context);
        for endpoint in &wanted {
            self.queue(id, endpoint, now_ms);
        }
        self.events.insert(Event {
            id: id.to_owned(),
            created: now_ms.div_euclid(1_000),
            kind: kind.to_owned(),
            former: version::former_members(self, &object),
            object,
            previous_attributes,
            cause: context.cause.clone(),
            targets: wanted
                .into_iter()
                .map(|endpoint| Target { endpoint, answered: false, delivered: false })
                .collect(),
            account,
            thin_only,
        });
    }

    /// Like [`State::emit`], with the object before the change. The members that changed become `previous_attributes`.
    pub(crate) fn emit_diff(&mut self, context: &mut Context<'_>, kind: &str, before: &Value, after: Value) {
        let previous = former_values(before, &after);
        self.emit_change(context, kind, after, previous);
    }

    fn queue(&mut self, event: &str, endpoint: &str, due_ms: i64) {
        self.add_delivery(Delivery {
            event: event.to_owned(),
            endpoint: endpoint.to_owned(),
            attempts: 0,
            due_ms,
            manual: false,
            forced: false,
            api_version: None,
        });
    }

    pub(crate) fn add_delivery(&mut self, delivery: Delivery) {
        let number = self.next_delivery;
        self.next_delivery = number.saturating_add(1);
        self.deliveries.insert(number, delivery);
    }

    /// Sends an event again to every enabled endpoint subscribed to it, in another version if given. Returns how many,
    /// or `None` for an unknown event.
    pub(crate) fn resend(&mut self, event_id: &str, now_ms: i64, api_version: Option<&str>) -> Option<usize> {
        let kind = self.events.get(event_id)?.kind.clone();
        let wanted: Vec<String> = self
            .endpoints
            .iter()
            .filter(|endpoint| endpoint.wants(&kind))
            .map(|endpoint| endpoint.id.clone())
            .collect();
        for endpoint in &wanted {
            self.add_delivery(Delivery {
                event: event_id.to_owned(),
                endpoint: endpoint.clone(),
                attempts: 0,
                due_ms: now_ms,
                manual: true,
                forced: false,
                api_version: api_version.map(str::to_owned),
            });
        }
        Some(wanted.len())
    }

    /// Makes the pending deliveries of an event due, even if they are held. Returns how many, or `None` for an unknown
    /// event.
    pub(crate) fn deliver_now(&mut self, event_id: &str, now_ms: i64) -> Option<usize> {
        self.events.get(event_id)?;
        let its = |(number, delivery): (&u64, &Delivery)| (delivery.event == event_id).then_some(*number);
        let numbers: Vec<u64> = self.deliveries.iter().filter_map(its).collect();
        for number in &numbers {
            if let Some(delivery) = self.deliveries.get_mut(number) {
                delivery.forced = true;
                delivery.due_ms = delivery.due_ms.min(now_ms);
            }
        }
        Some(numbers.len())
    }

    /// Drops the pending deliveries of an event. Returns how many, or `None` for an unknown event.
    pub(crate) fn drop_deliveries(&mut self, event_id: &str) -> Option<usize> {
        self.events.get(event_id)?;
        let before = self.deliveries.len();
        self.deliveries.retain(|_, delivery| delivery.event != event_id);
        Some(before.saturating_sub(self.deliveries.len()))
    }

    /// Removes a delivery, as if its endpoint were not subscribed to the event.
    pub(crate) fn withdraw(&mut self, number: u64) {
        let Some(delivery) = self.deliveries.remove(&number) else {
            return;
        };
        if let Some(event) = self.events.get_mut(&delivery.event) {
            event.targets.retain(|target| target.answered || target.endpoint != delivery.endpoint);
        }
    }

    /// Records the result of an attempt: the delivery is done, due again after `pause_ms`, or given up after
    /// `max_attempts`.
    pub(crate) fn attempted(
        &mut self,
        number: u64,
        result: AttemptResult,
        now_ms: i64,
        pause_ms: impl Fn(u32) -> i64,
        max_attempts: u32,
    ) {
        let Some(delivery) = self.deliveries.get_mut(&number) else {
            return;
        };
        delivery.attempts = delivery.attempts.saturating_add(1);
        let finished = result == AttemptResult::Delivered || delivery.manual || delivery.attempts >= max_attempts;
        delivery.due_ms = now_ms.saturating_add(pause_ms(delivery.attempts));
        delivery.forced = false;
        mark(&mut self.events, delivery, result);
        if finished {
            self.deliveries.remove(&number);
        }
    }
}

/// The URL of a thin event's object.
fn thin_url(kind: &str, id: &str) -> String {
    format!("/v1/{}s/{id}", kind.replace('.', "/"))
}

/// The members of `before` that have changed, at every depth; new members were null. `None` if nothing changed.
fn former_values(before: &Value, after: &Value) -> Option<Value> {
    let (Value::Object(old), Value::Object(new)) = (before, after) else {
        return (before != after).then(|| before.clone());
    };
    let mut former = Map::new();
    for name in old.keys().chain(new.keys().filter(|name| !old.contains_key(*name))) {
        let (was, is) = (old.get(name).unwrap_or(&Value::Null), new.get(name).unwrap_or(&Value::Null));
        if let Some(value) = former_values(was, is) {
            former.insert(name.clone(), value);
        }
    }
    (!former.is_empty()).then_some(Value::Object(former))
}

fn mark(events: &mut Table<Event>, delivery: &Delivery, result: AttemptResult) {
    let Some(event) = events.get_mut(&delivery.event) else {
        return;
    };
    for target in &mut event.targets {
        if target.endpoint == delivery.endpoint {
            target.answered |= result != AttemptResult::Unreachable;
            target.delivered |= result == AttemptResult::Delivered;
        }
    }
}
