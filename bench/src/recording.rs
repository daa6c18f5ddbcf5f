//! Stripe's events and responses for a top-up that is paid, one that is refunded and one that expires. Recorded once
//! from the sandbox's model, with placeholders for the ids of the benchmark's top-ups.

use std::fmt::Write;

use serde_json::{Value, json};
use stripe_sandbox::{DEFAULT_API_VERSION, Model, ModelRequest};

use crate::failure::Failure;
use crate::purchase::{Buyers, CREDITS, Purchase, TOTAL};
use crate::template::Template;

const ACCOUNT: &str = "account_of_the_recording";
const TOPUP: &str = "topup_00000000000000000000000000000001";
/// The model time that passes after each step before its events are read.
const LATER_MS: i64 = 60_000;

/// The event types to which the service's endpoint subscribes, as far as they occur here.
const TYPES: [&str; 8] = [
    "charge.succeeded",
    "charge.updated",
    "charge.refunded",
    "charge.refund.updated",
    "refund.created",
    "refund.updated",
    "checkout.session.completed",
    "checkout.session.expired",
];

/// The bodies of events and responses.
#[derive(Debug, Clone)]
pub struct Recording {
    /// The events of a payment in order, without the one that credits it: that one is the same in all runs.
    pub charge: Vec<Template>,
    /// The events of a full refund.
    pub refund: Vec<Template>,
    pub expired: Template,
    /// Responses: the payment, its balance transaction, and the list of its refunds.
    payment: Template,
    movement: Template,
    refunds: Template,
}

impl Recording {
    /// # Errors
    /// If the model does not behave as expected.
    pub fn make(now_ms: i64) -> Result<Self, Failure> {
        let mut recorder =
            Recorder { model: Model::seeded(1, "https://checkout.stripe.com"), now_ms, names: Vec::new() };
        let session = recorder.open()?;
        let form = format!("payment_method=pm_card_visa&expected_amount={TOTAL}");
        recorder.ask("POST", &format!("/v1/payment_pages/{session}/confirm"), &form)?;
        let charge = recorder.later()?;
        let payment = id_of(&charge, "charge.succeeded", "/payment_intent")?;
        recorder.names.push((payment.clone(), "payment"));
        recorder.names.push((id_of(&charge, "charge.succeeded", "/id")?, "charge"));
        let movement = id_of(&charge, "charge.updated", "/balance_transaction")?;
        recorder.names.push((movement.clone(), "movement"));
        let answer =
            recorder.model.control(&format!("/_sandbox/payment_intents/{payment}/refund"), &json!({}), recorder.now_ms);
        if answer.status != 200 {
            return Err(format!("the sandbox does not refund: {}", answer.body).into());
        }
        let refund = recorder.later()?;
        recorder.names.push((id_of(&refund, "refund.created", "/id")?, "refund"));
        let payment = recorder.ask("GET", &format!("/v1/payment_intents/{payment}"), "")?;
        let movement = recorder.ask("GET", &format!("/v1/balance_transactions/{movement}"), "")?;
        let refunds = recorder.ask("GET", &format!("/v1/refunds?payment_intent={}", id(&payment)?), "")?;
        let of_the_charge: Vec<Value> =
            charge.into_iter().filter(|event| !is_of_type(event, "checkout.session.completed")).collect();
        let mut recording = Self {
            charge: recorder.templates(&of_the_charge)?,
            refund: recorder.templates(&refund)?,
            expired: Template::new(""),
            payment: recorder.template(&payment)?,
            movement: recorder.template(&movement)?,
            refunds: recorder.template(&refunds)?,
        };
        recorder.names.retain(|(_, name)| *name != "session");
        let session = recorder.open()?;
        recorder.model.control(&format!("/_sandbox/sessions/{session}/expire"), &json!({}), recorder.now_ms);
        let expired = recorder.later()?;
        recording.expired =
            recorder.templates(&expired)?.into_iter().next().ok_or("the sandbox's session does not expire")?;
        Ok(recording)
    }

    /// The response to a request about a top-up of the benchmark; `None` for any other request.
    pub fn answer(&self, path: &str, form: &str) -> Option<String> {
        let (path, query) = path.split_once('?').unwrap_or((path, form));
        let (template, id) = if let Some(id) = path.strip_prefix("/v1/payment_intents/") {
            (&self.payment, id)
        } else if let Some(id) = path.strip_prefix("/v1/balance_transactions/") {
            (&self.movement, id)
        } else if path == "/v1/refunds" {
            (&self.refunds, query.split('&').find_map(|pair| pair.strip_prefix("payment_intent="))?)
        } else {
            return None;
        };
        // Only deliveries for many accounts are recorded.
        Some(template.fill(Purchase::of_id(id, Buyers::Many)?, "", 0))
    }
}

