//! Payloads contain personal data: they are erased in time, and the record of the event stays.

use futures_util::future::join_all;
use serde_json::{Value, json};
use topup::access::api_keys::Scope;
use topup::inbox::failed_deliveries::{erase_old_payloads, erasing_job};
use topup::inbox::failed_events::FailureKind;
use topup::ports::Clock;

use super::{api_key, failed, failed_purchase, failure, get, record, replay};
use crate::on_both_databases;
use crate::support::books::{Books, NOW_MS};
use crate::support::clock::TestClock;
use crate::support::{Backend, Options, TestApp};

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

on_both_databases! {
    async fn the_payload_is_gone_after_its_days_and_the_row_is_there(backend: Backend) {
        let app = TestApp::start(backend).await;
        let key = api_key(&app, Scope::Admin, None).await;
        let (event, id) = failed_purchase(&app, "user_1").await;
        let path = format!("/admin/webhook-events/{id}");
        let shown = get(&app, &key, &path).await.expect(200);
        let payload: Value = serde_json::from_str(shown["payload"].as_str().expect("a text")).expect("JSON");
        assert_eq!(payload, event, "what is kept is what came");

        let (job, stop) = (erasing_job(), tokio_util::sync::CancellationToken::new());
        app.clock.advance_ms(30 * DAY_MS - 60_000);
        job.run_once(&app.app, &stop).await;
        assert_eq!(get(&app, &key, &path).await.expect(200)["event"]["payloadState"], "kept");
        app.clock.advance_ms(60_000);
        job.run_once(&app.app, &stop).await;
        let shown = get(&app, &key, &path).await.expect(200);
        assert_eq!((&shown["payload"], &shown["event"]["payloadState"]), (&Value::Null, &json!("erased")));
        assert_eq!((&shown["event"]["attempts"], &shown["event"]["state"]), (&json!(1), &json!("open")));

        let problem = replay(&app, &key, &id).await.expect_problem(409, "payload_erased");
        assert!(problem["detail"].to_string().contains("resend the event from Stripe's dashboard"), "{problem}");
        // Resent, it is credited, and there is nothing left to replay.
        app.deliver(&event).await.expect(200);
        assert_eq!(app.credits("user_1").await, 250);
        assert_eq!(replay(&app, &key, &id).await.expect(200)["outcome"], "already_resolved");
        app.finish().await;
    }

    async fn a_replay_makes_a_payload_no_younger_and_a_delivery_does(backend: Backend) {
        let app = TestApp::start(backend).await;
        let key = api_key(&app, Scope::Admin, None).await;
        let (_, mut event) = app.pay_session("user_1", 250).await;
        event["data"]["object"]["amount_total"] = json!("289");
        let id = event["id"].as_str().expect("an id");
        let erase = async || {
            erase_old_payloads(&app.app.db, app.clock.as_ref(), 30).await.expect("erases");
            failed(&app.app.db, id).await.has_payload == 0
        };
        app.deliver(&event).await.expect_problem(500, "internal_error");
        app.clock.advance_ms(20 * DAY_MS);
        assert_eq!(replay(&app, &key, id).await.expect(200)["event"]["attempts"], 2);
        app.clock.advance_ms(10 * DAY_MS);
        assert!(erase().await, "it came 30 days ago");
        app.deliver(&event).await.expect_problem(500, "internal_error");
        app.clock.advance_ms(29 * DAY_MS);
        assert!(!erase().await, "it came again 29 days ago");
        app.clock.advance_ms(DAY_MS);
        assert!(erase().await);
        app.finish().await;
    }

    async fn with_no_days_payloads_are_not_kept_at_all(backend: Backend) {
        let app = TestApp::start_with(backend, Options::default().setting("WEBHOOK_PAYLOAD_DAYS", "0")).await;
        let key = api_key(&app, Scope::Admin, None).await;
        let (event, id) = failed_purchase(&app, "user_1").await;
        let shown = get(&app, &key, &format!("/admin/webhook-events/{id}")).await.expect(200);
        assert_eq!((&shown["payload"], &shown["event"]["payloadState"]), (&Value::Null, &json!("none")));
        replay(&app, &key, &id).await.expect_problem(409, "payload_erased");
        app.deliver(&event).await.expect(200);
        assert_eq!(app.credits("user_1").await, 250);
        app.finish().await;
    }

    async fn many_payloads_are_erased_by_several_at_once_and_younger_ones_stay(backend: Backend) {
        let books = Books::open(backend).await;
        let clock = TestClock::default();
        let now_ms = clock.now_ms();
        let insert = "INSERT INTO failed_webhook_events (provider_event_id, provider, type, kind, error, attempts, first_failed_at, \
            last_failed_at, payload, payload_at) WITH RECURSIVE numbers (n) AS \
            (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 1000) \
            SELECT 'evt_' || n, 'stripe', 'x', 'transient', 'x', 1, 5, 5, 'personal', 5 FROM numbers";
        books.db.execute_raw(insert).await.expect("done");
        record(&books.db, failure("evt_young", FailureKind::Transient, Some("{}"), now_ms - 29 * DAY_MS)).await;
        let erased = join_all((0..4).map(|_| erase_old_payloads(&books.db, &clock, 30))).await;
        let erased: u64 = erased.into_iter().map(|erased| erased.expect("erases")).sum();
        assert_eq!(erased, 1_000, "each once");
        assert!(!books.db.has_payload_until(NOW_MS - 1_000 * DAY_MS).await.expect("readable"));
        assert_eq!(failed(&books.db, "evt_young").await.has_payload, 1);
        assert_eq!(books.rows().await.failed, 1_001);
        books.finish().await;
    }
}

#[tokio::test]
async fn what_was_erased_is_not_left_in_the_free_space_of_the_sqlite_file() {
    let marker = "customer@example.com";
    let books = Books::open(Backend::Sqlite).await;
    let url = books.database.url.clone();
    let file = url.strip_prefix("sqlite://").expect("a file");
    // Closed, so that everything is in the file itself.
    let holds_marker = || {
        let bytes = std::fs::read(file).expect("readable");
        bytes.windows(marker.len()).any(|window| window == marker.as_bytes())
    };
    for (event, payload) in [("evt_short", marker.to_owned()), ("evt_long", marker.repeat(5_000))] {
        record(&books.db, failure(event, FailureKind::Transient, Some(&payload), 1)).await;
    }
    books.db.close().await;
    assert!(holds_marker());
    let db = books.database.connect().await;
    assert_eq!(erase_old_payloads(&db, &TestClock::default(), 0).await.expect("erases"), 2);
    db.close().await;
    assert!(!holds_marker());
}
