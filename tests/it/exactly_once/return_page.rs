//! The customer returns before the webhook: Topup asks Stripe, but rarely, and applies the answer like a webhook.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::state;
use crate::on_both_databases;
use crate::support::books::{Rows, rows};
use crate::support::{Options, TestApp};

/// How often Stripe was asked about a session.
async fn questions(app: &TestApp, session: &str) -> usize {
    let path = format!("/v1/checkout/sessions/{session}");
    let requests = app.stripe.requests().await;
    requests.iter().filter(|request| request["method"] == "GET" && request["path"] == path.as_str()).count()
}

/// A paid checkout, and how often Stripe was asked about it before the customer returns.
async fn paid(app: &TestApp, payment_method: &str) -> (String, usize) {
    let session = app.open_session("user_1", 250).await;
    assert_eq!(app.stripe.pay(&session, payment_method).await.0, 200);
    let before = questions(app, &session).await;
    (session, before)
}

async fn fault(app: &TestApp, session: &str, kind: Value) {
    let mut fault = json!({ "method": "GET", "path": format!("/v1/checkout/sessions/{session}"), "times": 1 });
    for (name, value) in kind.as_object().expect("an object") {
        fault[name] = value.clone();
    }
    app.stripe.fault(fault).await;
}

on_both_databases! {
    async fn a_customer_who_comes_back_before_the_webhook_has_the_credits_at_once(backend: Backend) {
        // Known mistake 20.
        let app = TestApp::start(backend).await;
        let (session, before) = paid(&app, "pm_card_visa").await;
        assert_eq!(
            (app.session_state("user_1", &session).await, app.credits("user_1").await),
            ("paid".to_owned(), 250)
        );
        assert_eq!(questions(&app, &session).await, before + 1);
        // Known mistake 6: the webhook comes afterwards.
        let event = app.stripe.event("checkout.session.completed", &session).await;
        for _ in 0..2 {
            app.deliver(&event).await.expect(200);
            assert_eq!(app.credits("user_1").await, 250);
        }
        // Paid is final, so Stripe is not asked again.
        app.clock.advance_ms(60_000);
        assert_eq!(app.session_state("user_1", &session).await, "paid");
        assert_eq!(questions(&app, &session).await, before + 1);
        assert_eq!(rows(&app.app.db).await, Rows { events: 1, failed: 0, entries: 1, accounts: 1, paid: 1 });
        app.finish().await;
    }

    async fn stripe_is_asked_once_in_five_seconds_however_many_look(backend: Backend) {
        let app = TestApp::start(backend).await;
        let session = app.open_session("user_1", 250).await;
        let path = format!("/credits/sessions/{session}");
        for asked in 1..=3 {
            for answer in join_all((0..20).map(|_| app.get_as("user_1", &path))).await {
                assert_eq!(answer.expect(200)["state"], "open");
            }
            assert_eq!(questions(&app, &session).await, asked);
            app.clock.advance_ms(5_000);
        }
        // Another customer's session has its own limit, and a stranger cannot trigger a request.
        let other = app.open_session("user_2", 250).await;
        app.get_as("user_1", &format!("/credits/sessions/{other}")).await.expect_problem(404, "not_found");
        assert_eq!(questions(&app, &other).await, 0);
        app.get_as("user_2", &format!("/credits/sessions/{other}")).await.expect(200);
        assert_eq!(questions(&app, &other).await, 1);
        app.finish().await;
    }

    async fn a_delayed_payment_is_shown_as_processing_and_credited_when_it_has_come(backend: Backend) {
        // Known mistake 7.
        let app = TestApp::start(backend).await;
        let (session, _) = paid(&app, "pm_sandbox_delayed").await;
        assert_eq!(
            (app.session_state("user_1", &session).await, app.credits("user_1").await),
            ("processing".to_owned(), 0)
        );
        app.stripe.settle(&session, "succeeded").await;
        app.clock.advance_ms(5_000);
        assert_eq!(
            (app.session_state("user_1", &session).await, app.credits("user_1").await),
            ("paid".to_owned(), 250)
        );
        app.finish().await;
    }

    async fn a_checkout_that_ended_at_stripe_is_shown_as_expired(backend: Backend) {
        let app = TestApp::start(backend).await;
        let session = app.open_session("user_1", 250).await;
        app.stripe.post(&format!("/v1/checkout/sessions/{session}/expire"), &[]).await;
        assert_eq!(
            (app.session_state("user_1", &session).await, app.credits("user_1").await),
            ("expired".to_owned(), 0)
        );
        app.finish().await;
    }

    async fn when_stripe_is_down_the_customer_sees_what_is_stored(backend: Backend) {
        let options = Options { call_timeout: Duration::from_millis(1_500), ..Options::default() };
        let app = TestApp::start_with(backend, options).await;
        let (session, before) = paid(&app, "pm_card_visa").await;
        let faults = [
            json!({ "kind": "status", "status": 500 }),
            json!({ "kind": "status", "status": 429 }),
            json!({ "kind": "status", "status": 401 }),
            json!({ "kind": "disconnect" }),
            json!({ "kind": "hold" }),
        ];
        for (number, kind) in faults.into_iter().enumerate() {
            fault(&app, &session, kind.clone()).await;
            assert_eq!(app.session_state("user_1", &session).await, "open", "{kind}");
            assert_eq!(questions(&app, &session).await, before + number + 1, "{kind}");
            app.clock.advance_ms(5_000);
        }
        app.stripe.control("release", json!({})).await;
        assert_eq!((app.credits("user_1").await, rows(&app.app.db).await), (0, Rows::default()));
        assert_eq!(
            (app.session_state("user_1", &session).await, app.credits("user_1").await),
            ("paid".to_owned(), 250)
        );
        app.finish().await;
    }

    async fn an_answer_that_is_not_what_was_agreed_is_not_credited(backend: Backend) {
        let app = TestApp::start(backend).await;
        let (session, before) = paid(&app, "pm_card_visa").await;
        let patches = [
            json!({ "amount_total": 288 }),
            json!({ "currency": "eur" }),
            json!({ "livemode": true }),
            json!({ "mode": "setup" }),
            json!({ "client_reference_id": "mallory" }),
            json!({ "metadata": { "credits": "9" } }),
            json!({ "metadata": { "accountId": "mallory" } }),
            json!({ "metadata": { "purpose": "other" } }),
            json!({ "metadata": { "topupId": "topup_00000000000000000000000000000001" } }),
            json!({ "id": "cs_test_other" }),
            json!({ "payment_status": "no_payment_required" }),
        ];
        for (number, body) in patches.into_iter().enumerate() {
            fault(&app, &session, json!({ "kind": "patch", "when": "after", "body": body.clone() })).await;
            assert_eq!(app.session_state("user_1", &session).await, "open", "{body}");
            assert_eq!(questions(&app, &session).await, before + number + 1, "{body}");
            app.clock.advance_ms(5_000);
        }
        assert_eq!((app.credits("user_1").await, state(&app, &session).await), (0, "open"));
        assert_eq!(
            (app.session_state("user_1", &session).await, app.credits("user_1").await),
            ("paid".to_owned(), 250)
        );
        app.finish().await;
    }

    async fn a_database_that_cannot_store_the_answer_shows_what_is_stored_and_loses_nothing(backend: Backend) {
        let app = TestApp::start(backend).await;
        let (session, _) = paid(&app, "pm_card_visa").await;
        app.app.db.execute_raw("ALTER TABLE ledger_entries RENAME TO ledger_entries_away").await.expect("done");
        assert_eq!(app.session_state("user_1", &session).await, "open");
        app.app.db.execute_raw("ALTER TABLE ledger_entries_away RENAME TO ledger_entries").await.expect("done");
        assert_eq!((app.credits("user_1").await, state(&app, &session).await), (0, "open"));
        app.clock.advance_ms(5_000);
        assert_eq!(
            (app.session_state("user_1", &session).await, app.credits("user_1").await),
            ("paid".to_owned(), 250)
        );
        app.finish().await;
    }
}
