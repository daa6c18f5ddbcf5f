//! Long lists, and a Stripe that does not answer.

use serde_json::json;

use super::{compare, ids, nothing_is_left};
use crate::on_both_databases;
use crate::support::TestApp;

on_both_databases! {
    async fn all_pages_of_a_list_are_read(backend: Backend) {
        let app = TestApp::start(backend).await;
        let (oldest, _) = app.pay_session("user_1", 250).await;
        for _ in 0..105 {
            app.open_session("user_2", 250).await;
        }
        let ended = compare(&app.app).await;
        assert_eq!((ids(&ended.report.missing_credits), ended.report.sessions), (vec![oldest.as_str()], 106));
        // Two pages of checkouts, one of each other list, and the fee.
        assert_eq!(ended.report.requests, 5);
        nothing_is_left(&app).await;
        app.finish().await;
    }

    async fn a_stripe_that_wants_us_to_wait_is_asked_again(backend: Backend) {
        let app = TestApp::start(backend).await;
        app.pay_session("user_1", 250).await;
        for (status, times) in [(429, 2), (500, 1)] {
            let fault = json!({ "method": "GET", "path": "/v1/refunds", "times": times, "kind": "status", "status": status });
            app.stripe.fault(fault).await;
        }
        let ended = compare(&app.app).await;
        assert!(ended.is_clean(), "{:#?}", ended.report);
        assert_eq!(ended.report.requests, 3 + 3 + 1);
        app.finish().await;
    }

    async fn a_list_that_cannot_be_read_fails_the_run_and_does_not_hide_the_others(backend: Backend) {
        let app = TestApp::start(backend).await;
        let (session, _) = app.pay_session("user_1", 250).await;
        let fault = json!({ "method": "GET", "path": "/v1/refunds", "times": 4, "kind": "status", "status": 429 });
        app.stripe.fault(fault).await;
        let ended = compare(&app.app).await;
        assert!(ended.incomplete.as_ref().is_some_and(|reason| reason.contains("refunds")) && !ended.is_clean());
        assert_eq!((ids(&ended.report.not_asked), ids(&ended.report.missing_credits)), (vec!["refunds"], vec![session.as_str()]));
        let run = app.app.db.reconciliation(&ended.id).await.expect("readable").expect("a run");
        assert_eq!((run.state.as_str(), run.report.is_some()), ("failed", true));
        nothing_is_left(&app).await;
        app.finish().await;
    }

    async fn a_stripe_that_is_down_is_soon_left_alone(backend: Backend) {
        let app = TestApp::start(backend).await;
        for _ in 0..5 {
            app.open_session("user_1", 250).await;
        }
        app.app.db.execute_raw("UPDATE topups SET provider_session_id = 'cs_test_' || substr(id, 30), created_at = 0").await.expect("done");
        app.stripe.fault(json!({ "path": "/v1/*", "times": 1_000, "kind": "status", "status": 503 })).await;
        let ended = compare(&app.app).await;
        assert!(!ended.is_clean());
        assert_eq!(ended.report.requests, 12, "three lists, four tries each, and nothing after that");
        app.finish().await;
    }

    async fn what_is_not_understood_is_left_and_does_not_hide_the_others(backend: Backend) {
        let app = TestApp::start(backend).await;
        let (session, event) = app.pay_session("user_1", 250).await;
        app.deliver(&event).await.expect(200);
        let payment = app.payment_of(&session).await;
        for _ in 0..2 {
            app.stripe.control(&format!("payment_intents/{payment}/refund"), json!({ "amount": 50 })).await;
        }
        let mut list = app.stripe.get("/v1/refunds").await;
        list["data"][0]["status"] = json!("in_orbit");
        app.stripe.list_fault("/v1/refunds", json!({ "kind": "patch", "body": list })).await;
        let ended = compare(&app.app).await;
        assert_eq!((ended.report.unreadable.count, ended.report.refunds, ended.is_clean()), (1, 1, false));
        assert_eq!(app.credits("user_1").await, 200);
        app.finish().await;
    }
}
