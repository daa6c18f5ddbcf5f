//! Test support: a running sandbox, a client and a webhook receiver.

#![allow(dead_code, reason = "two test binaries share this, and neither uses all of it")]

pub mod receiver;

use reqwest::{Client, Method, redirect::Policy};
use serde_json::Value;
use stripe_sandbox::{Config, Sandbox};

pub const KEY: &str = "sk_test_sandbox";

/// A running sandbox with a client that knows its key.
pub struct World {
    pub sandbox: Sandbox,
    pub client: Client,
}

/// A response, read completely.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The status, code, param and message of a Stripe error.
    pub fn error(&self) -> (u16, String, String, String) {
        let body = self.json();
        let text = |name: &str| body["error"][name].as_str().unwrap_or_default().to_owned();
        (self.status, text("code"), text("param"), text("message"))
    }
}

pub fn client() -> Client {
    // Fails if the provider is already installed, which is fine.
    rustls::crypto::ring::default_provider().install_default().ok();
    Client::builder().redirect(Policy::none()).no_proxy().build().unwrap()
}

pub async fn start() -> World {
    start_with(Config::local(KEY)).await
}

pub async fn start_with(config: Config) -> World {
    World { sandbox: Sandbox::start(config).await.unwrap(), client: client() }
}

impl World {
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.sandbox.url())
    }

    pub async fn send(
        &self,
        method: Method,
        path: &str,
        params: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> Result<Answer, reqwest::Error> {
        let mut request = self.client.request(method.clone(), self.url(path));
        if (path.starts_with("/v1") || path.starts_with("/v2"))
            && headers.iter().all(|(name, _)| *name != "authorization")
        {
            request = request.header("authorization", format!("Bearer {KEY}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if method == Method::POST {
            request = request.header("content-type", "application/x-www-form-urlencoded").body(encode(params));
        }
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Answer { status, headers, text: response.text().await? })
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], &[]).await.unwrap()
    }

    pub async fn post(&self, path: &str, params: &[(&str, &str)]) -> Answer {
        self.send(Method::POST, path, params, &[]).await.unwrap()
    }

    pub async fn post_with_key(&self, path: &str, params: &[(&str, &str)], key: &str) -> Answer {
        self.send(Method::POST, path, params, &[("idempotency-key", key)]).await.unwrap()
    }

    /// Calls a control with a JSON body.
    pub async fn control(&self, path: &str, body: &str) -> Answer {
        let request = self.client.post(self.url(path)).header("content-type", "application/json");
        let response = request.body(body.to_owned()).send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Answer { status, headers, text: response.text().await.unwrap() }
    }

    /// What a request creates.
    pub async fn made(&self, path: &str, params: &[(&str, &str)]) -> Value {
        let answer = self.post(path, params).await;
        assert_eq!(answer.status, 200, "{path} {params:?}: {}", answer.text);
        answer.json()
    }

    /// A new customer.
    pub async fn customer(&self) -> String {
        self.made("/v1/customers", &[("email", "ada@example.com")]).await["id"].as_str().unwrap().to_owned()
    }

    /// A new card of this test name, attached to the customer.
    pub async fn attached(&self, customer: &str, name: &str) -> String {
        let path = format!("/v1/payment_methods/{name}/attach");
        self.made(&path, &[("customer", customer)]).await["id"].as_str().unwrap().to_owned()
    }

    /// A new session of 2.89 USD. Returns its id.
    pub async fn session(&self) -> String {
        let answer = self.post("/v1/checkout/sessions", SESSION).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()["id"].as_str().unwrap().to_owned()
    }

    pub async fn confirm(&self, session: &str, payment_method: &str) -> Answer {
        let params = [("payment_method", payment_method), ("expected_amount", "289")];
        self.post(&format!("/v1/payment_pages/{session}/confirm"), &params).await
    }

    /// A session of 2.89 USD paid with this payment method. Returns the payment intent.
    pub async fn paid(&self, payment_method: &str) -> String {
        let session = self.session().await;
        let paid = self.confirm(&session, payment_method).await;
        assert_eq!(paid.status, 200, "{}", paid.text);
        paid.json()["payment_intent"]["id"].as_str().unwrap().to_owned()
    }

    /// The charge of a payment intent.
    pub async fn charge(&self, intent: &str) -> Value {
        let path = format!("/v1/payment_intents/{intent}?expand[]=latest_charge");
        self.get(&path).await.json()["latest_charge"].clone()
    }

    /// All events, oldest first.
    pub async fn events(&self) -> Vec<Value> {
        let events = self.get("/v1/events?limit=100").await.json();
        events["data"].as_array().unwrap().iter().rev().cloned().collect()
    }

    /// The types of all events, oldest first.
    pub async fn event_types(&self) -> Vec<String> {
        self.events().await.iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect()
    }

    /// The types of the events after the first `seen`, oldest first.
    pub async fn new_events(&self, seen: usize) -> Vec<String> {
        self.event_types().await.split_off(seen)
    }

    /// Waits until no delivery is due.
    pub async fn idle(&self) {
        let answer = self.get("/_sandbox/idle").await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
}

/// A page without its style, so that failures can be read.
pub fn without_style(page: &str) -> String {
    let (before, rest) = page.split_once("<style>").unwrap();
    format!("{before}{}", rest.split_once("</style>").unwrap().1)
}

pub fn encode(params: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish()
}

/// 250 credits at one cent and a fee of 39 cents.
pub const SESSION: &[(&str, &str)] = &[
    ("mode", "payment"),
    ("line_items[0][price_data][currency]", "usd"),
    ("line_items[0][price_data][unit_amount]", "1"),
    ("line_items[0][price_data][product_data][name]", "Credits"),
    ("line_items[0][quantity]", "250"),
    ("line_items[1][price_data][currency]", "usd"),
    ("line_items[1][price_data][unit_amount]", "39"),
    ("line_items[1][price_data][product_data][name]", "Processing fee"),
    ("line_items[1][quantity]", "1"),
    ("success_url", "http://127.0.0.1:9/return?session={CHECKOUT_SESSION_ID}"),
    ("cancel_url", "http://127.0.0.1:9/cancel"),
    ("client_reference_id", "account-1"),
    ("metadata[topupId]", "topup_1"),
    ("payment_intent_data[metadata][topupId]", "topup_1"),
    ("adaptive_pricing[enabled]", "false"),
];

/// `SESSION` with some parameters replaced, added, or (if the value is `-`) removed.
pub fn session_with<'a>(changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut params: Vec<(&str, &str)> =
        SESSION.iter().copied().filter(|(name, _)| changes.iter().all(|(changed, _)| changed != name)).collect();
    params.extend(changes.iter().copied().filter(|(_, value)| *value != "-"));
    params
}
