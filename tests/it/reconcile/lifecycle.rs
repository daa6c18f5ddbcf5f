//! Runs: when one is due, that only one runs at a time, and what is recorded about them.

use std::sync::Arc;

use serde_json::json;
use topup::app::App;
use topup::reconcile::schedule::run_if_due;
use topup::reconcile::{Ended, ReconcileError, reconcile};

use super::{compare, options};
use crate::on_both_databases;
use crate::support::app::http_client;
use crate::support::{Options, TestApp};

async fn due(app: &Arc<App>) -> Result<Option<Ended>, ReconcileError> {
    run_if_due(app, std::future::pending()).await
}

/// A scheduled run that is held at its first request to Stripe.
async fn held_run(app: &TestApp) -> tokio::task::JoinHandle<Result<Option<Ended>, ReconcileError>> {
    app.stripe.fault(json!({ "method": "GET", "path": "/v1/checkout/sessions", "times": 1, "kind": "hold" })).await;
    let inside = app.app.clone();
    let run = tokio::spawn(async move { due(&inside).await });
    app.stripe.wait_for_holds(1).await;
    run
}

async fn states(app: &TestApp) -> Vec<String> {
    app.app.db.reconciliations(100).await.expect("readable").into_iter().map(|run| run.state).collect()
}

on_both_databases! {
    async fn a_scheduled_run_is_due_when_the_last_one_began_long_enough_ago(backend: Backend) {
        let app = TestApp::start(backend).await;
        app.pay_session("user_1", 250).await;
        assert!(due(&app.app).await.expect("an end").is_some_and(|ended| ended.is_clean()));
        assert_eq!(app.credits("user_1").await, 250);
        assert!(due(&app.app).await.expect("an end").is_none(), "one is enough");
        let later = "UPDATE reconciliations SET started_at = started_at - 86399000";
        app.app.db.execute_raw(later).await.expect("done");
        assert!(due(&app.app).await.expect("an end").is_none(), "a second is missing");
        let later = "UPDATE reconciliations SET started_at = started_at - 1000";
        app.app.db.execute_raw(later).await.expect("done");
        assert!(due(&app.app).await.expect("an end").is_some());
        assert_eq!(states(&app).await, ["finished", "finished"], "what was not due left no row");
        app.finish().await;
    }

    async fn a_run_by_command_does_not_replace_the_scheduled_one(backend: Backend) {
        let app = TestApp::start(backend).await;
        compare(&app.app).await;
        assert!(due(&app.app).await.expect("an end").is_some());
        app.finish().await;
    }

    async fn a_run_that_failed_is_tried_again_after_a_while(backend: Backend) {
        let app = TestApp::start(backend).await;
        app.stripe.fault(json!({ "path": "/v1/disputes", "times": 1, "kind": "status", "status": 401 })).await;
        assert!(due(&app.app).await.expect("an end").is_some_and(|ended| ended.incomplete.is_some()));
        assert!(due(&app.app).await.expect("an end").is_none());
        let later = "UPDATE reconciliations SET started_at = started_at - 900000";
        app.app.db.execute_raw(later).await.expect("done");
        assert!(due(&app.app).await.expect("an end").is_some_and(|ended| ended.is_clean()));
        app.finish().await;
    }

    async fn the_schedule_can_be_switched_off(backend: Backend) {
        let app = TestApp::start_with(backend, Options::default().setting("RECONCILE_EVERY_HOURS", "0")).await;
        assert!(due(&app.app).await.expect("an end").is_none());
        assert_eq!(states(&app).await, Vec::<String>::new());
        app.finish().await;
    }

    async fn while_one_process_compares_no_other_does(backend: Backend) {
        let app = TestApp::start(backend).await;
        app.pay_session("user_1", 250).await;
        let first = held_run(&app).await;
        let other = app.start_replica().await;
        assert!(due(&other).await.expect("an end").is_none());
        assert_eq!(states(&app).await, ["running"]);
        app.stripe.release().await;
        assert!(first.await.expect("no panic").expect("an end").is_some());
        assert!(due(&other).await.expect("an end").is_none(), "it is not due any more");
        other.db.close().await;
        app.finish().await;
    }

    async fn an_expired_lease_is_taken_over_and_the_first_one_is_not_the_latest_word(backend: Backend) {
        let app = TestApp::start(backend).await;
        app.pay_session("user_1", 250).await;
        let first = held_run(&app).await;
        app.app.db.execute_raw("UPDATE leases SET lease_until = 0").await.expect("done");
        assert_eq!(states(&app).await, ["interrupted"]);
        let other = app.start_replica().await;
        assert!(due(&other).await.expect("an end").is_some_and(|ended| ended.report.missing_credits_sum == 250));
        app.stripe.release().await;
        assert!(matches!(first.await.expect("no panic"), Err(ReconcileError::TakenOver)));
        assert_eq!(states(&app).await, ["finished", "interrupted"]);
        assert_eq!(app.credits("user_1").await, 250);
        other.db.close().await;
        app.finish().await;
    }

    async fn a_run_that_is_told_to_stop_keeps_what_it_has_and_blocks_nothing(backend: Backend) {
        let app = TestApp::start(backend).await;
        app.pay_session("user_1", 250).await;
        app.stripe.fault(json!({ "path": "/v1/refunds", "times": 1, "kind": "hold" })).await;
        let stop = app.stripe.wait_for_holds(1);
        let stopped = reconcile(&app.app, options(), stop).await;
        assert!(matches!(stopped, Err(ReconcileError::Stopped)), "{stopped:?}");
        app.stripe.release().await;
        assert_eq!(app.credits("user_1").await, 250);
        assert_eq!(states(&app).await, ["failed"]);
        assert!(compare(&app.app).await.is_clean());
        app.finish().await;
    }

    async fn runs_are_read_by_the_operator_and_by_nobody_else(backend: Backend) {
        let app = TestApp::start_with(backend, Options::default().setting("JWT_ADMIN_SCOPE", "credits:admin")).await;
        let url = format!("{}/admin/reconciliations", app.url);
        let get = async |path: &str, token: String| app.send(http_client().get(format!("{url}{path}")).bearer_auth(token)).await;
        let admin = || app.admin_token();
        get("/latest", admin()).await.expect_problem(404, "not_found");
        app.pay_session("user_1", 250).await;
        let ended = compare(&app.app).await;
        for path in ["/latest", &format!("/{}", ended.id)] {
            let run = get(path, admin()).await.expect(200);
            assert_eq!((&run["id"], &run["state"], &run["leftOver"]), (&json!(ended.id), &json!("finished"), &json!(0)));
            assert_eq!((&run["cause"], &run["dryRun"]), (&json!("command"), &json!(false)));
            assert_eq!(run["report"]["missingCreditsSum"], 250);
        }
        let list = get("?limit=5", admin()).await.expect(200);
        assert_eq!((list["data"].as_array().map(Vec::len), &list["data"][0]["report"]), (Some(1), &json!(null)));
        get("?limit=0", admin()).await.expect_problem(400, "invalid_request");
        get("/reconciliation_of_nobody", admin()).await.expect_problem(404, "not_found");
        for path in ["", "/latest"] {
            get(path, app.token("user_1")).await.expect_problem(403, "admin_required");
            assert_eq!(app.get(&format!("/admin/reconciliations{path}")).await.status, 401);
        }
        app.finish().await;
    }
}
