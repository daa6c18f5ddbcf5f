//! Refunds and disputes, with real parts: the books agree with Stripe, whatever the events, their order, their number
//! and the API version that rendered them.

use serde_json::{Value, json};

use crate::support::TestApp;

mod disputes;
mod other_news;
mod refunds;

/// A purchase of 250 credits for 289 cents at Stripe, and its events.
struct Purchase {
    session: String,
    payment: String,
}

impl Purchase {
    /// Paid at Stripe, and not yet known to the service.
    async fn paid(app: &TestApp, account: &str, card: &str) -> Self {
        let session = app.open_session(account, 250).await;
        let (status, body) = app.stripe.pay(&session, card).await;
        assert_eq!(status, 200, "{body}");
        let read = app.stripe.get(&format!("/v1/checkout/sessions/{session}")).await;
        let payment = read["payment_intent"].as_str().expect("a payment").to_owned();
        Self { session, payment }
    }

    /// Paid and credited.
    async fn credited(app: &TestApp, account: &str, card: &str) -> Self {
        let purchase = Self::paid(app, account, card).await;
        purchase.deliver(app, "checkout.session.completed").await;
        purchase
    }

    /// All its events, oldest first.
    async fn events(&self, app: &TestApp) -> Vec<Value> {
        let list = app.stripe.get("/v1/events?limit=100").await;
        let mut events = list["data"].as_array().expect("a list").clone();
        assert_eq!(list["has_more"], false, "a test with too many events");
        events.retain(|event| {
            let object = &event["data"]["object"];
            object["id"] == self.session || object["id"] == self.payment || object["payment_intent"] == self.payment
        });
        events.reverse();
        events
    }

    /// Delivers the latest event of a type.
    async fn deliver(&self, app: &TestApp, event_type: &str) {
        let event = self.latest(app, event_type).await;
        app.deliver(&event).await.expect(200);
    }

    async fn latest(&self, app: &TestApp, event_type: &str) -> Value {
        let events = self.events(app).await;
        let event = events.iter().rfind(|event| event["type"] == event_type);
        event.unwrap_or_else(|| panic!("no {event_type}")).clone()
    }

    /// Refunds in Stripe's dashboard. Returns the refund.
    async fn refund(&self, app: &TestApp, amount: i64) -> String {
        let path = format!("payment_intents/{}/refund", self.payment);
        let refund = app.stripe.control(&path, json!({ "amount": amount })).await;
        refund["id"].as_str().expect("a refund").to_owned()
    }

    /// Opens a dispute. Returns it.
    async fn dispute(&self, app: &TestApp, body: Value) -> String {
        let dispute = app.stripe.control(&format!("payment_intents/{}/dispute", self.payment), body).await;
        dispute["id"].as_str().expect("a dispute").to_owned()
    }
}

/// The ledger of an account, newest first: kind and credits.
async fn ledger(app: &TestApp, account: &str) -> Vec<(String, i64)> {
    let page = app.get_as(account, "/credits/transactions?limit=100").await.expect(200);
    let entry = |entry: &Value| {
        (entry["kind"].as_str().expect("a kind").to_owned(), entry["credits"].as_i64().expect("credits"))
    };
    page["data"].as_array().expect("a list").iter().map(entry).collect()
}

/// The ledger as text, oldest first: `topup 250, reversal -100`.
async fn story(app: &TestApp, account: &str) -> String {
    let entries = ledger(app, account).await;
    let words: Vec<String> = entries.iter().rev().map(|(kind, credits)| format!("{kind} {credits}")).collect();
    words.join(", ")
}
