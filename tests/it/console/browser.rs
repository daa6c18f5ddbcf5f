//! The console in a real browser: by keyboard, on a phone, in light and dark, and checked by axe-core.

use serde_json::json;
use topup::access::api_keys::Scope;
use topup::console::payers::store_notes;

use super::{api_key, start};
use crate::admin::buy;
use crate::dev::run_in_a_browser;
use crate::on_both_databases;

on_both_databases! {
    async fn a_person_works_with_the_console_in_a_browser(backend: Backend) {
        let app = start(backend).await;
        let refunded = buy(&app, "user_1").await;
        app.stripe.control(&format!("payment_intents/{}/refund", refunded.payment), json!({ "amount": 100 })).await;
        let disputed = buy(&app, "user_2").await;
        app.stripe.control(&format!("payment_intents/{}/dispute", disputed.payment), json!({})).await;
        for event_type in ["charge.succeeded", "charge.refunded", "charge.dispute.created"] {
            let list = app.stripe.get(&format!("/v1/events?limit=100&type={event_type}")).await;
            for event in list["data"].as_array().expect("a list") {
                app.deliver(event).await.expect(200);
            }
        }
        let (missing, mut changed) = app.pay_session("user_3", 250).await;
        changed["id"] = json!("evt_changed");
        changed["data"]["object"]["amount_total"] = json!(1);
        app.deliver(&changed).await.expect(200);
        app.pay_session("user_4", 500).await;
        store_notes(&app.app).await.expect("stored");
        let (admin, support) = (api_key(&app, &[Scope::Admin], None).await, api_key(&app, &[Scope::Support], None).await);
        let place = json!({ "url": app.url, "admin": admin, "support": support, "refunded": refunded.topup,
            "disputed": disputed.topup, "missing": missing, "database": format!("{backend:?}").to_lowercase() });
        run_in_a_browser("console.mjs", "CONSOLE", place.to_string()).await;
        app.finish().await;
    }
}
