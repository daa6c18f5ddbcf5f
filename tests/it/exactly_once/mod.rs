//! A payment becomes credits once: whatever is repeated, comes at once, comes out of order, or breaks in between.

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

/// A purchase as it is stored. Asking the service would make it ask Stripe.
async fn stored(app: &TestApp, session: &str) -> Topup {
    let session = SessionId::parse(STRIPE, session).expect("an id");
    app.app.db.topup_by_session(&session).await.expect("readable").expect("a top-up")
}

/// The word of a purchase's stored state.
async fn state(app: &TestApp, session: &str) -> &'static str {
    stored(app, session).await.state.as_str()
}

/// The same news in another event, of another type and payment status.
fn another(event: &Value, id: &str, event_type: &str, payment_status: &str) -> Value {
    let mut event = event.clone();
    event["id"] = json!(id);
    event["type"] = json!(event_type);
    event["data"]["object"]["payment_status"] = json!(payment_status);
    event
}
