//! Deliveries that need a request to Stripe: they delay no other delivery, and send no more requests than necessary.

use serde_json::{Value, json};
use std::time::Duration;

use crate::on_both_databases;
use crate::support::books::{Rows, rows};
use crate::support::{Options, TestApp};

/// A refund of an unknown payment.
fn refund(number: usize, payment: &str) -> Value {
    json!({ "id": format!("evt_refund_{number}"), "object": "event", "type": "refund.created", "livemode": false,
        "data": { "object": { "id": format!("re_{number}"), "object": "refund", "amount": 100, "currency": "usd",
            "status": "succeeded", "payment_intent": payment } } })
}

/// How often Stripe was asked for the owner of this payment.
async fn questions(app: &TestApp, payment: &str) -> usize {
    let path = format!("/v1/payment_intents/{payment}");
    app.stripe.requests().await.iter().filter(|request| request["path"] == path.as_str()).count()
}

/// Delivers all of them at once. Returns the statuses.
fn deliver_all(app: &TestApp, events: Vec<Value>) -> tokio::task::JoinHandle<Vec<u16>> {
    use topup::ports::Clock;
    let (url, now) = (format!("{}/webhooks/stripe", app.url), app.clock.now_ms() / 1_000);
    let send = move |event: Value| {
        let body = event.to_string();
        let header = stripe_sandbox::sign(crate::support::stripe::WEBHOOK_SECRET, now, body.as_bytes());
        let request = crate::support::app::http_client().post(&url).header("stripe-signature", header).body(body);
        async move { request.send().await.expect("an answer").status().as_u16() }
    };
    tokio::spawn(futures_util::future::join_all(events.into_iter().map(send)))
}

on_both_databases! {
    async fn payments_and_what_needs_no_question_never_wait_for_what_does(backend: Backend) {
        // Known mistake 26.
        let options = Options { call_timeout: Duration::from_mins(1), ..Options::default() };
        let app = TestApp::start_with(backend, options).await;
        let (_, paid) = app.pay_session("user_1", 250).await;
        let expiring = app.open_session("user_1", 250).await;
        let (status, body) = app.stripe.post(&format!("/v1/checkout/sessions/{expiring}/expire"), &[]).await;
        assert_eq!(status, 200, "{body}");
        let expired = app.stripe.event("checkout.session.expired", &expiring).await;
        app.stripe.fault(json!({ "path": "/v1/payment_intents/*", "kind": "hold", "times": 8 })).await;
        app.stripe.fault(json!({ "path": "/v1/balance_transactions/*", "kind": "hold", "times": 8 })).await;
        // More than can be applied at once plus those that may wait for an answer.
        let foreign = (0..150).map(|number| refund(number, &format!("pi_foreign_{number}"))).collect();
        let foreign = deliver_all(&app, foreign);
        app.stripe.wait_for_holds(8).await;
        // As many as can be applied at once could block these.
        app.deliver(&paid).await.expect(200);
        app.deliver(&expired).await.expect(200);
        let charge = app.stripe.get("/v1/events?type=charge.updated").await["data"][0].clone();
        app.deliver(&charge).await.expect(200);
        assert_eq!((app.credits("user_1").await, app.session_state("user_1", &expiring).await), (250, "expired".to_owned()));
        // A refund of a known payment needs no request either.
        let payment = paid["data"]["object"]["payment_intent"].as_str().expect("an id");
        app.deliver(&refund(1_000, payment)).await.expect(200);
        assert_eq!(app.credits("user_1").await, 150);
        app.stripe.release().await;
        let statuses = foreign.await.expect("no panic");
        assert!(statuses.iter().all(|status| matches!(status, 200 | 503)), "{statuses:?}");
        assert!(statuses.contains(&200) && statuses.contains(&503), "{statuses:?}");
        assert_eq!(rows(&app.app.db).await.failed, 0, "who is told to come again has not failed");
        // The last fault may hold a request of a background job.
        app.stripe.clear_faults().await;
        app.stripe.release().await;
        app.finish().await;
    }

    async fn refunds_of_other_products_cost_no_question_twice(backend: Backend) {
        let app = TestApp::start(backend).await;
        let other = app.start_beside(backend).await;
        let (session, _) = other.pay_session("user_1", 250).await;
        let foreign = app.payment_of(&session).await;
        let asked = questions(&app, &foreign).await;
        for payment in [foreign.as_str(), "pi_of_nobody"] {
            let together = (0..6).map(|number| refund(number, payment)).collect();
            assert_eq!(deliver_all(&app, together).await.expect("no panic"), [200; 6]);
            for event_type in ["charge.dispute.created", "charge.refunded", "refund.failed"] {
                let mut event = refund(7, payment);
                event["type"] = json!(event_type);
                app.deliver(&event).await.expect(200);
            }
        }
        assert_eq!((questions(&app, &foreign).await, questions(&app, "pi_of_nobody").await), (asked + 1, 1));
        assert_eq!(rows(&app.app.db).await, Rows::default());
        // Not forever, and not if Stripe did not answer.
        app.clock.advance_ms(25 * 3_600_000);
        app.deliver(&refund(8, &foreign)).await.expect(200);
        assert_eq!(questions(&app, &foreign).await, asked + 2);
        app.stripe.fault(json!({ "path": "/v1/payment_intents/*", "kind": "status", "status": 500 })).await;
        app.deliver(&refund(9, "pi_failing")).await.expect(500);
        app.deliver(&refund(9, "pi_failing")).await.expect(200);
        assert_eq!(questions(&app, "pi_failing").await, 2);
        other.finish().await;
        app.finish().await;
    }
}
