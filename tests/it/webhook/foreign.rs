//! Events that do not concern Topup, in any format: accepted without a row. The same formats about a top-up are
//! failures.

use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::TestApp;
use crate::support::books::{Rows, rows};

type Change = fn(&mut Value);

fn event(event_type: &str, object: &Value) -> Value {
    json!({ "id": "evt_shape", "object": "event", "type": event_type, "livemode": false, "data": { "object": object } })
}

/// Values that foreign objects may have where Topup's have something else.
const SHAPES: [(&str, Change); 6] = [
    ("as it is", |_| {}),
    ("no livemode", |event| event["livemode"] = Value::Null),
    ("no id", |event| event["id"] = Value::Null),
    ("another kind of id", |event| event["id"] = json!("event of ours/7")),
    ("no fields but the payment", |event| {
        let object = event["data"]["object"].as_object_mut().expect("an object");
        object.retain(|name, _| name == "payment_intent" || name == "metadata");
    }),
    ("fields of other types", |event| {
        let object = event["data"]["object"].as_object_mut().expect("an object");
        for (name, value) in object.iter_mut().filter(|(name, _)| *name != "payment_intent" && *name != "metadata") {
            *value = json!({ name.as_str(): [1, null] });
        }
    }),
];

/// One event of each kind about a payment, with the metadata of a top-up.
fn events(payment: &str, metadata: &Value) -> Vec<Value> {
    let refund =
        json!({ "id": "re_1", "amount": 1, "currency": "usd", "status": "succeeded", "payment_intent": payment });
    let charge = json!({ "id": "ch_1", "payment_intent": payment, "amount_refunded": 1, "metadata": metadata,
        "balance_transaction": "txn_1", "refunds": { "data": [refund], "has_more": false } });
    let intent = json!({ "id": payment, "payment_intent": payment, "metadata": metadata, "last_payment_error": { "code": "x" } });
    let session = json!({ "id": "cs_1", "payment_status": "paid", "payment_intent": payment, "metadata": metadata });
    vec![
        event("refund.created", &refund),
        event("charge.refund.updated", &refund),
        event("charge.dispute.created", &json!({ "id": "du_1", "payment_intent": payment })),
        event("charge.refunded", &charge),
        event("charge.updated", &charge),
        event("payment_intent.payment_failed", &intent),
        event("checkout.session.completed", &session),
    ]
}

on_both_databases! {
    async fn an_event_about_what_is_not_ours_of_any_shape_is_taken_without_a_row(backend: Backend) {
        let app = TestApp::start(backend).await;
        let others = [
            json!({ "purpose": "credits_topup", "topupId": "topup_00000000000000000000000000000001" }),
            json!({ "purpose": "credits_topup", "topupId": 7 }),
            json!({ "order": { "deep": [1] } }),
            json!(["a", "list"]),
            json!("text"),
            Value::Null,
        ];
        for metadata in others {
            for event in events("pi_of_nobody", &metadata) {
                for (what, change) in SHAPES {
                    let mut event = event.clone();
                    change(&mut event);
                    let answer = app.deliver(&event).await;
                    assert_eq!(answer.status, 200, "{what}: {event}: {}", answer.body);
                }
            }
        }
        assert_eq!(rows(&app.app.db).await, Rows::default());
        app.finish().await;
    }

    async fn the_same_shapes_of_a_purchase_of_ours_are_failures_that_are_listed(backend: Backend) {
        // Known mistake 15.
        let app = TestApp::start(backend).await;
        let (session, paid) = app.pay_session("user_1", 250).await;
        app.deliver(&paid).await.expect(200);
        let payment = app.payment_of(&session).await;
        let metadata = paid["data"]["object"]["metadata"].clone();
        for event in events(&payment, &metadata) {
            let mut event = event.clone();
            event["livemode"] = Value::Null;
            event["id"] = json!(format!("evt_of_ours_{}", event["type"].as_str().expect("text").replace('.', "_")));
            let answer = app.deliver(&event).await;
            assert_eq!(answer.status, 500, "{event}: {}", answer.body);
        }
        assert_eq!(rows(&app.app.db).await.failed, 7);
        let topup = metadata["topupId"].as_str().expect("an id");
        let topup = topup::domain::ids::TopupId::parse(topup).expect("an id");
        let listed = app.app.db.failed_events_of(&topup).await.expect("readable");
        assert_eq!(listed.len(), 7, "each is found by its purchase");
        app.finish().await;
    }

    async fn our_purchase_on_a_connected_account_is_listed_and_never_credited(backend: Backend) {
        // Known mistake 37.
        let app = TestApp::start(backend).await;
        let (session, paid) = app.pay_session("user_1", 250).await;
        let mut elsewhere = paid.clone();
        elsewhere["account"] = json!("acct_1");
        elsewhere["id"] = json!("evt_elsewhere");
        for attempts in 1..=2 {
            app.deliver(&elsewhere).await.expect(200);
            let failed = app.app.db.failed_event("evt_elsewhere").await.expect("readable").expect("listed").event;
            assert_eq!((failed.kind.as_str(), failed.attempts), ("permanent", attempts));
            assert!(failed.error.contains("acct_1") && failed.error.contains("not of connected accounts"), "{}", failed.error);
        }
        assert_eq!(app.credits("user_1").await, 0);
        // Foreign events of that account do not concern Topup.
        let changes: [Change; 4] = [
            |event| event["data"]["object"]["metadata"] = json!({}),
            |event| event["data"]["object"]["metadata"]["topupId"] = json!("topup_00000000000000000000000000000001"),
            |event| event["data"] = Value::Null,
            |event| event["type"] = json!("refund.created"),
        ];
        for change in changes {
            let mut foreign = elsewhere.clone();
            foreign["id"] = json!("evt_foreign");
            change(&mut foreign);
            app.deliver(&foreign).await.expect(200);
        }
        assert_eq!(rows(&app.app.db).await, Rows { failed: 1, ..Rows::default() });
        // A refund on that account, of a payment known here.
        app.deliver(&paid).await.expect(200);
        let payment = app.payment_of(&session).await;
        let mut refund = event("refund.created", &json!({ "id": "re_1", "amount": 100, "currency": "usd",
            "status": "succeeded", "payment_intent": payment }));
        refund["account"] = json!("acct_1");
        app.deliver(&refund).await.expect(200);
        assert_eq!((app.credits("user_1").await, rows(&app.app.db).await.failed), (250, 2));
        app.finish().await;
    }
}
