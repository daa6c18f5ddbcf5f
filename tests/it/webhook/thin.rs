//! A destination with thin payloads, which Stripe's dashboard recommends.

use serde_json::json;

use crate::on_both_databases;
use crate::support::books::{Rows, rows};
use crate::support::stripe::thin_of;
use crate::support::{Options, TestApp, until};
use topup::providers::stripe::name::NAME as STRIPE;

fn thin() -> Options {
    Options { thin: true, ..Options::default() }
}

on_both_databases! {
    async fn a_purchase_is_credited_refunded_and_its_fee_learned_by_thin_payloads_alone(backend: Backend) {
        // Known mistake 37.
        let app = TestApp::start_with(backend, thin()).await;
        let (session, event) = app.pay_session("user_1", 250).await;
        app.stripe.idle().await;
        assert_eq!(app.credits("user_1").await, 250);
        let payment = app.payment_of(&session).await;
        app.stripe.control(&format!("payment_intents/{payment}/refund"), json!({ "amount": 100 })).await;
        app.stripe.idle().await;
        assert_eq!(app.credits("user_1").await, 150);
        let id = topup::domain::ids::PaymentId::parse(STRIPE, payment).expect("an id");
        let fee = async || {
            app.learn_fees().await;
            app.app.db.payment(&id).await.expect("readable").expect("there").real_fee
        };
        assert_eq!(until("the fee is known", fee).await, 38);
        // The snapshot of the same event is a duplicate, and so is the thin one after it.
        let before = rows(&app.app.db).await;
        app.deliver(&event).await.expect(200);
        app.deliver(&thin_of(&event)).await.expect(200);
        assert_eq!((rows(&app.app.db).await, app.credits("user_1").await), (before, 150));
        app.finish().await;
    }

    async fn a_key_that_may_not_read_events_still_credits(backend: Backend) {
        let app = TestApp::start(backend).await;
        let (_, event) = app.pay_session("user_1", 250).await;
        let fault = |status: u16| json!({ "path": "/v1/events/*", "kind": "status", "status": status });
        // A temporary failure is not permanent.
        app.stripe.fault(fault(500)).await;
        app.deliver(&thin_of(&event)).await.expect(500);
        assert_eq!(app.credits("user_1").await, 0);
        app.stripe.fault(fault(403)).await;
        app.deliver(&thin_of(&event)).await.expect(200);
        assert_eq!(app.credits("user_1").await, 250);
        app.deliver(&event).await.expect(200);
        assert_eq!(rows(&app.app.db).await, Rows { events: 1, failed: 1, entries: 1, accounts: 1, paid: 1 });
        assert!(!app.app.db.has_open_failure(STRIPE, event["id"].as_str().expect("an id")).await.expect("readable"));
        // An event whose content is only in Stripe's event object fails, is listed, and can be replayed.
        let payment = event["data"]["object"]["payment_intent"].as_str().expect("an id");
        app.stripe.control(&format!("payment_intents/{payment}/refund"), json!({ "amount": 100 })).await;
        let refunded = app.stripe.get("/v1/events?type=refund.created").await["data"][0].clone();
        app.stripe.fault(fault(403)).await;
        app.deliver(&thin_of(&refunded)).await.expect(500);
        let id = refunded["id"].as_str().expect("an id");
        assert!(app.app.db.has_open_failure(STRIPE, id).await.expect("readable"));
        topup::inbox::failed_deliveries::replay(&app.app, id).await.expect("works").expect("there");
        assert_eq!(app.credits("user_1").await, 150);
        app.finish().await;
    }

    async fn a_thin_event_of_another_environment_or_account_credits_nothing(backend: Backend) {
        // Known mistake 21.
        let app = TestApp::start(backend).await;
        let other = app.start_beside(backend).await;
        let (_, event) = other.pay_session("user_1", 250).await;
        app.deliver(&thin_of(&event)).await.expect(200);
        assert_eq!(rows(&app.app.db).await, Rows::default());
        let mut elsewhere = thin_of(&event);
        elsewhere["context"] = json!("acct_1");
        app.deliver(&elsewhere).await.expect(200);
        assert_eq!(rows(&app.app.db).await, Rows::default());
        other.deliver(&elsewhere).await.expect(200);
        assert_eq!((other.credits("user_1").await, rows(&other.app.db).await.failed), (0, 1));
        other.finish().await;
        app.finish().await;
    }
}
