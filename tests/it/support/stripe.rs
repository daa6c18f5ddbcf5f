//! The test's client of Stripe, here the sandbox, through its HTTP API.

use serde_json::{Value, json};

use super::app::http_client;

/// The API key of every test.
pub const SECRET_KEY: &str = "sk_test_sandbox_of_the_tests";
/// The webhook secret of every test.
pub const WEBHOOK_SECRET: &str = "whsec_of_the_tests_0123456789";

/// The thin payload that replaces this snapshot event.
pub fn thin_of(event: &Value) -> Value {
    let object = &event["data"]["object"];
    json!({ "id": "evt_test_65thin", "object": "v2.core.event", "livemode": false, "created": "2026-11-21T12:00:00.000Z",
        "type": format!("v1.{}", event["type"].as_str().expect("a type")), "context": null, "snapshot_event": event["id"],
        "related_object": { "id": object["id"], "type": object["object"], "url": "/v1/somewhere" } })
}

/// A client of the sandbox.
#[derive(Clone)]
pub struct Stripe {
    /// Its URL.
    pub url: String,
}

impl Stripe {
    async fn call(&self, request: reqwest::RequestBuilder) -> (u16, Value) {
        let response = request.bearer_auth(SECRET_KEY).send().await.expect("the sandbox answers");
        let status = response.status().as_u16();
        (status, response.json().await.unwrap_or(Value::Null))
    }

    /// `GET /v1/…`.
    pub async fn get(&self, path: &str) -> Value {
        let (status, body) = self.call(http_client().get(format!("{}{path}", self.url))).await;
        assert_eq!(status, 200, "GET {path}: {body}");
        body
    }

    /// `POST /v1/…` with a form. Returns status and body.
    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> (u16, Value) {
        self.call(http_client().post(format!("{}{path}", self.url)).form(form)).await
    }

    /// Pays a session with a payment method such as `pm_card_visa`.
    pub async fn pay(&self, session: &str, payment_method: &str) -> (u16, Value) {
        let amount = self.get(&format!("/v1/checkout/sessions/{session}")).await["amount_total"].to_string();
        let form = [("payment_method", payment_method), ("expected_amount", amount.as_str())];
        self.post(&format!("/v1/payment_pages/{session}/confirm"), &form).await
    }

    /// Makes a delayed payment succeed or fail.
    pub async fn settle(&self, session: &str, outcome: &str) {
        self.control(&format!("sessions/{session}/settle"), json!({ "outcome": outcome })).await;
    }

    /// Injects a fault into the next calls; see the sandbox's README.
    pub async fn fault(&self, fault: Value) {
        self.control("faults", fault).await;
    }

    /// Removes all faults.
    pub async fn clear_faults(&self) {
        let response = http_client().delete(format!("{}/_sandbox/faults", self.url)).send().await.expect("answers");
        assert!(response.status().is_success(), "{}", response.status());
    }

    /// `POST /_sandbox/…`.
    pub async fn control(&self, path: &str, body: Value) -> Value {
        let url = format!("{}/_sandbox/{path}", self.url);
        let response = http_client().post(url).json(&body).send().await.expect("the sandbox answers");
        assert!(response.status().is_success(), "{path}: {}", response.status());
        response.json().await.unwrap_or(Value::Null)
    }

    /// Waits until no delivery is due or running.
    pub async fn idle(&self) {
        let response = http_client().get(format!("{}/_sandbox/idle", self.url)).send().await.expect("answers");
        assert!(response.status().is_success(), "deliveries never end: {}", response.status());
    }

    /// The API requests that the sandbox got.
    pub async fn requests(&self) -> Vec<Value> {
        let url = format!("{}/_sandbox/requests", self.url);
        let body: Value = http_client().get(url).send().await.expect("answers").json().await.expect("JSON");
        body["requests"].as_array().expect("a list").clone()
    }

    /// The requests to open a checkout, in order.
    pub async fn checkout_requests(&self) -> Vec<Value> {
        let mut requests = self.requests().await;
        requests.retain(|request| request["method"] == "POST" && request["path"] == "/v1/checkout/sessions");
        requests
    }

    /// Their idempotency keys.
    pub async fn checkout_keys(&self) -> Vec<String> {
        let key = |request: &Value| request["idempotency_key"].as_str().expect("a key").to_owned();
        self.checkout_requests().await.iter().map(key).collect()
    }

    /// The checkout sessions at Stripe.
    pub async fn sessions(&self) -> Vec<Value> {
        self.get("/v1/checkout/sessions?limit=100").await["data"].as_array().expect("a list").clone()
    }

    /// Injects a fault into the next `times` requests to open a checkout.
    pub async fn checkout_fault(&self, times: u32, kind: Value) {
        let mut fault = json!({ "method": "POST", "path": "/v1/checkout/sessions", "times": times });
        fault.as_object_mut().expect("an object").extend(kind.as_object().expect("an object").clone());
        self.fault(fault).await;
    }

    /// Injects a fault into the next GET of this path.
    pub async fn list_fault(&self, path: &str, kind: Value) {
        let mut fault = json!({ "method": "GET", "path": path, "times": 1 });
        fault.as_object_mut().expect("an object").extend(kind.as_object().expect("an object").clone());
        self.fault(fault).await;
    }

    /// Waits until this many requests are held.
    pub async fn wait_for_holds(&self, count: usize) {
        let url = format!("{}/_sandbox/holds?wait_for={count}", self.url);
        let body: Value = http_client().get(url).send().await.expect("answers").json().await.expect("JSON");
        assert_eq!(body["held"], count);
    }

    /// Releases the held requests.
    pub async fn release(&self) {
        self.control("release", Value::Null).await;
    }

    /// The events of a type about a session, oldest first, exactly as they would be delivered.
    pub async fn events(&self, event_type: &str, session: &str) -> Vec<Value> {
        let list = self.get(&format!("/v1/events?limit=100&type={event_type}")).await;
        let mut events: Vec<Value> = list["data"].as_array().expect("a list").clone();
        events.retain(|event| event["data"]["object"]["id"] == session);
        events.reverse();
        events
    }

    /// The one event of a type about a session.
    pub async fn event(&self, event_type: &str, session: &str) -> Value {
        let events = self.events(event_type, session).await;
        assert_eq!(events.len(), 1, "{event_type} of {session}");
        events[0].clone()
    }
}
