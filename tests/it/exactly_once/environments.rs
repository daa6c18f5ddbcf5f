//! Staging and production on one Stripe account, and a write lost after Stripe's answer.

use crate::on_both_databases;
use crate::support::TestApp;
use crate::support::books::{Rows, rows};

use super::{state, stored};

on_both_databases! {
    async fn two_environments_on_one_stripe_account_credit_only_their_own(backend: Backend) {
        // Known mistake 21.
        let production = TestApp::start(backend).await;
        let staging = production.start_beside(backend).await;
        let (production_session, production_event) = production.pay_session("user_1", 250).await;
        let (staging_session, staging_event) = staging.pay_session("user_1", 400).await;
        // Stripe delivers every event to both endpoints.
        for app in [&production, &staging] {
            for event in [&production_event, &staging_event, &production_event] {
                app.deliver(event).await.expect(200);
            }
        }
        assert_eq!((production.credits("user_1").await, staging.credits("user_1").await), (250, 400));
        for (app, own, other) in
            [(&production, &production_session, &staging_session), (&staging, &staging_session, &production_session)]
        {
            assert_eq!(rows(&app.app.db).await, Rows { events: 1, failed: 0, entries: 1, accounts: 1, paid: 1 });
            assert_eq!(app.session_state("user_1", own).await, "paid");
            app.get_as("user_1", &format!("/credits/sessions/{other}")).await.expect_problem(404, "not_found");
        }
        staging.finish().await;
        production.finish().await;
    }

    async fn a_purchase_whose_session_was_never_stored_is_credited_and_its_session_filled_in(backend: Backend) {
        // Known mistake 24: Stripe answered, and our write was lost.
        let app = TestApp::start(backend).await;
        let (session, event) = app.pay_session("user_1", 250).await;
        let lost = "UPDATE topups SET provider_session_id = NULL, session_url = NULL, state = 'creating'";
        app.app.db.execute_raw(lost).await.expect("done");
        app.get_as("user_1", &format!("/credits/sessions/{session}")).await.expect_problem(404, "not_found");
        app.deliver(&event).await.expect(200);
        assert_eq!((app.credits("user_1").await, state(&app, &session).await), (250, "paid"));
        assert_eq!(app.session_state("user_1", &session).await, "paid");
        app.finish().await;
    }

    async fn a_delayed_payment_of_a_lost_session_fills_it_in_and_is_credited_later(backend: Backend) {
        // Known mistake 24.
        let app = TestApp::start(backend).await;
        let session = app.open_session("user_1", 250).await;
        app.stripe.pay(&session, "pm_sandbox_delayed").await;
        let lost = "UPDATE topups SET provider_session_id = NULL, session_url = NULL, state = 'creating'";
        app.app.db.execute_raw(lost).await.expect("done");
        app.deliver(&app.stripe.event("checkout.session.completed", &session).await).await.expect(200);
        assert_eq!(stored(&app, &session).await.state.as_str(), "processing");
        app.stripe.settle(&session, "succeeded").await;
        app.deliver(&app.stripe.event("checkout.session.async_payment_succeeded", &session).await).await.expect(200);
        assert_eq!((app.credits("user_1").await, state(&app, &session).await), (250, "paid"));
        app.finish().await;
    }
}
