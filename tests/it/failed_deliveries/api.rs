//! The operator's API.

use futures_util::future::{join, join_all};
use serde_json::{Value, json};
use topup::access::api_keys::Scope;
use topup::inbox::failed_events::FailureKind;
use topup::ports::Clock;

use super::{
    NOT_HANDLED, api_key, break_database, failed, failed_purchase, failure, get, record, repair_database, replay,
};
use crate::on_both_databases;
use crate::support::app::{http_client, sign_token};
use crate::support::books::{Rows, rows};
use crate::support::{Options, TestApp};

fn ids(page: &Value) -> Vec<&str> {
    page["data"].as_array().expect("a list").iter().map(|event| event["id"].as_str().expect("an id")).collect()
}

on_both_databases! {
    async fn a_replay_credits_what_failed_and_marks_it_resolved(backend: Backend) {
        let app = TestApp::start(backend).await;
        let key = api_key(&app, Scope::Admin, None).await;
        let (_, event) = failed_purchase(&app, "user_1").await;
        let open = get(&app, &key, "/admin/webhook-events").await.expect(200);
        let listed = &open["data"][0];
        assert_eq!(
            (&listed["id"], &listed["state"], &listed["kind"], &listed["attempts"], &listed["payloadState"]),
            (&json!(event), &json!("open"), &json!("transient"), &json!(1), &json!("kept"))
        );
        assert_eq!(app.credits("user_1").await, 0);

        let replayed = replay(&app, &key, &event).await.expect(200);
        assert_eq!((&replayed["outcome"], &replayed["detail"]), (&json!("decided"), &json!("credited")));
        assert_eq!(replayed["event"]["state"], "resolved");
        assert_eq!(app.credits("user_1").await, 250);
        assert_eq!(ids(&get(&app, &key, "/admin/webhook-events").await.expect(200)), Vec::<&str>::new());
        let resolved = get(&app, &key, "/admin/webhook-events?state=resolved").await.expect(200);
        assert_eq!(ids(&resolved), [event.as_str()]);
        assert!(resolved["data"][0]["resolvedAt"].is_string(), "{resolved}");

        let again = replay(&app, &key, &event).await.expect(200);
        assert_eq!((&again["outcome"], &again["detail"]), (&json!("decided"), &json!("duplicate")));
        assert_eq!(app.credits("user_1").await, 250);
        app.finish().await;
    }

    async fn a_replay_that_fails_again_says_so_and_is_counted(backend: Backend) {
        let app = TestApp::start(backend).await;
        let key = api_key(&app, Scope::Admin, None).await;
        let (_, event) = failed_purchase(&app, "user_1").await;
        break_database(&app).await;
        let replayed = replay(&app, &key, &event).await.expect(200);
        assert_eq!(replayed["outcome"], "failed");
        assert!(replayed["detail"].as_str().is_some_and(|text| text.starts_with("the database failed")), "{replayed}");
        let now = &replayed["event"];
        assert_eq!((&now["state"], &now["kind"], &now["attempts"]), (&json!("open"), &json!("transient"), &json!(2)));
        repair_database(&app).await;
        assert_eq!(replay(&app, &key, &event).await.expect(200)["outcome"], "decided");
        assert_eq!(app.credits("user_1").await, 250);
        app.finish().await;
    }

    async fn a_replay_while_the_same_event_is_delivered_credits_once(backend: Backend) {
        let app = TestApp::start(backend).await;
        let key = api_key(&app, Scope::Admin, None).await;
        for number in 1..=5 {
            let account = format!("user_{number}");
            let (event, id) = failed_purchase(&app, &account).await;
            let replays = join_all((0..8).map(|_| replay(&app, &key, &id)));
            let deliveries = join_all((0..8).map(|_| app.deliver(&event)));
            let (replays, deliveries) = join(replays, deliveries).await;
            for answer in replays {
                assert_eq!(answer.expect(200)["outcome"], "decided");
            }
            for answer in deliveries {
                answer.expect(200);
            }
            assert_eq!(app.credits(&account).await, 250);
        }
        assert_eq!(rows(&app.app.db).await, Rows { events: 5, failed: 5, entries: 5, accounts: 5, paid: 5 });
        app.finish().await;
    }

    async fn what_contradicts_the_agreement_stays_permanent_with_its_reason(backend: Backend) {
        let app = TestApp::start(backend).await;
        let key = api_key(&app, Scope::Admin, None).await;
        let (_, good) = app.pay_session("user_1", 250).await;
        let id = good["id"].as_str().expect("an id");
        let mut wrong = good.clone();
        wrong["data"]["object"]["amount_total"] = json!(288);
        app.deliver(&wrong).await.expect(200);
        let rejected = replay(&app, &key, id).await.expect(200);
        assert_eq!(rejected["outcome"], "rejected");
        // A transient failure afterwards does not make it less permanent.
        break_database(&app).await;
        app.deliver(&good).await.expect_problem(500, "internal_error");
        repair_database(&app).await;
        let record = failed(&app.app.db, id).await;
        assert_eq!((record.kind.as_str(), record.attempts, record.resolved_at), ("permanent", 3, None));
        assert!(record.error.starts_with("amount_total"), "{}", record.error);
        for (kind, count) in [("permanent", 1), ("transient", 0), ("all", 1)] {
            let page = get(&app, &key, &format!("/admin/webhook-events?kind={kind}")).await.expect(200);
            assert_eq!(ids(&page).len(), count, "{kind}");
        }
        // The record keeps the latest payload, which matches the agreed purchase.
        assert_eq!(replay(&app, &key, id).await.expect(200)["event"]["state"], "resolved");
        assert_eq!(app.credits("user_1").await, 250);
        app.finish().await;
    }

    async fn a_replay_that_turns_out_foreign_is_resolved(backend: Backend) {
        let app = TestApp::start(backend).await;
        let key = api_key(&app, Scope::Admin, None).await;
        record(&app.app.db, failure("evt_1", FailureKind::Transient, Some(NOT_HANDLED), app.clock.now_ms())).await;
        let replayed = replay(&app, &key, "evt_1").await.expect(200);
        assert_eq!((&replayed["outcome"], &replayed["event"]["state"]), (&json!("foreign"), &json!("resolved")));
        // A top-up of another database, which only a lookup reveals.
        let (mut event, id) = failed_purchase(&app, "user_1").await;
        event["data"]["object"]["metadata"]["topupId"] = json!("topup_00000000000000000000000000000001");
        let elsewhere = event.to_string();
        record(&app.app.db, failure(&id, FailureKind::Transient, Some(&elsewhere), app.clock.now_ms())).await;
        let replayed = replay(&app, &key, &id).await.expect(200);
        assert_eq!((&replayed["outcome"], &replayed["event"]["state"]), (&json!("foreign"), &json!("resolved")));
        app.finish().await;
    }

    async fn failures_are_read_in_pages_that_do_not_shift_when_one_fails_again(backend: Backend) {
        let app = TestApp::start(backend).await;
        let key = api_key(&app, Scope::Admin, None).await;
        for number in 1..=5 {
            record(&app.app.db, failure(&format!("evt_{number}"), FailureKind::Transient, None, 1_000 + number)).await;
        }
        // Two in the same millisecond, on both sides of a page boundary.
        record(&app.app.db, failure("evt_4b", FailureKind::Transient, None, 1_004)).await;
        let (mut seen, mut path) = (Vec::new(), "/admin/webhook-events?limit=2".to_owned());
        loop {
            let page = get(&app, &key, &path).await.expect(200);
            seen.extend(ids(&page).into_iter().map(str::to_owned));
            record(&app.app.db, failure("evt_1", FailureKind::Transient, None, 9_000)).await;
            let Some(cursor) = page["nextCursor"].as_str() else { break };
            path = format!("/admin/webhook-events?limit=2&cursor={cursor}");
        }
        assert_eq!(seen, ["evt_5", "evt_4b", "evt_4", "evt_3", "evt_2", "evt_1"]);
        for (query, field) in [
            ("state=shut", "state"),
            ("kind=fatal", "kind"),
            ("limit=0", "limit"),
            ("limit=101", "limit"),
            ("cursor=evt_1", "cursor"),
            ("cursor=1_evt%00", "cursor"),
        ] {
            let answer = get(&app, &key, &format!("/admin/webhook-events?{query}")).await;
            assert_eq!(answer.expect_problem(400, "invalid_request")["errors"][0]["field"], field, "{query}");
        }
        app.finish().await;
    }

    async fn only_the_operator_sees_and_replays_failures(backend: Backend) {
        let app = TestApp::start_with(backend, Options::default().setting("JWT_ADMIN_SCOPE", "credits:admin")).await;
        record(&app.app.db, failure("evt_1", FailureKind::Transient, Some(NOT_HANDLED), app.clock.now_ms())).await;
        let (reader, bound) =
            (api_key(&app, Scope::Read, None).await, api_key(&app, Scope::Admin, Some("user_1")).await);
        let claims = json!({ "sub": "boss", "exp": app.clock.now_ms() / 1_000 + 3_600, "scope": "credits:admin" });
        let paths = ["", "/evt_1", "/evt_1/accept", "/evt_1/close", "/evt_1/replay"];
        for path in paths {
            let request = || {
                let url = format!("{}/admin/webhook-events{path}", app.url);
                match path.rsplit_once('/') {
                    Some((_, "accept" | "close")) => http_client().post(url).json(&json!({ "reason": "a reason" })),
                    Some((_, "replay")) => http_client().post(url),
                    _ => http_client().get(url),
                }
            };
            app.send(request()).await.expect_problem(401, "missing_credentials");
            let customer = app.send(request().bearer_auth(app.token("user_1"))).await;
            customer.expect_problem(403, "admin_required");
            app.send(request().header("x-api-key", &reader)).await.expect_problem(403, "scope_missing");
            app.send(request().header("x-api-key", &bound)).await.expect_problem(403, "account_forbidden");
            assert!(failed(&app.app.db, "evt_1").await.resolved_at.is_none(), "{path}");
            let answer = app.send(request().bearer_auth(sign_token(&claims))).await;
            if path.ends_with("accept") {
                answer.expect_problem(409, "not_acceptable");
            } else {
                answer.expect(200);
            }
        }
        app.finish().await;
    }

    async fn an_operator_closes_what_will_never_have_an_effect(backend: Backend) {
        let app = TestApp::start(backend).await;
        let key = api_key(&app, Scope::Admin, None).await;
        for event in ["evt_1", "evt_2"] {
            record(&app.app.db, failure(event, FailureKind::Permanent, None, app.clock.now_ms())).await;
        }
        let close = async |id: &str, body: serde_json::Value| {
            let url = format!("{}/admin/webhook-events/{id}/close", app.url);
            app.send(http_client().post(url).header("x-api-key", &key).json(&body)).await
        };
        for body in [json!({}), json!({ "reason": "" }), json!({ "reason": 7 }), json!({ "reason": "a\nb" }), json!({ "why": "x" })] {
            assert_eq!(close("evt_1", body.clone()).await.status, 400, "{body}");
        }
        let closed = close("evt_1", json!({ "reason": "given back" })).await.expect(200);
        assert_eq!((&closed["state"], &closed["closeReason"]), (&json!("closed"), &json!("given back")));
        assert!(closed["closedBy"].is_string() && closed["closedAt"].is_string(), "{closed}");
        close("evt_1", json!({ "reason": "again" })).await.expect_problem(409, "not_open");
        close("evt_unknown", json!({ "reason": "why" })).await.expect_problem(404, "not_found");
        assert_eq!(ids(&get(&app, &key, "/admin/webhook-events").await.expect(200)), ["evt_2"]);
        assert_eq!(ids(&get(&app, &key, "/admin/webhook-events?state=closed").await.expect(200)), ["evt_1"]);
        let url = format!("{}/admin/webhook-events/evt_2/close", app.url);
        let customer = http_client().post(url).bearer_auth(app.token("user_1")).json(&json!({ "reason": "mine" }));
        app.send(customer).await.expect_problem(403, "admin_required");
        app.finish().await;
    }

    async fn an_event_of_which_nothing_failed_is_not_found(backend: Backend) {
        let app = TestApp::start(backend).await;
        let key = api_key(&app, Scope::Admin, None).await;
        for id in ["evt_unknown", "%00", "%27"] {
            get(&app, &key, &format!("/admin/webhook-events/{id}")).await.expect_problem(404, "not_found");
            replay(&app, &key, id).await.expect_problem(404, "not_found");
        }
        app.finish().await;
    }
}
