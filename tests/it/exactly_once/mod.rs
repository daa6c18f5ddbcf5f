//! A payment is credited once, whether events are repeated, concurrent or out of order, or the service fails in
//! between.

mod atomic;
mod environments;
mod orders;
mod outages;
mod races;
mod return_page;

use serde_json::{Value, json};
use topup::domain::ids::SessionId;
use topup::providers::stripe::name::NAME as STRIPE;
use topup::purchases::topups::Topup;

use crate::support::TestApp;

/// The stored top-up. Reading it through the API would ask Stripe.
async fn stored(app: &TestApp, session: &str) -> Topup {
    let session = SessionId::parse(STRIPE, session).expect("an id");
    app.app.db.topup_by_session(&session).await.expect("readable").expect("a top-up")
}

/// The stored state of a top-up.
async fn state(app: &TestApp, session: &str) -> &'static str {
    stored(app, session).await.state.as_str()
}

/// The same report in another event, with another type and payment status.
fn another(event: &Value, id: &str, event_type: &str, payment_status: &str) -> Value {
    let mut event = event.clone();
    event["id"] = json!(id);
    event["type"] = json!(event_type);
    event["data"]["object"]["payment_status"] = json!(payment_status);
    event
}
