//! Saved cards and auto top-up, with Stripe's test cards.

mod audit;
mod caps;
mod cards;
mod charging;
mod declines;
mod inputs;
mod interruptions;
mod pauses;
mod processes;

use reqwest::Method;
use serde_json::{Value, json};
use topup::access::api_keys::Scope;

use crate::admin::ADMIN_SCOPE;
use crate::messages::receiver::Receiver;
use crate::support::app::http_client;
use crate::support::{Answer, Backend, Options, TestApp, until};

/// The account of most tests.
pub const ACCOUNT: &str = "user_1";
/// Where customers return to.
pub const PAGE: &str = "https://app.example.com/billing";
/// How many credits an auto top-up of the tests buys, and what they cost.
pub const CREDITS: i64 = 1_000;
/// What they cost with the fee: (1000 + 30) / (1 - 0.029), in cents.
pub const TOTAL: i64 = 1_061;
/// When it does.
pub const THRESHOLD: i64 = 500;

/// A service that saves and charges cards.
pub struct Shop {
    /// The service.
    pub app: TestApp,
    /// An API key of the product's server.
    key: String,
}

/// The options of such a service.
pub fn options() -> Options {
    Options::with_webhooks()
        .setting("JWT_ADMIN_SCOPE", ADMIN_SCOPE)
        .setting("SAVED_CARDS", "on")
        .setting("AUTO_TOPUP", "on")
        .setting("WEBHOOK_ALLOWED_NETWORKS", crate::messages::LOCAL)
}

impl Shop {
    /// A service without accounts.
    pub async fn open(backend: Backend) -> Self {
        Self::open_with(backend, options()).await
    }

    /// The same with other options.
    pub async fn open_with(backend: Backend, options: Options) -> Self {
        let app = TestApp::start_with(backend, options).await;
        let scopes = [Scope::Spend, Scope::Read, Scope::Checkout, Scope::Admin];
        let key = crate::spending::http::api_key(&app, &scopes, None).await;
        Self { app, key }
    }

    /// A service whose account has a card, this many credits, and auto top-up. Returns the card.
    pub async fn with_auto_topup(backend: Backend, card: &str, credits: i64) -> (Self, String) {
        let shop = Self::open(backend).await;
        let card = shop.card(ACCOUNT, card).await;
        shop.give(ACCOUNT, credits).await;
        shop.turn_on(ACCOUNT, json!({})).await.expect(200);
        (shop, card)
    }

