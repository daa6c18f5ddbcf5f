//! When a failure counts as open, in whatever order the records are written.

use serde_json::{Value, json};
use topup::inbox::failed_deliveries::replay_all;
use topup::inbox::failed_events::{FailureCursor, FailureFilter, FailureKind, FailureState, OpenFailures};
use topup::ports::Clock;
use topup::providers::stripe::name::NAME as STRIPE;

use super::{NOT_HANDLED, failed, failure, record};
use crate::on_both_databases;
use crate::support::TestApp;
use crate::support::books::{Books, NOW_MS};

const NONE: OpenFailures = OpenFailures { transient: 0, permanent: 0 };

on_both_databases! {
    async fn a_failure_that_is_recorded_after_a_success_is_not_open(backend: Backend) {
        let books = Books::open(backend).await;
        let report = books.opened(1).await;
        let event = report.event.clone().expect("an event").0;
        books.apply(report).await.expect("applied");
        for kind in FailureKind::ALL {
            record(&books.db, failure(event.as_str(), kind, Some("{}"), NOW_MS + 5)).await;
            assert!(!books.db.has_open_failure(STRIPE, event.as_str()).await.expect("readable"));
            assert_eq!(books.db.open_failures().await.expect("readable"), NONE);
            assert_eq!(failed(&books.db, event.as_str()).await.resolved_at, Some(NOW_MS));
            assert!(books.db.replayable_events(&FailureCursor::OLDEST, 10).await.expect("readable").is_empty());
            for (state, count) in [(FailureState::Open, 0), (FailureState::Resolved, 1)] {
                let filter = FailureFilter { state: Some(state), kind: None };
                let page = books.db.failed_events(filter, &FailureCursor::NEWEST, 10).await.expect("readable");
                assert_eq!(page.len(), count, "{state:?}");
            }
        }
        books.finish().await;
    }

    async fn failures_are_open_until_their_event_is_decided(backend: Backend) {
        let books = Books::open(backend).await;
        let report = books.opened(1).await;
        let event = report.event.clone().expect("an event").0;
        record(&books.db, failure(event.as_str(), FailureKind::Transient, None, NOW_MS)).await;
        record(&books.db, failure("evt_other", FailureKind::Permanent, None, NOW_MS)).await;
        assert!(books.db.has_open_failure(STRIPE, event.as_str()).await.expect("readable"));
        let open = books.db.open_failures().await.expect("readable");
        assert_eq!(open, OpenFailures { transient: 1, permanent: 1 });
        books.apply(report).await.expect("applied");
        let open = books.db.open_failures().await.expect("readable");
        assert_eq!(open, OpenFailures { transient: 0, permanent: 1 });
        books.finish().await;
    }

    async fn what_was_foreign_and_fails_again_is_open_again(backend: Backend) {
        let app = TestApp::start(backend).await;
        let (_, event) = app.pay_session("user_1", 250).await;
        let id = event["id"].as_str().expect("an id");
        let mut unreadable = event.clone();
        unreadable["data"]["object"]["amount_total"] = json!("289");
        let mut elsewhere = event.clone();
        elsewhere["data"]["object"]["metadata"]["topupId"] = json!("topup_00000000000000000000000000000001");
        app.deliver(&unreadable).await.expect_problem(500, "internal_error");
        app.deliver(&elsewhere).await.expect(200);
        assert!(failed(&app.app.db, id).await.resolved_at.is_some());
        app.deliver(&unreadable).await.expect_problem(500, "internal_error");
        assert_eq!(failed(&app.app.db, id).await.resolved_at, None);
        app.deliver(&event).await.expect(200);
        assert!(failed(&app.app.db, id).await.resolved_at.is_some());
        assert_eq!(app.credits("user_1").await, 250);
        app.finish().await;
    }

    async fn an_event_without_an_id_is_one_record_however_often_it_is_replayed(backend: Backend) {
        let app = TestApp::start(backend).await;
        let (_, mut event) = app.pay_session("user_1", 250).await;
        event["id"] = Value::Null;
        app.deliver(&event).await.expect_problem(500, "internal_error");
        for _ in 0..2 {
            let mut told = Vec::new();
            replay_all(&app.app, |id, replayed| told.push((id.to_owned(), replayed.outcome()))).await.expect("runs");
            assert_eq!(told.len(), 1);
            assert!(told[0].0.starts_with("unidentified_") && told[0].1 == "failed", "{told:?}");
        }
        assert_eq!(app.app.db.open_failures().await.expect("readable"), OpenFailures { transient: 1, permanent: 0 });
        app.finish().await;
    }

    async fn all_that_failed_for_now_is_replayed_once_the_oldest_first(backend: Backend) {
        let app = TestApp::start(backend).await;
        let now_ms = app.clock.now_ms();
        // More than a page, which would be found again and again if a replay moved them to the end.
        for number in 0..120 {
            let payload = if number % 2 == 0 { NOT_HANDLED } else { r#"{"id":"evt_1","type":"refund.failed"}"# };
            record(&app.app.db, failure(&format!("evt_{number:03}"), FailureKind::Transient, Some(payload), now_ms - 1_000 + number))
                .await;
        }
        record(&app.app.db, failure("evt_permanent", FailureKind::Permanent, Some(NOT_HANDLED), now_ms)).await;
        record(&app.app.db, failure("evt_later", FailureKind::Transient, Some(NOT_HANDLED), now_ms + 3_600_000)).await;
        let mut told = Vec::new();
        replay_all(&app.app, |id, replayed| told.push((id.to_owned(), replayed.is_resolved()))).await.expect("runs");
        let expected: Vec<_> = (0..120).map(|number| (format!("evt_{number:03}"), number % 2 == 0)).collect();
        assert_eq!(told, expected);
        assert_eq!(app.app.db.open_failures().await.expect("readable"), OpenFailures { transient: 61, permanent: 1 });
        app.finish().await;
    }
}
