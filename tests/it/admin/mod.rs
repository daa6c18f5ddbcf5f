//! The operator's API: refunds, adjustments, and looking at a top-up.

mod adjustments;
mod check;
mod purchases;
mod refund_troubles;
mod refund_unknown;
mod refunds;

use secrecy::ExposeSecret;
use serde_json::{Value, json};
use topup::access::api_keys::{self, Scope};
use topup::domain::account::AccountId;
use topup::ports::Clock;
use topup::system::SystemIds;

use crate::support::app::{http_client, sign_token};
use crate::support::{Answer, Backend, Options, TestApp};

/// The scope of an operator's token.
pub const ADMIN_SCOPE: &str = "topup:admin";

async fn start(backend: Backend) -> TestApp {
    start_with(backend, Options::default()).await
}

async fn start_with(backend: Backend, options: Options) -> TestApp {
    TestApp::start_with(backend, options.setting("JWT_ADMIN_SCOPE", ADMIN_SCOPE)).await
}

/// An operator's token.
pub fn admin_token(app: &TestApp) -> String {
    sign_token(&json!({ "sub": "operator_1", "exp": app.clock.now_ms() / 1_000 + 3_600, "scope": ADMIN_SCOPE }))
}

async fn get(app: &TestApp, path: &str) -> Answer {
    app.send(http_client().get(format!("{}{path}", app.url)).bearer_auth(admin_token(app))).await
}

async fn post(app: &TestApp, path: &str, key: &str, body: Value) -> Answer {
    let request = http_client().post(format!("{}{path}", app.url)).bearer_auth(admin_token(app));
    app.send(request.header("idempotency-key", key).json(&body)).await
}

/// Creates an API key for a server. Returns its secret.
async fn api_key(app: &TestApp, scope: Scope, account: Option<&str>) -> String {
    let account = account.map(|account| AccountId::parse(account).expect("an account"));
    let made = api_keys::create(&app.app.db, &SystemIds, &*app.clock, "back office", &[scope], account.as_ref()).await;
    made.expect("a key").secret.expose_secret().to_owned()
}

/// A credited top-up of 250 credits for 289 cents.
pub struct Purchase {
    /// Its id in Topup.
    pub topup: String,
    /// Its payment at Stripe.
    pub payment: String,
    session: String,
}

/// Buys 250 credits.
pub async fn buy(app: &TestApp, account: &str) -> Purchase {
    buy_with(app, account, "pm_card_visa").await
}

async fn buy_with(app: &TestApp, account: &str, payment_method: &str) -> Purchase {
    let session = app.open_session(account, 250).await;
    let (purchase, event) = pay(app, session, payment_method).await;
    app.deliver(&event).await.expect(200);
    purchase
}

/// Pays a session. Returns the purchase, and the event that is not delivered yet.
pub async fn pay(app: &TestApp, session: String, payment_method: &str) -> (Purchase, Value) {
    let (status, body) = app.stripe.pay(&session, payment_method).await;
    assert_eq!(status, 200, "{body}");
    let event = app.stripe.event("checkout.session.completed", &session).await;
    let object = &event["data"]["object"];
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let purchase =
        Purchase { topup: text(&object["metadata"]["topupId"]), payment: text(&object["payment_intent"]), session };
    (purchase, event)
}

/// Requests a refund with an idempotency key.
pub async fn refund(app: &TestApp, purchase: &Purchase, key: &str, body: Value) -> Answer {
    post(app, &format!("/admin/topups/{}/refunds", purchase.topup), key, body).await
}

/// The refunds of a payment at Stripe.
async fn refunds_at_stripe(app: &TestApp, purchase: &Purchase) -> Vec<Value> {
    let list = app.stripe.get(&format!("/v1/refunds?limit=100&payment_intent={}", purchase.payment)).await;
    list["data"].as_array().expect("a list").clone()
}

/// The events of a type, oldest first.
async fn events(app: &TestApp, event_type: &str) -> Vec<Value> {
    let list = app.stripe.get(&format!("/v1/events?limit=100&type={event_type}")).await;
    let mut events = list["data"].as_array().expect("a list").clone();
    events.reverse();
    events
}

/// Delivers all events of a type.
async fn deliver_all(app: &TestApp, event_type: &str) {
    for event in events(app, event_type).await {
        app.deliver(&event).await.expect(200);
    }
}
