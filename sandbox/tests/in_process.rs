//! The model in the caller's process: the same answers as over HTTP, and the same run for the same seed.

use serde_json::{Value, json};
use stripe_sandbox::{DEFAULT_API_VERSION, Model, ModelAnswer, ModelRequest};

use crate::support::{SESSION, encode, start};

const START_MS: i64 = 1_800_000_000_000;
const SESSIONS: &str = "/v1/checkout/sessions";

fn send(model: &mut Model, method: &str, path: &str, form: &[(&str, &str)], key: Option<&str>) -> ModelAnswer {
    let form = encode(form);
    let request = ModelRequest { method, path, form: &form, idempotency_key: key, api_version: DEFAULT_API_VERSION };
    model.request(&request, START_MS)
}

fn session(model: &mut Model) -> String {
    let made = send(model, "POST", SESSIONS, SESSION, None);
    assert_eq!(made.status, 200, "{}", made.body);
    made.body["id"].as_str().unwrap().to_owned()
}

fn confirm(model: &mut Model, id: &str, method: &str) -> ModelAnswer {
    let form = [("payment_method", method), ("expected_amount", "289")];
    send(model, "POST", &format!("/v1/payment_pages/{id}/confirm"), &form, None)
}

fn kinds(model: &mut Model) -> Vec<String> {
    model.take_events().into_iter().map(|event| event.kind).collect()
}

/// The answers and webhooks of one run.
fn live(seed: u64) -> Vec<String> {
    let mut model = Model::seeded(seed, "http://stripe.test");
    let mut said = Vec::new();
    for method in ["pm_card_visa", "pm_card_visa_chargeDeclined", "pm_sandbox_delayed"] {
        let id = session(&mut model);
        said.push(confirm(&mut model, &id, method).body.to_string());
        let settle =
            model.control(&format!("/_sandbox/sessions/{id}/settle"), &json!({ "outcome": "failed" }), START_MS);
        said.push(settle.body.to_string());
    }
    let events = model.take_events();
    assert!(events.len() > 10, "{events:?}");
    said.extend(events.iter().map(|event| model.event_body(&event.id, None).unwrap()));
    said
}

#[test]
fn the_same_seed_and_calls_give_the_same_answers_and_events() {
    assert_eq!(live(7), live(7));
    assert_ne!(live(7), live(8));
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_and_webhooks_have_the_shape_that_they_have_over_http() {
    let world = start().await;
    let over_http = world.session().await;
    let over_http = world.confirm(&over_http, "pm_card_visa").await;
    let mut model = Model::seeded(1, "http://stripe.test/");
    let id = session(&mut model);
    let in_process = confirm(&mut model, &id, "pm_card_visa");
    assert_eq!((in_process.status, shape(&in_process.body)), (over_http.status, shape(&over_http.json())));
    assert_eq!(kinds(&mut model), world.event_types().await);
    let url = send(&mut model, "POST", SESSIONS, SESSION, None).body["url"].clone();
    assert!(url.as_str().unwrap().starts_with("http://stripe.test/c/pay/cs_test_"), "{url}");
    world.sandbox.stop().await;
}

/// Replaces ids and times, so that the rest can be compared.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(members) => members.iter().map(|(name, member)| (name.clone(), shape(member))).collect(),
        Value::Array(elements) => elements.iter().map(shape).collect(),
        Value::String(text) if text.contains("_1") || text.contains("_3") || text.contains("_test_") => json!("id"),
        Value::String(text) if text.starts_with("prod_") => json!("id"),
        Value::Number(number) if number.as_i64().is_some_and(|number| number > 1_000_000_000) => json!("time"),
        other => other.clone(),
    }
}

#[test]
fn a_key_gives_its_first_answer_again_and_refuses_other_parameters() {
    let mut model = Model::seeded(1, "http://stripe.test");
    let first = send(&mut model, "POST", SESSIONS, SESSION, Some("key-1"));
    let again = send(&mut model, "POST", SESSIONS, SESSION, Some("key-1"));
    assert_eq!((first.replayed, again.replayed), (false, true));
    assert_eq!(first.body, again.body);
    let other = send(&mut model, "POST", SESSIONS, &SESSION[..5], Some("key-1"));
    assert_eq!((other.status, &other.body["error"]["type"]), (400, &json!("idempotency_error")));
    let long = send(&mut model, "POST", SESSIONS, SESSION, Some(&"k".repeat(256)));
    assert_eq!((long.status, &long.body["error"]["type"]), (400, &json!("idempotency_error")));
    let listed = send(&mut model, "GET", SESSIONS, &[("limit", "100")], None);
    assert_eq!(listed.body["data"].as_array().unwrap().len(), 1);
}

#[test]
fn time_passes_only_as_told() {
    let mut model = Model::seeded(1, "http://stripe.test");
    assert_eq!(model.next_due_ms(), None);
    session(&mut model);
    let due = model.next_due_ms().unwrap();
    assert_eq!(due, START_MS + 24 * 60 * 60 * 1_000);
    model.tick(due - 1);
    assert_eq!(kinds(&mut model), Vec::<String>::new());
    model.tick(due);
    assert_eq!(kinds(&mut model), ["checkout.session.expired"]);
    assert_eq!(kinds(&mut model), Vec::<String>::new(), "each event is taken once");
    assert_eq!(model.next_due_ms(), None);
}

#[test]
fn controls_act_on_objects_and_say_why_when_they_cannot() {
    let mut model = Model::seeded(1, "http://stripe.test");
    let id = session(&mut model);
    confirm(&mut model, &id, "pm_sandbox_delayed");
    let path = format!("/_sandbox/sessions/{id}/settle");
    let settled = model.control(&path, &json!({ "outcome": "succeeded" }), START_MS);
    assert_eq!((settled.status, &settled.body["payment_status"]), (200, &json!("paid")));
    for (path, status) in [(path.as_str(), 400), ("/_sandbox/sessions/cs_x/settle", 404), ("/_sandbox/nothing", 404)] {
        let refused = model.control(path, &json!({ "outcome": "succeeded" }), START_MS);
        assert_eq!(refused.status, status, "{path}");
        assert!(refused.body["error"]["message"].is_string(), "{path}");
    }
}
