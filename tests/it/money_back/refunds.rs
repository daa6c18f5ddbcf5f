//! Refunds. Known mistakes 8 to 11 and 23.

use serde_json::{Value, json};
use topup::providers::stripe::name::NAME as STRIPE;
use topup::purchases::reversal::reversals::Reversal;

use super::{Purchase, story};
use crate::on_both_databases;
use crate::support::TestApp;

/// Every event type that reports a new refund.
const ON_CREATION: [&str; 2] = ["refund.created", "charge.refunded"];
/// The event types that report its later states.
const LATER: [&str; 2] = ["refund.updated", "charge.refund.updated"];

async fn reversal(app: &TestApp, id: &str) -> Option<Reversal> {
    app.app.db.reversal(STRIPE, id).await.expect("readable")
}

on_both_databases! {
    /// Known mistakes 9 and 10: the amounts are deltas of nothing, and the fee is no credits.
    async fn a_refund_takes_what_its_money_paid_for_by_whichever_event_it_is_told(backend: Backend) {
        for event in ON_CREATION {
            let app = TestApp::start(backend).await;
            for (amounts, credits) in [
                (vec![100], vec![150]),
                (vec![250], vec![0]),
                (vec![289], vec![0]),
                (vec![251], vec![0]),
                (vec![100, 100, 89], vec![150, 50, 0]),
                (vec![1, 38, 250], vec![249, 211, 0]),
            ] {
                let account = format!("user_{}", amounts.iter().map(i64::to_string).collect::<Vec<_>>().join("_"));
                let purchase = Purchase::credited(&app, &account, "pm_card_visa").await;
                for (amount, left) in amounts.into_iter().zip(credits) {
                    purchase.refund(&app, amount).await;
                    purchase.deliver(&app, event).await;
                    assert_eq!(app.credits(&account).await, left, "{event}: {amount}");
                }
            }
            app.finish().await;
        }
    }

    async fn all_events_of_two_refunds_in_any_order_and_twice_lead_to_the_same_books(backend: Backend) {
        let app = TestApp::start(backend).await;
        // A few orders that differ as much as possible; the simulator tries thousands.
        for (number, order) in [[0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [2, 0, 4, 1, 3], [3, 1, 0, 4, 2]].iter().enumerate() {
            let account = format!("user_{number}");
            let purchase = Purchase::paid(&app, &account, "pm_card_visa").await;
            purchase.refund(&app, 100).await;
            purchase.refund(&app, 50).await;
            let mut events = purchase.events(&app).await;
            events.retain(|event| {
                let event_type = event["type"].as_str().expect("a type");
                ON_CREATION.contains(&event_type) || event_type == "checkout.session.completed"
            });
            assert_eq!(events.len(), 5);
            for at in order.iter().chain(order) {
                app.deliver(&events[*at]).await.expect(200);
            }
            assert_eq!(app.credits(&account).await, 100, "{order:?}: {}", story(&app, &account).await);
        }
        app.finish().await;
    }

    /// Known mistake 23.
    async fn a_refund_that_comes_before_its_payment_waits_for_it(backend: Backend) {
        for event in ON_CREATION {
            let app = TestApp::start(backend).await;
            let purchase = Purchase::paid(&app, "user_1", "pm_card_visa").await;
            let refund = purchase.refund(&app, 100).await;
            purchase.deliver(&app, event).await;
            assert_eq!(app.credits("user_1").await, 0);
            assert_eq!(reversal(&app, &refund).await.expect("it waits").counts, 1);
            purchase.deliver(&app, "checkout.session.completed").await;
            assert_eq!(story(&app, "user_1").await, "topup 250, reversal -100", "{event}");
            app.finish().await;
        }
    }

    async fn a_list_of_refunds_that_lags_behind_its_event_is_asked_for_again(backend: Backend) {
        let app = TestApp::start(backend).await;
        let purchase = Purchase::credited(&app, "user_1", "pm_card_visa").await;
        let refund = purchase.refund(&app, 100).await;
        let event = purchase.latest(&app, "charge.refunded").await;
        app.stripe.control("lists", json!({ "lag_seconds": 3_600 })).await;
        assert_eq!(app.deliver(&event).await.status, 500);
        assert!(reversal(&app, &refund).await.is_none());
        app.stripe.control("lists", json!({ "lag_seconds": 0 })).await;
        app.deliver(&event).await.expect(200);
        assert_eq!(story(&app, "user_1").await, "topup 250, reversal -100");
        // A refund that has failed since still counts towards the reported total.
        let second = purchase.refund(&app, 50).await;
        let event = purchase.latest(&app, "charge.refunded").await;
        app.stripe.control(&format!("refunds/{second}"), json!({ "status": "failed" })).await;
        app.deliver(&event).await.expect(200);
        assert_eq!(app.credits("user_1").await, 150);
        app.finish().await;
    }

    /// Known mistake 11.
    async fn a_refund_that_fails_later_gives_the_credits_back_and_nothing_revives_it(backend: Backend) {
        for end in ["failed", "canceled"] {
            for event in LATER {
                let app = TestApp::start(backend).await;
                let purchase = Purchase::credited(&app, "user_1", "pm_card_visa").await;
                let refund = purchase.refund(&app, 100).await;
                let created = purchase.latest(&app, "refund.created").await;
                app.deliver(&created).await.expect(200);
                assert_eq!(app.credits("user_1").await, 150);
                if end == "canceled" {
                    let wait = json!({ "status": "requires_action" });
                    app.stripe.control(&format!("refunds/{refund}"), wait).await;
                }
                app.stripe.control(&format!("refunds/{refund}"), json!({ "status": end })).await;
                purchase.deliver(&app, event).await;
                assert_eq!(story(&app, "user_1").await, "topup 250, reversal -100, reversal 100", "{end} {event}");
                // An older event with a new id, as Stripe may send one for the same change.
                let late = with_id(&created, "evt_late");
                app.deliver(&late).await.expect(200);
                assert_eq!(app.credits("user_1").await, 250, "{end} {event}");
                assert_eq!(reversal(&app, &refund).await.expect("there").status, end);
                app.finish().await;
            }
        }
    }

    async fn a_refund_of_which_only_the_failure_is_told_takes_nothing(backend: Backend) {
        let app = TestApp::start(backend).await;
        let purchase = Purchase::credited(&app, "user_1", "pm_card_visa").await;
        let refund = purchase.refund(&app, 289).await;
        app.stripe.control(&format!("refunds/{refund}"), json!({ "status": "failed" })).await;
        purchase.deliver(&app, "refund.failed").await;
        assert_eq!(story(&app, "user_1").await, "topup 250");
        app.finish().await;
    }

    async fn a_refund_on_its_way_takes_its_credits_already(backend: Backend) {
        let app = TestApp::start(backend).await;
        let purchase = Purchase::credited(&app, "user_1", "pm_card_pendingRefund").await;
        let refund = purchase.refund(&app, 289).await;
        purchase.deliver(&app, "refund.created").await;
        assert_eq!((reversal(&app, &refund).await.expect("there").status.as_str(), app.credits("user_1").await), ("pending", 0));
        app.stripe.control(&format!("refunds/{refund}"), json!({ "status": "succeeded" })).await;
        purchase.deliver(&app, "refund.updated").await;
        assert_eq!(story(&app, "user_1").await, "topup 250, reversal -250");
        app.finish().await;
    }

    /// Known mistake 15: older versions of the API put the refunds into the charge, newer ones leave them out.
    async fn the_same_refund_in_the_shape_of_any_version_takes_the_same(backend: Backend) {
        for version in ["2020-08-27", "2022-08-01", "2022-11-15", "2024-04-10", "2025-03-31.basil", "2026-10-28.endive"] {
            let mut sandbox = json!({ "api_version": version });
            sandbox["hold"] = json!(true);
            let app = TestApp::start_with(backend, crate::support::Options::with_webhooks()).await;
            app.stripe.control("deliveries/mode", sandbox).await;
            let purchase = Purchase::paid(&app, "user_1", "pm_card_visa").await;
            purchase.refund(&app, 100).await;
            purchase.refund(&app, 50).await;
            app.stripe.control("deliveries/mode", json!({ "hold": ["refund.*", "charge.refund.*"] })).await;
            app.stripe.idle().await;
            assert_eq!(app.credits("user_1").await, 100, "{version}: by charge.refunded alone");
            app.stripe.control("deliveries/mode", json!({ "hold": false })).await;
            app.stripe.idle().await;
            assert_eq!(story(&app, "user_1").await.matches("topup").count(), 1);
            assert_eq!(app.credits("user_1").await, 100, "{version}: by all events");
            app.finish().await;
        }
    }

    async fn others_refunds_leave_no_trace(backend: Backend) {
        let app = TestApp::start(backend).await;
        let form = [("amount", "500"), ("currency", "usd"), ("payment_method", "pm_card_visa"), ("confirm", "true")];
        let (status, payment) = app.stripe.post("/v1/payment_intents", &form).await;
        assert_eq!(status, 200, "{payment}");
        let purchase = Purchase { session: String::new(), payment: payment["id"].as_str().expect("an id").to_owned() };
        let refund = purchase.refund(&app, 500).await;
        for event in purchase.events(&app).await {
            app.deliver(&event).await.expect(200);
        }
        assert_eq!(reversal(&app, &refund).await, None);
        assert_eq!(crate::support::books::rows(&app.app.db).await, crate::support::books::Rows::default());
        app.finish().await;
    }

    /// Known mistakes 2 and 21: Stripe cannot say whose refund it is, and then it can.
    async fn when_stripe_does_not_say_whose_a_refund_is_the_event_is_tried_again(backend: Backend) {
        let app = TestApp::start(backend).await;
        let purchase = Purchase::paid(&app, "user_1", "pm_card_visa").await;
        purchase.refund(&app, 100).await;
        let event = purchase.latest(&app, "refund.created").await;
        let id = event["id"].as_str().expect("an id");
        app.stripe.fault(json!({ "path": "/v1/payment_intents/*", "kind": "status", "status": 500 })).await;
        app.deliver(&event).await.expect(500);
        assert!(app.app.db.has_open_failure(STRIPE, id).await.expect("readable"));
        app.deliver(&event).await.expect(200);
        assert!(!app.app.db.has_open_failure(STRIPE, id).await.expect("readable"));
        purchase.deliver(&app, "checkout.session.completed").await;
        assert_eq!(app.credits("user_1").await, 150);
        app.finish().await;
    }

    async fn a_refund_in_another_mode_or_currency_is_rejected_for_good(backend: Backend) {
        let app = TestApp::start(backend).await;
        let purchase = Purchase::credited(&app, "user_1", "pm_card_visa").await;
        let refund = purchase.refund(&app, 100).await;
        let event = purchase.latest(&app, "refund.created").await;
        let mut live = with_id(&event, "evt_live");
        live["livemode"] = json!(true);
        let mut euro = with_id(&event, "evt_euro");
        euro["data"]["object"]["currency"] = json!("eur");
        for (wrong, id) in [(live, "evt_live"), (euro, "evt_euro")] {
            app.deliver(&wrong).await.expect(200);
            assert_eq!((app.credits("user_1").await, reversal(&app, &refund).await), (250, None));
            assert!(app.app.db.has_open_failure(STRIPE, id).await.expect("readable"));
        }
        app.finish().await;
    }

    async fn what_cannot_be_read_is_asked_for_again_and_never_guessed(backend: Backend) {
        let app = TestApp::start(backend).await;
        let purchase = Purchase::credited(&app, "user_1", "pm_card_visa").await;
        purchase.refund(&app, 100).await;
        let event = purchase.latest(&app, "refund.created").await;
        for (number, (field, value)) in
            [("status", json!("half_done")), ("status", Value::Null), ("amount", json!(-1)),
                ("amount", json!(i64::MAX)), ("amount", Value::Null), ("currency", Value::Null)]
                .into_iter()
                .enumerate()
        {
            let mut wrong = with_id(&event, &format!("evt_{number}"));
            wrong["data"]["object"][field] = value;
            app.deliver(&wrong).await.expect(500);
        }
        assert_eq!(app.credits("user_1").await, 250);
        app.finish().await;
    }

    async fn a_reason_that_no_database_takes_is_no_reason_to_fail(backend: Backend) {
        let app = TestApp::start(backend).await;
        let purchase = Purchase::credited(&app, "user_1", "pm_card_visa").await;
        let refund = purchase.refund(&app, 100).await;
        let mut event = purchase.latest(&app, "refund.created").await;
        event["data"]["object"]["reason"] = json!(format!("no\u{0}reason {}", "x".repeat(10_000)));
        app.deliver(&event).await.expect(200);
        let stored = reversal(&app, &refund).await.expect("there").reason.expect("a reason");
        assert!(stored.starts_with("noreasonxxx") && stored.len() == 100, "{stored}");
        assert_eq!(app.credits("user_1").await, 150);
        app.finish().await;
    }

    /// Many concurrent handlers wait for each other on the payment's row lock.
    async fn events_of_one_payment_at_the_same_time_lead_to_the_same_books(backend: Backend) {
        let app = TestApp::start(backend).await;
        for number in 0..6 {
            let account = format!("user_{number}");
            let purchase = Purchase::paid(&app, &account, "pm_card_visa").await;
            for _ in 0..4 {
                purchase.refund(&app, 30).await;
            }
            let events = purchase.events(&app).await;
            let answers = futures_util::future::join_all(events.iter().map(|event| app.deliver(event))).await;
            for answer in answers {
                answer.expect(200);
            }
            assert_eq!(app.credits(&account).await, 130, "{}", story(&app, &account).await);
        }
        app.finish().await;
    }
}

fn with_id(event: &Value, id: &str) -> Value {
    let mut event = event.clone();
    event["id"] = json!(id);
    event
}
