//! The endpoint's API version decides an event's format; in every version the payment is credited. Known mistake 15.

use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::TestApp;
use crate::support::books::rows;

type Shape = fn(&mut Value);

fn object(event: &mut Value) -> &mut serde_json::Map<String, Value> {
    event["data"]["object"].as_object_mut().expect("an object")
}

/// Stripe's changes of the session and the event between versions, from its changelog.
const SHAPES: [(&str, Shape); 7] = [
    ("2019-12-03", |event| {
        let session = object(event);
        for later in [
            "adaptive_pricing",
            "after_expiration",
            "amount_subtotal",
            "automatic_tax",
            "consent",
            "created",
            "currency_conversion",
            "custom_fields",
            "customer_creation",
            "customer_details",
            "expires_at",
            "invoice",
            "status",
            "ui_mode",
            "url",
            "presentment_details",
            "collected_information",
        ] {
            session.remove(later);
        }
        session.insert(
            "display_items".to_owned(),
            json!([{ "amount": 1, "currency": "usd", "quantity": 250, "type": "custom" }]),
        );
        session.insert("shipping".to_owned(), Value::Null);
    }),
    ("2022-08-01", |event| {
        let session = object(event);
        session.insert("setup_intent".to_owned(), Value::Null);
        session
            .insert("total_details".to_owned(), json!({ "amount_discount": 0, "amount_shipping": 0, "amount_tax": 0 }));
        session.insert("shipping_details".to_owned(), json!({ "address": null, "name": "A" }));
        session.remove("collected_information");
    }),
    ("2025-03-31.basil", |event| {
        let session = object(event);
        session.remove("shipping_details");
        session.insert("collected_information".to_owned(), json!({ "shipping_details": null }));
        session.insert(
            "presentment_details".to_owned(),
            json!({ "presentment_amount": 260, "presentment_currency": "eur" }),
        );
        session.insert("ui_mode".to_owned(), json!("hosted"));
    }),
    ("2026-10-28.endive", |_| {}),
    ("2027-03-31.ficus", |event| {
        event["context"] = json!({ "account": "acct_1", "nested": [1, 2.5, null] });
        event["request"] = json!("req_1");
        event["pending_webhooks"] = Value::Null;
        event["created"] = json!("2027-04-01T00:00:00Z");
        let session = object(event);
        session.insert("status".to_owned(), json!("complete_and_settled"));
        session.insert("ui_mode".to_owned(), json!("something_new"));
        session.insert("a_field_of_next_year".to_owned(), json!({ "deep": [{ "deeper": 1e300 }] }));
        session.insert("amount_subtotal".to_owned(), json!({ "value": "289" }));
    }),
    ("an expanded payment_intent", |event| {
        let id = object(event)["payment_intent"].clone();
        assert!(id.is_string());
        let payment = json!({ "id": id, "object": "payment_intent", "amount": 289, "charges": { "data": [] }, "status": "succeeded" });
        object(event).insert("payment_intent".to_owned(), payment);
    }),
    ("no payment_intent", |event| {
        object(event).insert("payment_intent".to_owned(), Value::Null);
    }),
];

on_both_databases! {
    async fn an_event_of_any_api_version_is_credited_once(backend: Backend) {
        let app = TestApp::start(backend).await;
        for (number, (version, shape)) in SHAPES.into_iter().enumerate() {
            let account = format!("user_{number}");
            let (session, mut event) = app.pay_session(&account, 250).await;
            event["api_version"] = json!(version);
            shape(&mut event);
            for _ in 0..2 {
                let answer = app.deliver(&event).await;
                assert_eq!(answer.status, 200, "{version}: {}", answer.body);
                assert_eq!(app.credits(&account).await, 250, "{version}");
            }
            assert_eq!(app.session_state(&account, &session).await, "paid", "{version}");
        }
        assert_eq!(rows(&app.app.db).await.failed, 0);
        app.finish().await;
    }

    async fn an_event_whose_version_is_not_said_is_credited(backend: Backend) {
        let app = TestApp::start(backend).await;
        let (_, mut event) = app.pay_session("user_1", 250).await;
        for name in ["api_version", "object", "created", "pending_webhooks", "request"] {
            event.as_object_mut().expect("an object").remove(name);
        }
        event["account"] = Value::Null;
        app.deliver(&event).await.expect(200);
        assert_eq!(app.credits("user_1").await, 250);
        app.finish().await;
    }
}
