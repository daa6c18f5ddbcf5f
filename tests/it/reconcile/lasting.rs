//! Persistent obstacles, such as a missing permission or a list that is too long: retried rarely, and the rest is still
//! compared. Also the start after an outage.

use serde_json::json;
use topup::reconcile::schedule::{run_after_outage, run_if_due};
use topup::reconcile::{Ended, Obstacle, Options as Comparison, Pace};

use super::{NO_PAUSE, compare_with, ids, options};
use crate::on_both_databases;
use crate::support::{Backend, Options, TestApp};

async fn due(app: &TestApp) -> Option<Ended> {
    run_if_due(&app.app, std::future::pending()).await.expect("an end")
}

async fn started(app: &TestApp) -> Option<Ended> {
    run_after_outage(&app.app, std::future::pending()).await.expect("an end")
}

async fn earlier(app: &TestApp, ms: i64) {
    let sql = format!("UPDATE reconciliations SET started_at = started_at - {ms}");
    app.app.db.execute_raw(Box::leak(sql.into_boxed_str())).await.expect("done");
}

const TWO_HOURS_AGO: &str = "UPDATE topups SET created_at = created_at - 7200000";

on_both_databases! {
    async fn a_missing_permission_is_named_waits_a_whole_interval_and_hides_nothing_else(backend: Backend) {
        let app = TestApp::start(backend).await;
        let (session, _) = app.pay_session("user_1", 250).await;
        app.stripe.control("permissions", json!({ "missing": ["rak_charge_read"] })).await;
        let ended = due(&app).await.expect("a run");
        assert_eq!((ended.obstacle, ids(&ended.report.missing_credits)), (Some(Obstacle::MissingPermission), vec![session.as_str()]));
        let reason = ended.incomplete.expect("a reason");
        assert!(reason.contains("Charges and Refunds: Read") && reason.contains("rak_charge_read"), "{reason}");
        assert_eq!(app.credits("user_1").await, 250);
        let run = app.app.db.reconciliation(&ended.id).await.expect("readable").expect("a run");
        assert_eq!((run.state.as_str(), run.obstacle.as_deref()), ("failed", Some("missing_permission")));
        earlier(&app, 86_399_000).await;
        assert!(due(&app).await.is_none(), "a second is missing to the interval");
        earlier(&app, 1_000).await;
        app.stripe.control("permissions", json!({ "missing": [] })).await;
        assert!(due(&app).await.is_some_and(|ended| ended.is_clean()));
        app.finish().await;
    }

    async fn a_provider_that_fails_again_and_again_is_asked_less_and_less_often(backend: Backend) {
        let app = TestApp::start(backend).await;
        app.stripe.fault(json!({ "path": "/v1/disputes", "times": 3, "kind": "status", "status": 401 })).await;
        for minutes in [15, 30, 60] {
            assert!(due(&app).await.is_some_and(|ended| ended.obstacle == Some(Obstacle::ProviderFailed)));
            earlier(&app, minutes * 60_000 - 10_000).await;
            assert!(due(&app).await.is_none(), "{minutes} minutes are not over");
            earlier(&app, 10_000).await;
        }
        assert!(due(&app).await.is_some_and(|ended| ended.is_clean()));
        app.finish().await;
    }

    async fn of_a_list_that_is_too_long_what_may_have_been_paid_is_still_asked_for(backend: Backend) {
        let app = TestApp::start(backend).await;
        let (oldest, _) = app.pay_session("user_1", 250).await;
        for _ in 0..100 {
            app.open_session("user_2", 250).await;
        }
        let one_page = Comparison { pace: Pace { pages: 1, ..NO_PAUSE }, ..options() };
        let ended = compare_with(&app.app, one_page).await;
        assert_eq!((ended.obstacle, ids(&ended.report.missing_credits)), (Some(Obstacle::TooMany), vec![oldest.as_str()]));
        assert!(ended.incomplete.is_some_and(|reason| reason.contains("RECONCILE_SINCE_DAYS")));
        assert_eq!(app.credits("user_1").await, 250);
        app.finish().await;
    }

    async fn after_an_outage_the_start_compares_once(backend: Backend) {
        let app = TestApp::start(backend).await;
        let (_, event) = app.pay_session("user_1", 250).await;
        assert!(started(&app).await.is_none(), "nothing is old enough to have been missed");
        app.app.db.execute_raw(TWO_HOURS_AGO).await.expect("done");
        let replica = app.start_replica().await;
        let both = futures_util::future::join(started(&app), run_after_outage(&replica, std::future::pending()));
        let (one, two) = both.await;
        assert!(one.is_some() != two.expect("an end").is_some(), "one of two replicas does it");
        assert_eq!(app.credits("user_1").await, 250);
        assert!(started(&app).await.is_none(), "it was compared just now");
        earlier(&app, 3_600_000).await;
        assert!(started(&app).await.is_some());
        earlier(&app, 3_600_000).await;
        app.deliver(&event).await.expect(200);
        assert!(started(&app).await.is_none(), "a delivery came");
        app.app.db.execute_raw("UPDATE webhook_events SET received_at = received_at - 3700000").await.expect("done");
        assert!(started(&app).await.is_some());
        replica.db.close().await;
        app.finish().await;
    }

    async fn a_schedule_that_is_switched_off_compares_at_no_start(backend: Backend) {
        let app = TestApp::start_with(backend, Options::default().setting("RECONCILE_EVERY_HOURS", "0")).await;
        app.pay_session("user_1", 250).await;
        app.app.db.execute_raw(TWO_HOURS_AGO).await.expect("done");
        assert!(started(&app).await.is_none());
        app.finish().await;
    }
}

#[tokio::test]
async fn a_service_that_starts_after_an_outage_credits_what_was_paid_meanwhile() {
    let app = TestApp::start(Backend::Sqlite).await;
    app.pay_session("user_1", 250).await;
    app.app.db.execute_raw(TWO_HOURS_AGO).await.expect("done");
    let database = app.database.back_up().await;
    let app = app.restart_on(database, Options::default()).await;
    crate::support::until("the credits", async || (app.credits("user_1").await == 250).then_some(())).await;
    let compared = async || {
        let runs = app.app.db.reconciliations(10).await.expect("readable");
        runs.iter().all(|run| run.state == "finished").then_some(runs.len())
    };
    assert_eq!(crate::support::until("the end of the run", compared).await, 1);
    app.finish().await;
}
