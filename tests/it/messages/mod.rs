//! Messages to the product: what is told, to whom, in which order, and that nothing is lost.

mod alerts;
mod api;
mod causes;
mod changes;
mod commands;
mod delivering;
mod inputs;
mod interruptions;
mod processes;
pub mod receiver;
mod signatures;

use reqwest::Method;
use serde_json::{Value, json};

use crate::admin::{ADMIN_SCOPE, admin_token};
use crate::support::app::http_client;
use crate::support::{Answer, Backend, Options, TestApp};
use receiver::Receiver;

/// The local networks, where the tests' receivers are.
pub const LOCAL: &str = "127.0.0.0/8";
/// The account of most tests.
pub const ACCOUNT: &str = "user_1";

/// A service that may call this machine.
pub struct Product {
    /// The service.
    pub app: TestApp,
}

impl Product {
    /// A service without endpoints.
    pub async fn open(backend: Backend) -> Self {
        Self::open_with(backend, Options::default()).await
    }

    /// A service with other options.
    pub async fn open_with(backend: Backend, options: Options) -> Self {
        let options = options.setting("JWT_ADMIN_SCOPE", ADMIN_SCOPE).setting("WEBHOOK_ALLOWED_NETWORKS", LOCAL);
        Self { app: TestApp::start_with(backend, options).await }
    }

    /// An operator's request.
    pub async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let request = http_client().request(method, format!("{}{path}", self.app.url));
        let request = request.bearer_auth(admin_token(&self.app)).header("idempotency-key", new_key());
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        self.app.send(request).await
    }

    /// An operator's POST.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.ask(Method::POST, path, Some(body)).await
    }

    /// An operator's GET.
    pub async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, None).await
    }

    /// Creates an endpoint for all types. Returns its id and its secret.
    pub async fn add(&self, receiver: &Receiver) -> (String, String) {
        self.add_for(receiver, &[]).await
    }

    /// Creates an endpoint for some types.
    pub async fn add_for(&self, receiver: &Receiver, types: &[&str]) -> (String, String) {
        let made = self.post("/admin/endpoints", json!({ "url": receiver.url, "types": types })).await.expect(200);
        (text(&made["id"]), text(&made["secret"]))
    }

    /// Gives credits by hand, or takes them.
    pub async fn give(&self, account: &str, credits: i64) {
        let body = json!({ "credits": credits, "reason": "a test", "create": true });
        self.post(&format!("/admin/accounts/{account}/adjustments"), body).await.expect(200);
    }

    /// Spends credits.
    pub async fn spend(&self, account: &str, credits: i64) -> Value {
        let path = format!("/accounts/{account}/credits/debits");
        self.server(&path, json!({ "credits": credits })).await.expect(200)
    }

    /// Reserves credits. Returns the hold's id.
    pub async fn hold(&self, account: &str, credits: i64, seconds: i64) -> String {
        let path = format!("/accounts/{account}/credits/holds");
        let hold = self.server(&path, json!({ "credits": credits, "expiresInSeconds": seconds })).await.expect(200);
        text(&hold["id"])
    }

    /// A request of the product's server, with a key of its own.
    pub async fn server(&self, path: &str, body: Value) -> Answer {
        let key = crate::spending::http::api_key(&self.app, &[topup::access::api_keys::Scope::Spend], None).await;
        let request = http_client().post(format!("{}{path}", self.app.url)).header("x-api-key", key);
        self.app.send(request.header("idempotency-key", new_key()).json(&body)).await
    }

    /// Buys credits and delivers the event. Returns Stripe's session.
    pub async fn buy(&self, account: &str, credits: i64) -> String {
        let (session, event) = self.app.pay_session(account, credits).await;
        self.app.deliver(&event).await.expect(200);
        session
    }

    /// Moves the clock.
    pub fn after_seconds(&self, seconds: i64) {
        self.app.clock.advance_ms(seconds * 1_000);
    }

    /// The deliveries to an endpoint in a state.
    pub async fn deliveries(&self, endpoint: &str, state: &str) -> Vec<Value> {
        let path = format!("/admin/endpoints/{endpoint}/deliveries?state={state}&limit=100");
        self.get(&path).await.expect(200)["data"].as_array().expect("a list").clone()
    }

    /// Checks the books and stops everything.
    pub async fn finish(self) {
        self.app.finish().await;
    }
}

/// A text of an answer.
pub fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

fn new_key() -> String {
    use topup::ports::IdGenerator;
    format!("{:032x}", topup::system::SystemIds.id_bits())
}