    /// A request of the product's server.
    pub async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let request = http_client().request(method, format!("{}{path}", self.app.url)).header("x-api-key", &self.key);
        let request = request.header("idempotency-key", new_key());
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        self.app.send(request).await
    }

    /// A request of a customer.
    pub async fn customer(&self, account: &str, method: Method, path: &str, body: Option<Value>) -> Answer {
        let request = http_client().request(method, format!("{}{path}", self.app.url));
        let request = request.bearer_auth(self.app.token(account)).header("user-agent", "a browser");
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        self.app.send(request).await
    }

    /// Gives credits by hand, or takes them.
    pub async fn give(&self, account: &str, credits: i64) {
        let body = json!({ "credits": credits, "reason": "a test", "create": true });
        let path = format!("/admin/accounts/{account}/adjustments");
        self.ask(Method::POST, &path, Some(body)).await.expect(200);
    }

    /// Spends credits.
    pub async fn spend(&self, account: &str, credits: i64) -> Answer {
        let path = format!("/accounts/{account}/credits/debits");
        self.ask(Method::POST, &path, Some(json!({ "credits": credits }))).await
    }

    /// The account's customer at Stripe, which is made if there is none.
    pub async fn customer_of(&self, account: &str) -> String {
        let body = json!({ "successUrl": PAGE });
        self.customer(account, Method::POST, "/payment-methods/sessions", Some(body)).await.expect(200);
        let list = self.app.stripe.get("/v1/customers?limit=100").await;
        let customers = list["data"].as_array().expect("a list");
        let own: Vec<&Value> =
            customers.iter().filter(|customer| customer["metadata"]["accountId"] == account).collect();
        assert_eq!(own.len(), 1, "{customers:?}");
        text(&own[0]["id"])
    }

    /// Attaches one of Stripe's test cards, as its customer would by a setup that needs nothing more. Returns its id.
    pub async fn card(&self, account: &str, card: &str) -> String {
        let customer = self.customer_of(account).await;
        let form = [("customer", customer.as_str())];
        let (status, card) = self.app.stripe.post(&format!("/v1/payment_methods/{card}/attach"), &form).await;
        assert_eq!(status, 200, "{card}");
        text(&card["id"])
    }

    /// What the bank says to further charges of a card; nothing lets them succeed.
    pub async fn decline(&self, card: &str, code: Option<&str>) {
        self.app.stripe.control(&format!("payment_methods/{card}/charges"), json!({ "decline": code })).await;
    }

    /// Turns auto top-up on as a customer, with the usual rules and these changes.
    pub async fn turn_on(&self, account: &str, changes: Value) -> Answer {
        self.customer(account, Method::PUT, "/auto-topup", Some(rules(changes))).await
    }

    /// The page on which the customer of most tests confirms a payment.
    pub async fn recovery_page(&self) -> Value {
        let body = json!({ "successUrl": PAGE });
        self.customer(ACCOUNT, Method::POST, "/auto-topup/recovery", Some(body)).await.expect(200)
    }

    /// An account's auto top-up.
    pub async fn auto_topup(&self, account: &str) -> Value {
        self.customer(account, Method::GET, "/auto-topup", None).await.expect(200)
    }

    /// Waits until the auto top-up is so.
    pub async fn until_auto(&self, what: &str, mut is_so: impl FnMut(&Value) -> bool) -> Value {
        until(what, async || Some(self.auto_topup(ACCOUNT).await).filter(|auto| is_so(auto))).await
    }

    /// Waits until the last attempt has ended so.
    pub async fn until_outcome(&self, outcome: &str) -> Value {
        self.until_auto(outcome, |auto| auto["attempts"][0]["outcome"] == outcome).await
    }

    /// The payments at Stripe that were made without a session.
    pub async fn charges(&self) -> Vec<Value> {
        let list = self.app.stripe.get("/v1/payment_intents?limit=100").await;
        let payments = list["data"].as_array().expect("a list").iter();
        payments.filter(|payment| payment["metadata"]["origin"] == "auto_topup").cloned().collect()
    }

    /// How many of them took money.
    pub async fn paid_charges(&self) -> usize {
        self.charges().await.iter().filter(|payment| payment["status"] == "succeeded").count()
    }

    /// A receiver of all messages.
    pub async fn receiver(&self) -> Receiver {
        let receiver = Receiver::start().await;
        self.ask(Method::POST, "/admin/endpoints", Some(json!({ "url": receiver.url }))).await.expect(200);
        receiver
    }

    /// Moves the clock.
    pub fn after_seconds(&self, seconds: i64) {
        self.app.clock.advance_ms(seconds * 1_000);
    }

    /// Checks the books and stops everything.
    pub async fn finish(self) {
        self.app.finish().await;
    }
}

/// The usual rules, with changes; null removes a field.
pub fn rules(changes: Value) -> Value {
    let mut body = json!({
        "enabled": true, "thresholdCredits": THRESHOLD, "credits": CREDITS, "maxPerDay": 10, "maxPerMonthMinor": 100_000,
        "consent": { "textVersion": "2026-11-30" },
    });
    let fields = body.as_object_mut().expect("an object");
    let Value::Object(changes) = changes else { panic!("no changes: {changes}") };
    for (name, value) in changes {
        if value.is_null() {
            fields.remove(&name);
        } else {
            fields.insert(name, value);
        }
    }
    body
}

/// A text of an answer.
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

fn new_key() -> String {
    use topup::ports::IdGenerator;
    format!("{:032x}", topup::system::SystemIds.id_bits())
}
