//! The outcome of each event: foreign, rejected permanently, or not understood. Events that credit are in
//! `exactly_once`.

use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::TestApp;
use crate::support::books::{Rows, rows};

type Change = fn(&mut Value);

/// A paid event of a top-up, modified.
fn changed(event: &Value, change: impl FnOnce(&mut Value)) -> Value {
    let mut event = event.clone();
    change(&mut event);
    event
}

fn object(event: &mut Value) -> &mut Value {
    &mut event["data"]["object"]
}

on_both_databases! {
    async fn events_that_are_not_ours_are_taken_and_leave_no_row(backend: Backend) {
        // Known mistake 21.
        let app = TestApp::start(backend).await;
        let (session, event) = app.pay_session("user_1", 250).await;
        let foreign: [(&str, Change); 11] = [
            ("an unknown type", |event| event["type"] = json!("checkout.session.renamed")),
            ("another object's type", |event| event["type"] = json!("invoice.paid")),
            ("no type", |event| event["type"] = Value::Null),
            ("another purpose", |event| object(event)["metadata"]["purpose"] = json!("subscription")),
            ("no purpose", |event| {
                object(event)["metadata"].as_object_mut().expect("an object").remove("purpose");
            }),
            ("no metadata", |event| object(event)["metadata"] = json!({})),
            ("metadata that is null", |event| object(event)["metadata"] = Value::Null),
            ("somebody else's kind of id", |event| object(event)["metadata"]["topupId"] = json!("order-7")),
            ("a top-up of another database", |event| {
                object(event)["metadata"]["topupId"] = json!("topup_00000000000000000000000000000001");
            }),
            ("a test event of the dashboard", |event| {
                *event = json!({ "id": "evt_00000000000000", "object": "event", "type": "checkout.session.completed",
                    "livemode": false, "data": { "object": { "id": "cs_test_0", "payment_status": "paid" } } });
            }),
            ("a thin event's type on a snapshot", |event| event["type"] = json!("v1.checkout.session.completed")),
        ];
        for (what, change) in foreign {
            let answer = app.deliver(&changed(&event, change)).await;
            assert_eq!((answer.status, &answer.body), (200, &json!({ "received": true })), "{what}");
            assert_eq!(rows(&app.app.db).await, Rows::default(), "{what}");
        }
        // The event itself is valid: none of the above failed for another reason.
        app.deliver(&event).await.expect(200);
        assert_eq!(
            (app.credits("user_1").await, app.session_state("user_1", &session).await),
            (250, "paid".to_owned())
        );
        app.finish().await;
    }

    async fn thin_events_are_taken_whatever_their_shape(backend: Backend) {
        let app = TestApp::start(backend).await;
        let thin = json!({
            "id": "evt_test_65R9Ijk8dKEYZcXeRWn16R9A7j1FSQ3w3TGDPLLGSM4CW0", "object": "v2.core.event",
            "type": "v1.checkout.session.completed", "livemode": false, "created": "2026-11-21T12:00:00.000Z",
            "context": null, "reason": null, "snapshot_event": "evt_1",
            "related_object": { "id": "cs_test_1", "type": "checkout.session", "url": "/v1/checkout/sessions/cs_test_1" },
        });
        let shapes: [Change; 5] = [
            |_| {},
            |event| event["data"] = Value::Null,
            |event| event["data"] = json!({ "developer_message_summary": "one event is wrong" }),
            |event| event["data"] = json!([]),
            |event| event["type"] = json!("v2.core.event_destination.ping"),
        ];
        for shape in shapes {
            let event = changed(&thin, shape);
            let answer = app.deliver(&event).await;
            assert_eq!(answer.status, 200, "{event}: {}", answer.body);
        }
        assert_eq!(rows(&app.app.db).await, Rows::default());
        app.finish().await;
    }

    async fn what_contradicts_the_agreement_is_never_credited_and_counted(backend: Backend) {
        let app = TestApp::start(backend).await;
        let wrong: [(&str, Change); 11] = [
            ("amount_total", |event| object(event)["amount_total"] = json!(288)),
            ("amount_total", |event| object(event)["amount_total"] = json!(28_900)),
            ("amount_total", |event| object(event)["amount_total"] = Value::Null),
            ("currency", |event| object(event)["currency"] = json!("jpy")),
            ("metadata.accountId", |event| object(event)["metadata"]["accountId"] = json!("mallory")),
            ("metadata.accountId", |event| object(event)["metadata"]["accountId"] = json!("user\u{0}1")),
            ("client_reference_id", |event| object(event)["client_reference_id"] = json!("mallory")),
            ("metadata.credits", |event| object(event)["metadata"]["credits"] = json!("250000")),
            ("livemode", |event| event["livemode"] = json!(true)),
            ("session", |event| object(event)["id"] = json!("cs_test_of_another_purchase")),
            ("mode", |event| object(event)["mode"] = json!("setup")),
        ];
        let (session, event) = app.pay_session("user_1", 250).await;
        for (number, (field, change)) in wrong.into_iter().enumerate() {
            let mut event = changed(&event, change);
            event["id"] = json!(format!("evt_wrong_{number}"));
            for attempts in 1..=2 {
                app.deliver(&event).await.expect(200);
                let id = event["id"].as_str().expect("an id");
                let failed = app.app.db.failed_event(id).await.expect("readable").expect("a record").event;
                assert_eq!((failed.kind.as_str(), failed.attempts), ("permanent", attempts), "{field}");
                assert!(failed.error.starts_with(field), "{}", failed.error);
            }
        }
        let expected = Rows { failed: 11, ..Rows::default() };
        assert_eq!((app.credits("user_1").await, app.credits("mallory").await), (0, 0));
        assert_eq!(rows(&app.app.db).await, expected);
        // The correct event still counts.
        app.deliver(&event).await.expect(200);
        assert_eq!(
            (app.credits("user_1").await, app.session_state("user_1", &session).await),
            (250, "paid".to_owned())
        );
        app.finish().await;
    }

    async fn the_end_of_an_unknown_session_in_another_mode_is_rejected_like_anything_else(backend: Backend) {
        let app = TestApp::start(backend).await;
        let (_, event) = app.pay_session("user_1", 250).await;
        let ended = changed(&event, |event| {
            event["type"] = json!("checkout.session.expired");
            event["livemode"] = json!(true);
            object(event)["id"] = json!("cs_test_of_nobody");
        });
        app.deliver(&ended).await.expect(200);
        assert_eq!(rows(&app.app.db).await, Rows { failed: 1, ..Rows::default() });
        app.finish().await;
    }

    async fn a_zero_decimal_currency_is_not_taken_for_cents(backend: Backend) {
        // Known mistake 13: the amount of an event must be what was agreed, in the currency's own unit.
        use crate::support::Options;
        let options =
            Options::default().setting("CURRENCY", "jpy").setting("FEE_FIXED", "30").setting("CREDIT_UNIT_AMOUNT", "1");
        let app = TestApp::start_with(backend, options).await;
        let (_, event) = app.pay_session("user_1", 250).await;
        assert_eq!(
            (&event["data"]["object"]["currency"], &event["data"]["object"]["amount_total"]),
            (&json!("jpy"), &json!(289))
        );
        app.deliver(&changed(&event, |event| object(event)["amount_total"] = json!(28_900))).await.expect(200);
        assert_eq!(app.credits("user_1").await, 0);
        app.deliver(&event).await.expect(200);
        assert_eq!(app.credits("user_1").await, 250);
        app.finish().await;
    }

    async fn a_checkout_that_needed_no_payment_never_credits(backend: Backend) {
        let app = TestApp::start(backend).await;
        let (_, event) = app.pay_session("user_1", 250).await;
        let free = changed(&event, |event| object(event)["payment_status"] = json!("no_payment_required"));
        let mut of_zero = free.clone();
        of_zero["id"] = json!("evt_of_zero");
        object(&mut of_zero)["amount_total"] = json!(0);
        for event in [free, of_zero] {
            app.deliver(&event).await.expect(200);
            assert_eq!(app.credits("user_1").await, 0);
        }
        let rows = rows(&app.app.db).await;
        assert_eq!((rows.entries, rows.accounts, rows.paid), (0, 0, 0));
        app.finish().await;
    }

    async fn an_event_of_ours_that_cannot_be_read_is_asked_for_again_and_recorded(backend: Backend) {
        // Known mistakes 2 and 15.
        let app = TestApp::start(backend).await;
        let (_, event) = app.pay_session("user_1", 250).await;
        let unreadable: [(&str, Change); 8] = [
            ("no session id", |event| object(event)["id"] = Value::Null),
            ("an amount that is text", |event| object(event)["amount_total"] = json!("289")),
            ("an amount with a fraction", |event| object(event)["amount_total"] = json!(289.5)),
            ("no payment status", |event| object(event)["payment_status"] = Value::Null),
            ("a payment status of next year", |event| object(event)["payment_status"] = json!("paid_partly")),
            ("no livemode", |event| event["livemode"] = Value::Null),
            ("no data", |event| event["data"] = Value::Null),
            ("data without an object", |event| event["data"] = json!({ "id": 1 })),
        ];
        for (number, (what, change)) in unreadable.into_iter().enumerate() {
            let mut event = changed(&event, change);
            event["id"] = json!(format!("evt_unreadable_{number}"));
            for attempts in 1..=2 {
                let answer = app.deliver(&event).await;
                assert_eq!(answer.status, 500, "{what}: {}", answer.body);
                let body = answer.expect_problem(500, "internal_error");
                assert!(!body["detail"].to_string().contains("evt_"), "{body}");
                let id = event["id"].as_str().expect("an id");
                let failed = app.app.db.failed_event(id).await.expect("readable").expect("a record").event;
                assert_eq!((failed.kind.as_str(), failed.attempts), ("transient", attempts), "{what}");
            }
        }
        assert_eq!(rows(&app.app.db).await, Rows { failed: 8, ..Rows::default() });
        // An unreadable event is not decided: once it can be read, it counts.
        app.deliver(&changed(&event, |event| event["id"] = json!("evt_unreadable_0"))).await.expect(200);
        assert_eq!(app.credits("user_1").await, 250);
        app.finish().await;
    }
}
