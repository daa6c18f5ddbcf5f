//! The main flow from end to end.

use crate::on_both_databases;
use crate::support::{Options, TestApp, until};

on_both_databases! {
    async fn a_customer_pays_and_the_webhook_credits_the_account(backend: Backend) {
        let app = TestApp::start_with(backend, Options::with_webhooks()).await;
        assert_eq!(app.credits("user_1").await, 0);
        let session = app.open_session("user_1", 250).await;
        assert_eq!(app.stripe.pay(&session, "pm_card_visa").await.0, 200);
        until("the credits", async || (app.credits("user_1").await == 250).then_some(())).await;
        assert_eq!(app.session_state("user_1", &session).await, "paid");
        let ledger = app.get_as("user_1", "/credits/transactions").await.expect(200);
        assert_eq!((&ledger["data"][0]["credits"], &ledger["data"][0]["balanceAfter"]), (&250.into(), &250.into()));
        app.finish().await;
    }
}