struct Recorder {
    model: Model,
    now_ms: i64,
    /// The model's ids, and the placeholder for each.
    names: Vec<(String, &'static str)>,
}

impl Recorder {
    /// Opens a checkout session, as the service does.
    fn open(&mut self) -> Result<String, Failure> {
        let mut form = format!(
            "mode=payment&client_reference_id={ACCOUNT}\
             &success_url=https://app.example.com/credits?session_id={{CHECKOUT_SESSION_ID}}\
             &cancel_url=https://app.example.com/credits?cancelled=1\
             &line_items[0][quantity]=1&line_items[0][price_data][currency]=usd\
             &line_items[0][price_data][unit_amount]={TOTAL}&line_items[0][price_data][product_data][name]=Credits"
        );
        let credits = CREDITS.to_string();
        for (name, value) in
            [("accountId", ACCOUNT), ("credits", credits.as_str()), ("purpose", "credits_topup"), ("topupId", TOPUP)]
        {
            write!(form, "&metadata[{name}]={value}&payment_intent_data[metadata][{name}]={value}")?;
        }
        let session = self.ask("POST", "/v1/checkout/sessions", &form)?;
        let id = id(&session)?.to_owned();
        self.names.push((id.clone(), "session"));
        Ok(id)
    }

    fn ask(&mut self, method: &str, path: &str, form: &str) -> Result<Value, Failure> {
        let request = ModelRequest { method, path, form, idempotency_key: None, api_version: DEFAULT_API_VERSION };
        let answer = self.model.request(&request, self.now_ms);
        if answer.status == 200 { Ok(answer.body) } else { Err(format!("{method} {path}: {}", answer.body).into()) }
    }

    /// Advances the time a little. Returns the events since the last call.
    fn later(&mut self) -> Result<Vec<Value>, Failure> {
        self.now_ms = self.now_ms.saturating_add(LATER_MS);
        self.model.tick(self.now_ms);
        let mut events = Vec::new();
        for event in self.model.take_events() {
            if TYPES.contains(&event.kind.as_str()) {
                let body = self.model.event_body(&event.id, None).ok_or("an event without a body")?;
                events.push(serde_json::from_str(&body)?);
            }
        }
        Ok(events)
    }

    fn templates(&self, events: &[Value]) -> Result<Vec<Template>, Failure> {
        events.iter().map(|event| self.template(event)).collect()
    }

    /// The object as Stripe sends it, with placeholders for the ids.
    fn template(&self, object: &Value) -> Result<Template, Failure> {
        let mut text = serde_json::to_string_pretty(object)?;
        if object.get("object").is_some_and(|kind| kind == "event") {
            text = text.replace(id(object)?, "~event~");
        }
        for (id, name) in &self.names {
            text = text.replace(id, &format!("~{name}~"));
        }
        Ok(Template::new(&text.replace(TOPUP, "~topup~").replace(ACCOUNT, "~account~")))
    }
}

fn id(object: &Value) -> Result<&str, Failure> {
    object.get("id").and_then(Value::as_str).ok_or_else(|| "the sandbox answers without an id".into())
}

fn is_of_type(event: &Value, kind: &str) -> bool {
    event.get("type").is_some_and(|found| found == kind)
}

fn id_of(events: &[Value], kind: &str, field: &str) -> Result<String, Failure> {
    let event = events.iter().find(|event| is_of_type(event, kind));
    let id = event.and_then(|event| event.pointer(&format!("/data/object{field}"))?.as_str());
    Ok(id.ok_or_else(|| format!("the sandbox has no {kind} with {field}"))?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PURCHASE: Purchase = Purchase { number: 77, buyers: Buyers::Many };

    fn filled(template: &Template) -> Value {
        let text = template.fill(PURCHASE, "evt_1", 1_800_000_000);
        assert!(!text.contains('~') && !text.contains(TOPUP) && !text.contains(ACCOUNT), "{text}");
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn a_payment_a_refund_and_an_expiry_are_recorded_with_our_ids() {
        let recording = Recording::make(1_800_000_000_000).unwrap();
        let charge: Vec<Value> = recording.charge.iter().map(filled).collect();
        let kinds: Vec<&str> = charge.iter().map(|event| event["type"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["charge.succeeded", "charge.updated"]);
        for event in &charge {
            assert_eq!(event["id"], "evt_1");
            assert_eq!(event["data"]["object"]["metadata"]["topupId"], PURCHASE.topup());
            assert_eq!(event["data"]["object"]["payment_intent"], PURCHASE.payment());
        }
        assert_eq!(charge[1]["data"]["object"]["balance_transaction"], PURCHASE.movement());
        let refund: Vec<Value> = recording.refund.iter().map(filled).collect();
        let created = refund.iter().find(|event| event["type"] == "refund.created").unwrap();
        assert_eq!(created["data"]["object"]["id"], PURCHASE.refund());
        assert_eq!(created["data"]["object"]["payment_intent"], PURCHASE.payment());
        let expired = filled(&recording.expired);
        assert_eq!(expired["type"], "checkout.session.expired");
        assert_eq!(expired["data"]["object"]["id"], PURCHASE.session());
    }

    #[test]
    fn questions_about_our_purchases_are_answered() {
        let recording = Recording::make(1_800_000_000_000).unwrap();
        let ask = |path: &str| {
            recording.answer(path, "").map(|answer| serde_json::from_str::<Value>(&answer).unwrap()).unwrap_or_default()
        };
        let movement = ask(&format!("/v1/balance_transactions/{}", PURCHASE.movement()));
        assert_eq!(movement["id"], PURCHASE.movement());
        let refunds = ask(&format!("/v1/refunds?limit=100&payment_intent={}", PURCHASE.payment()));
        assert_eq!(refunds["data"][0]["id"], PURCHASE.refund());
        assert_eq!(ask(&format!("/v1/payment_intents/{}", PURCHASE.payment()))["id"], PURCHASE.payment());
        assert_eq!(ask("/v1/balance_transactions?limit=1"), Value::Null);
    }
}
