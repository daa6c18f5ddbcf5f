//! Many concurrent requests about one payment, or about one account.

use futures_util::future::{join, join_all};

use super::another;
use crate::on_both_databases;
use crate::support::TestApp;
use crate::support::books::{Rows, rows};

const ONE: Rows = Rows { events: 1, failed: 0, entries: 1, accounts: 1, paid: 1 };

on_both_databases! {
    async fn the_same_event_fifty_times_at_once_is_credited_once_and_always_accepted(backend: Backend) {
        // Known mistake 5.
        let app = TestApp::start(backend).await;
        let (_, event) = app.pay_session("user_1", 250).await;
        for answer in join_all((0..50).map(|_| app.deliver(&event))).await {
            answer.expect(200);
        }
        assert_eq!((app.credits("user_1").await, rows(&app.app.db).await), (250, ONE));
        app.finish().await;
    }

    async fn different_events_about_one_payment_at_once_are_credited_once(backend: Backend) {
        // Known mistake 6.
        let app = TestApp::start(backend).await;
        let (_, event) = app.pay_session("user_1", 250).await;
        let events = [
            event.clone(),
            another(&event, "evt_async", "checkout.session.async_payment_succeeded", "paid"),
            another(&event, "evt_second", "checkout.session.completed", "paid"),
        ];
        let deliveries = events.iter().cycle().take(30).map(|event| app.deliver(event));
        for answer in join_all(deliveries).await {
            answer.expect(200);
        }
        assert_eq!((app.credits("user_1").await, rows(&app.app.db).await), (250, Rows { events: 3, ..ONE }));
        app.finish().await;
    }

    async fn the_webhook_and_the_return_page_at_once_are_credited_once(backend: Backend) {
        // Known mistakes 6 and 20.
        let app = TestApp::start(backend).await;
        for number in 0..5 {
            let account = format!("user_{number}");
            let (session, event) = app.pay_session(&account, 250).await;
            let path = format!("/credits/sessions/{session}");
            let page = join_all((0..20).map(|_| app.get_as(&account, &path)));
            let webhook = join_all((0..20).map(|_| app.deliver(&event)));
            let (pages, deliveries) = join(page, webhook).await;
            for answer in pages.into_iter().chain(deliveries) {
                answer.expect(200);
            }
            assert_eq!(
                (app.credits(&account).await, app.session_state(&account, &session).await),
                (250, "paid".to_owned())
            );
        }
        assert_eq!(rows(&app.app.db).await, Rows { events: 5, failed: 0, entries: 5, accounts: 5, paid: 5 });
        app.finish().await;
    }

    async fn forty_purchases_of_one_account_at_once_add_up(backend: Backend) {
        // Known mistake 4.
        let app = TestApp::start(backend).await;
        let mut events = Vec::new();
        for number in 1..=40 {
            events.push(app.pay_session("user_1", 100 + number).await.1);
        }
        for answer in join_all(events.iter().chain(&events).take(60).map(|event| app.deliver(event))).await {
            answer.expect(200);
        }
        assert_eq!(app.credits("user_1").await, 40 * 100 + 40 * 41 / 2);
        assert_eq!(rows(&app.app.db).await, Rows { events: 40, failed: 0, entries: 40, accounts: 1, paid: 40 });
        app.finish().await;
    }
}
