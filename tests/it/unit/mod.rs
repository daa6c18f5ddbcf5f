//! Credits that are priced by the unit, and shown with decimals.

mod currencies;
mod formula;
mod sales;
mod shown;
mod starts;

use serde_json::{Value, json};

use crate::admin::ADMIN_SCOPE;
use crate::support::app::{http_client, sign_token};
use crate::support::{Answer, Backend, Options, TestApp};
use topup::ports::Clock;

/// 10,000 credits for a cent, so a credit is a millionth of a dollar, and people read dollars.
const MILLIONTHS: [(&str, &str); 4] = [
    ("CREDIT_UNIT_CREDITS", "10000"),
    ("CREDIT_UNIT_AMOUNT", "1"),
    ("CREDIT_DISPLAY_DECIMALS", "6"),
    ("MAX_CREDITS", "1000000000"),
];

/// A service that sells millionths of dollars.
pub fn millionths() -> Options {
    let options = Options::default().setting("JWT_ADMIN_SCOPE", ADMIN_SCOPE);
    MILLIONTHS.into_iter().fold(options, |options, (name, value)| options.setting(name, value))
}

/// The same settings, for a process.
fn changes() -> Vec<(&'static str, String)> {
    MILLIONTHS.into_iter().map(|(name, value)| (name, value.to_owned())).collect()
}

async fn start(backend: Backend) -> TestApp {
    TestApp::start_with(backend, millionths()).await
}

fn operator(app: &TestApp) -> String {
    sign_token(&json!({ "sub": "operator_1", "exp": app.clock.now_ms() / 1_000 + 3_600, "scope": ADMIN_SCOPE }))
}

async fn get(app: &TestApp, path: &str) -> Value {
    app.send(http_client().get(format!("{}{path}", app.url)).bearer_auth(operator(app))).await.expect(200)
}

async fn post(app: &TestApp, path: &str, key: &str, body: Value) -> Answer {
    let request = http_client().post(format!("{}{path}", app.url)).bearer_auth(operator(app));
    app.send(request.header("idempotency-key", key).json(&body)).await
}

/// A credited purchase.
struct Purchase {
    topup: String,
    payment: String,
}

impl Purchase {
    /// Buys 2,500,000 credits, for 250 cents and a fee of 39.
    async fn credited(app: &TestApp, account: &str) -> Self {
        let (_, event) = app.pay_session(account, 2_500_000).await;
        app.deliver(&event).await.expect(200);
        let object = &event["data"]["object"];
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        Self { topup: text(&object["metadata"]["topupId"]), payment: text(&object["payment_intent"]) }
    }

    /// Asks for a refund.
    async fn refund(&self, app: &TestApp, key: &str, body: Value) -> Answer {
        post(app, &format!("/admin/topups/{}/refunds", self.topup), key, body).await
    }

    /// What such a refund would do.
    async fn preview(&self, app: &TestApp, query: &str) -> Value {
        get(app, &format!("/admin/topups/{}/refunds/preview?{query}", self.topup)).await
    }

    /// Something that happens at Stripe. Returns its id.
    async fn at_stripe(&self, app: &TestApp, act: &str, body: Value) -> String {
        let made = app.stripe.control(&format!("payment_intents/{}/{act}", self.payment), body).await;
        made["id"].as_str().expect("an id").to_owned()
    }
}

/// Delivers the newest event of a type.
async fn deliver(app: &TestApp, event_type: &str) {
    let events = app.stripe.get(&format!("/v1/events?limit=1&type={event_type}")).await;
    app.deliver(&events["data"][0]).await.expect(200);
}
