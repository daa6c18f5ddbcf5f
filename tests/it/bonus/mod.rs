//! Bonuses of large purchases: given with the payment, taken back with the credits.

mod adopted;
mod audited;
mod given;
mod taken;
mod unspent;

use serde_json::{Value, json};
use topup::books::audit::audit;
use topup::ports::Clock;

use crate::admin::{ADMIN_SCOPE, admin_token};
use crate::reconcile::compare;
use crate::support::app::http_client;
use crate::support::{Answer, Backend, Options, TestApp};

/// The account that buys.
pub const ACCOUNT: &str = "user_1";

/// Purchases of 100 credits and more get a tenth, and end after 30 days.
pub fn options() -> Options {
    let options = Options::default().setting("JWT_ADMIN_SCOPE", ADMIN_SCOPE);
    options.setting("BONUS_TIERS", "100:10%,1000:25%").setting("CREDITS_EXPIRE_DAYS", "30")
}

/// A service that sells such credits.
pub async fn start(backend: Backend) -> TestApp {
    TestApp::start_with(backend, options()).await
}

/// A GET of an operator.
pub async fn get(app: &TestApp, path: &str) -> Value {
    app.send(http_client().get(format!("{}{path}", app.url)).bearer_auth(admin_token(app))).await.expect(200)
}

/// A POST of an operator.
pub async fn post(app: &TestApp, path: &str, key: &str, body: Value) -> Answer {
    let request = http_client().post(format!("{}{path}", app.url)).bearer_auth(admin_token(app));
    app.send(request.header("idempotency-key", key).json(&body)).await
}

/// A purchase at Stripe.
pub struct Purchase {
    /// Its id here.
    pub topup: String,
    /// Its checkout session.
    pub session: String,
    /// Its payment.
    pub payment: String,
    /// The event that says that it is paid.
    pub event: Value,
}

impl Purchase {
    /// Paid, and not yet known here.
    pub async fn paid(app: &TestApp, credits: i64) -> Self {
        let (session, event) = app.pay_session(ACCOUNT, credits).await;
        let object = &event["data"]["object"];
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        let (topup, payment) = (text(&object["metadata"]["topupId"]), text(&object["payment_intent"]));
        Self { topup, session, payment, event }
    }

    /// Paid and credited.
    pub async fn credited(app: &TestApp, credits: i64) -> Self {
        let purchase = Self::paid(app, credits).await;
        app.deliver(&purchase.event).await.expect(200);
        purchase
    }

    /// Something that happens at Stripe, and the event that tells of it. Returns the object's id.
    pub async fn at_stripe(&self, app: &TestApp, act: &str, body: Value, event_type: &str) -> String {
        let made = app.stripe.control(&format!("payment_intents/{}/{act}", self.payment), body).await;
        deliver(app, event_type).await;
        made["id"].as_str().expect("an id").to_owned()
    }

    /// What a refund would do.
    pub async fn preview(&self, app: &TestApp, query: &str) -> Value {
        get(app, &format!("/admin/topups/{}/refunds/preview?{query}", self.topup)).await
    }

    /// Refunds it.
    pub async fn refund(&self, app: &TestApp, key: &str, body: Value) -> Answer {
        post(app, &format!("/admin/topups/{}/refunds", self.topup), key, body).await
    }
}

/// Delivers the newest event of a type.
pub async fn deliver(app: &TestApp, event_type: &str) {
    let events = app.stripe.get(&format!("/v1/events?limit=1&type={event_type}")).await;
    app.deliver(&events["data"][0]).await.expect(200);
}

/// Ends a dispute at Stripe.
pub async fn end_dispute(app: &TestApp, dispute: &str, to: &str) {
    app.stripe.control(&format!("disputes/{dispute}"), json!({ "to": to })).await;
    deliver(app, "charge.dispute.closed").await;
}

/// The ledger of the account as text, oldest first: `topup 250, bonus 25`.
pub async fn story(app: &TestApp) -> String {
    let page = app.get_as(ACCOUNT, "/credits/transactions?limit=100").await.expect(200);
    let entries = page["data"].as_array().expect("a list").iter().rev();
    let words: Vec<String> =
        entries.map(|entry| format!("{} {}", entry["kind"].as_str().expect("a kind"), entry["credits"])).collect();
    words.join(", ")
}

/// What remains of each grant of the account, oldest first: kind and credits.
pub async fn grants(app: &TestApp) -> Vec<(String, i64)> {
    let page = app.get_as(ACCOUNT, "/credits/grants?state=all&limit=100").await.expect(200);
    let grants = page["data"].as_array().expect("a list").iter().rev();
    let one = |grant: &Value| {
        (grant["kind"].as_str().expect("a kind").to_owned(), grant["remainingCredits"].as_i64().expect("credits"))
    };
    grants.map(one).collect()
}

/// Such a list of grants.
pub fn named(grants: &[(&str, i64)]) -> Vec<(String, i64)> {
    grants.iter().map(|(kind, credits)| ((*kind).to_owned(), *credits)).collect()
}

/// A debit of the account.
pub async fn debit(app: &TestApp, credits: i64) {
    use crate::spending::http::{api_key, new_key};
    let key = api_key(app, &[topup::access::api_keys::Scope::Spend], None).await;
    let request = http_client().post(format!("{}/accounts/{ACCOUNT}/credits/debits", app.url));
    let request = request.header("x-api-key", key).header("idempotency-key", new_key());
    app.send(request.json(&json!({ "credits": credits }))).await.expect(200);
}

/// Lets days pass.
pub fn wait_days(app: &TestApp, days: i64) {
    app.clock.advance_ms(days * 86_400_000);
}

/// The time in so many days, in milliseconds since 1970.
pub fn in_days(app: &TestApp, days: i64) -> i64 {
    app.clock.now_ms() + days * 86_400_000
}

/// The books agree with themselves and with Stripe's. Checks them and stops.
pub async fn close(app: TestApp) {
    let report = audit(&app.app.db, true).await.expect("an end");
    assert_eq!(report.differences, 0, "{report:?}");
    assert!(compare(&app.app).await.is_clean());
    app.finish().await;
}
