//! Payments that are declined, made twice, or charged a fee other than expected.

use serde_json::{Value, json};
use topup::providers::stripe::name::NAME as STRIPE;
use topup::reconcile::{MAX_SINCE_DAYS, Options, Pace, RunCause, reconcile};

use super::{Purchase, story};
use crate::on_both_databases;
use crate::support::{TestApp, until};

on_both_databases! {
    async fn a_declined_card_is_shown_leaves_the_session_open_and_is_forgotten_once_paid(backend: Backend) {
        let app = TestApp::start(backend).await;
        let session = app.open_session("user_1", 250).await;
        let page = format!("/credits/sessions/{session}");
        let declined = ["4000000000009995", "4000000000000002"];
        for (number, code) in declined.into_iter().zip(["insufficient_funds", "generic_decline"]) {
            let form = [
                ("card[number]", number),
                ("card[exp_month]", "12"),
                ("card[exp_year]", "2040"),
                ("card[cvc]", "123"),
                ("expected_amount", "289"),
            ];
            assert_eq!(app.stripe.post(&format!("/v1/payment_pages/{session}/confirm"), &form).await.0, 402);
            let list = app.stripe.get("/v1/events?type=payment_intent.payment_failed").await;
            app.deliver(&list["data"][0]).await.expect(200);
            let shown = app.get_as("user_1", &page).await.expect(200);
            assert_eq!((&shown["state"], &shown["declineCode"]), (&json!("open"), &json!(code)));
        }
        let late = app.stripe.get("/v1/events?type=payment_intent.payment_failed").await;
        assert_eq!(app.stripe.pay(&session, "pm_card_visa").await.0, 200);
        let event = app.stripe.event("checkout.session.completed", &session).await;
        app.deliver(&event).await.expect(200);
        let mut late = late["data"][0].clone();
        late["id"] = json!("evt_late");
        app.deliver(&late).await.expect(200);
        let shown = app.get_as("user_1", &page).await.expect(200);
        assert_eq!((&shown["state"], &shown["declineCode"]), (&json!("paid"), &Value::Null));
        assert_eq!(story(&app, "user_1").await, "topup 250");
        app.finish().await;
    }

    async fn a_second_payment_of_a_paid_purchase_is_written_down_and_credits_nothing(backend: Backend) {
        let app = TestApp::start(backend).await;
        let purchase = Purchase::credited(&app, "user_1", "pm_card_visa").await;
        let mut second = purchase.latest(&app, "checkout.session.completed").await;
        second["id"] = json!("evt_second");
        second["data"]["object"]["id"] = json!("cs_test_second");
        second["data"]["object"]["payment_intent"] = json!("pi_second");
        for _ in 0..2 {
            app.deliver(&second).await.expect(200);
        }
        assert_eq!(story(&app, "user_1").await, "topup 250");
        let session = topup::domain::ids::SessionId::parse(STRIPE, &*purchase.session).expect("an id");
        let topup = app.app.db.topup_by_session(&session).await.expect("readable").expect("there");
        let payments = app.app.db.payments_of(&topup.id).await.expect("readable");
        let states: Vec<(&str, &str)> =
            payments.iter().map(|payment| (payment.provider_payment_id.as_str(), payment.state.as_str())).collect();
        assert!(states.contains(&("pi_second", "surplus")) && states.len() == 2, "{states:?}");
        assert!(states.contains(&(purchase.payment.as_str(), "credited")), "{states:?}");
        app.finish().await;
    }

    async fn what_stripe_really_kept_is_stored_whichever_event_comes_first(backend: Backend) {
        let app = TestApp::start(backend).await;
        for (account, order) in [("user_1", [0, 1]), ("user_2", [1, 0])] {
            let purchase = Purchase::paid(&app, account, "pm_card_visa").await;
            let events = ["checkout.session.completed", "charge.updated"];
            for at in order {
                purchase.deliver(&app, events[at]).await;
            }
            let fee_is_known = async || {
                app.learn_fees().await;
                let stored = stored(&app, &purchase).await;
                stored.real_fee.is_some().then_some(stored)
            };
            let stored = until("the fee is known", fee_is_known).await;
            assert_eq!((stored.state.as_str(), stored.real_fee), ("credited", Some(38)), "2.9 % and 30 of 289");
            assert_eq!(stored.real_fee_currency.as_deref(), Some("usd"));
            assert!(stored.provider_charge_id.is_some() && stored.provider_fee_id.is_some());
            assert_eq!(app.credits(account).await, 250);
        }
        app.finish().await;
    }

    async fn the_answer_to_a_delivery_never_depends_on_a_fee_and_no_fee_is_forgotten(backend: Backend) {
        // Known mistake 26.
        let app = TestApp::start(backend).await;
        let purchase = Purchase::credited(&app, "user_1", "pm_card_visa").await;
        let path = "/v1/balance_transactions/*";
        app.stripe.fault(json!({ "path": path, "kind": "status", "status": 429, "times": 1_000 })).await;
        purchase.deliver(&app, "charge.updated").await;
        let is_asked = async || {
            app.learn_fees().await;
            (questions(&app).await > 0).then_some(())
        };
        until("Stripe is asked", is_asked).await;
        let asked = questions(&app).await;
        // Stripe asks for a pause, so no request is sent until it is over.
        app.learn_fees().await;
        assert_eq!((questions(&app).await, stored(&app, &purchase).await.real_fee), (asked, None));
        app.stripe.clear_faults().await;
        app.learn_fees().await;
        assert_eq!(questions(&app).await, asked);
        // Another process, such as the same one after a crash, continues.
        let replica = app.start_replica_with(app.clock.clone()).await;
        app.clock.advance_ms(3_600_000);
        let stop = tokio_util::sync::CancellationToken::new();
        let learned = topup::purchases::fee::learn_fees::learn_fees(&replica, std::time::Duration::ZERO, &stop).await;
        learned.expect("the database works");
        let is_known = async || stored(&app, &purchase).await.real_fee;
        assert_eq!(until("the fee is known", is_known).await, 38);
        assert_eq!(questions(&app).await, asked + 1, "a fee that is known is not asked for");
        app.learn_fees().await;
        assert_eq!(questions(&app).await, asked + 1);
        app.finish().await;
    }

    async fn a_fee_that_stripe_never_tells_is_left_to_the_comparison_of_the_books(backend: Backend) {
        let app = TestApp::start(backend).await;
        let purchase = Purchase::credited(&app, "user_1", "pm_card_visa").await;
        let mut event = purchase.latest(&app, "charge.updated").await;
        event["data"]["object"]["balance_transaction"] = json!("txn_that_stripe_does_not_know");
        app.deliver(&event).await.expect(200);
        let is_given_up = async || {
            app.clock.advance_ms(24 * 3_600_000);
            app.learn_fees().await;
            let due = app.app.db.due_fees(i64::MAX, 10).await.expect("readable");
            due.is_empty().then_some(())
        };
        until("it is given up", is_given_up).await;
        assert_eq!(questions(&app).await, 10);
        assert_eq!(stored(&app, &purchase).await.real_fee, None);
        let pace = Pace { interval: std::time::Duration::ZERO, ..Pace::default() };
        let options = Options { cause: RunCause::Command, dry_run: false, since_days: MAX_SINCE_DAYS, pace };
        reconcile(&app.app, options, std::future::pending()).await.expect("a report");
        assert_eq!(stored(&app, &purchase).await.real_fee, Some(38));
        app.finish().await;
    }
}

async fn stored(app: &TestApp, purchase: &Purchase) -> topup::purchases::payment::payments::Payment {
    let payment = topup::domain::ids::PaymentId::parse(STRIPE, &*purchase.payment).expect("an id");
    app.app.db.payment(&payment).await.expect("readable").expect("there")
}

/// How often Stripe was asked for a fee.
async fn questions(app: &TestApp) -> usize {
    let requests = app.stripe.requests().await;
    let is_fee =
        |request: &&Value| request["path"].as_str().is_some_and(|path| path.starts_with("/v1/balance_transactions/"));
    requests.iter().filter(is_fee).count()
}
