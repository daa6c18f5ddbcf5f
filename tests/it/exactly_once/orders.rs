//! Stripe guarantees no order: late, delayed and contradicting events still lead to the right end. Paid wins.

use serde_json::{Value, json};

use super::{another, state, stored};
use crate::on_both_databases;
use crate::support::TestApp;
use crate::support::books::rows;

/// A checkout paid with a delayed method: its session and its event, complete but unpaid.
async fn delayed(app: &TestApp, account: &str) -> (String, Value) {
    let session = app.open_session(account, 250).await;
    assert_eq!(app.stripe.pay(&session, "pm_sandbox_delayed").await.0, 200);
    let event = app.stripe.event("checkout.session.completed", &session).await;
    assert_eq!(event["data"]["object"]["payment_status"], "unpaid");
    (session, event)
}

fn permutations(items: &[Value]) -> Vec<Vec<Value>> {
    if items.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for (index, first) in items.iter().enumerate() {
        let mut rest = items.to_vec();
        rest.remove(index);
        for mut order in permutations(&rest) {
            order.insert(0, first.clone());
            all.push(order);
        }
    }
    all
}

on_both_databases! {
    async fn a_delayed_payment_waits_and_is_credited_when_it_comes_through(backend: Backend) {
        // Known mistake 7.
        let app = TestApp::start(backend).await;
        let (session, completed) = delayed(&app, "user_1").await;
        app.deliver(&completed).await.expect(200);
        assert_eq!((state(&app, &session).await, app.credits("user_1").await), ("processing", 0));
        app.stripe.settle(&session, "succeeded").await;
        let succeeded = app.stripe.event("checkout.session.async_payment_succeeded", &session).await;
        for _ in 0..2 {
            app.deliver(&succeeded).await.expect(200);
            assert_eq!((state(&app, &session).await, app.credits("user_1").await), ("paid", 250));
        }
        app.deliver(&completed).await.expect(200);
        assert_eq!((state(&app, &session).await, app.credits("user_1").await), ("paid", 250));
        app.finish().await;
    }

    async fn a_delayed_payment_that_fails_is_never_credited(backend: Backend) {
        let app = TestApp::start(backend).await;
        let (session, completed) = delayed(&app, "user_1").await;
        app.deliver(&completed).await.expect(200);
        app.stripe.settle(&session, "failed").await;
        let failed = app.stripe.event("checkout.session.async_payment_failed", &session).await;
        app.deliver(&failed).await.expect(200);
        assert_eq!((state(&app, &session).await, app.credits("user_1").await), ("failed", 0));
        // The first report arrives again in another event and changes nothing.
        app.deliver(&another(&completed, "evt_late", "checkout.session.completed", "unpaid")).await.expect(200);
        assert_eq!((state(&app, &session).await, app.credits("user_1").await), ("failed", 0));
        assert_eq!(stored(&app, &session).await.paid_at_ms, None);
        app.finish().await;
    }

    async fn a_payment_that_is_reported_late_wins_over_expired_and_failed(backend: Backend) {
        let app = TestApp::start(backend).await;
        for (end, name) in
            [("expired", "checkout.session.expired"), ("failed", "checkout.session.async_payment_failed")]
        {
            let account = format!("user_{end}");
            let (session, event) = app.pay_session(&account, 250).await;
            app.deliver(&another(&event, &format!("evt_{end}"), name, "unpaid")).await.expect(200);
            assert_eq!((state(&app, &session).await, app.credits(&account).await), (end, 0));
            app.deliver(&event).await.expect(200);
            assert_eq!((state(&app, &session).await, app.credits(&account).await), ("paid", 250));
        }
        app.finish().await;
    }

    async fn an_expired_checkout_is_never_credited(backend: Backend) {
        let app = TestApp::start(backend).await;
        let session = app.open_session("user_1", 250).await;
        let (status, _) = app.stripe.post(&format!("/v1/checkout/sessions/{session}/expire"), &[]).await;
        assert_eq!(status, 200);
        let event = app.stripe.event("checkout.session.expired", &session).await;
        app.deliver(&event).await.expect(200);
        assert_eq!((state(&app, &session).await, app.credits("user_1").await), ("expired", 0));
        assert_eq!(rows(&app.app.db).await.events, 1);
        app.finish().await;
    }

    async fn a_declined_card_changes_nothing_and_the_next_card_pays(backend: Backend) {
        let app = TestApp::start(backend).await;
        let session = app.open_session("user_1", 250).await;
        assert_eq!(app.stripe.pay(&session, "pm_card_visa_chargeDeclined").await.0, 402);
        for event_type in ["payment_intent.payment_failed", "charge.failed"] {
            let list = app.stripe.get(&format!("/v1/events?type={event_type}")).await;
            app.deliver(&list["data"][0]).await.expect(200);
        }
        assert_eq!((state(&app, &session).await, app.credits("user_1").await), ("open", 0));
        assert_eq!(app.stripe.pay(&session, "pm_card_visa").await.0, 200);
        let event = app.stripe.event("checkout.session.completed", &session).await;
        app.deliver(&event).await.expect(200);
        assert_eq!((state(&app, &session).await, app.credits("user_1").await), ("paid", 250));
        app.finish().await;
    }

    async fn news_in_every_order_end_paid_and_credited_once(backend: Backend) {
        let app = TestApp::start(backend).await;
        for number in 0..6 {
            let account = format!("user_{number}");
            let (session, completed) = delayed(&app, &account).await;
            app.stripe.settle(&session, "succeeded").await;
            let succeeded = app.stripe.event("checkout.session.async_payment_succeeded", &session).await;
            let expired = another(&completed, &format!("evt_expired_{number}"), "checkout.session.expired", "unpaid");
            let order = &permutations(&[completed, succeeded, expired])[number];
            let types: Vec<&Value> = order.iter().map(|event| &event["type"]).collect();
            let mut seen_paid = false;
            for event in order {
                app.deliver(event).await.expect(200);
                seen_paid |= event["type"] == json!("checkout.session.async_payment_succeeded");
                let credits = if seen_paid { 250 } else { 0 };
                assert_eq!(app.credits(&account).await, credits, "{types:?}");
            }
            assert_eq!(state(&app, &session).await, "paid", "{types:?}");
        }
        assert_eq!(rows(&app.app.db).await.entries, 6);
        app.finish().await;
    }
}
