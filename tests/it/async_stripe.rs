//! The client used for the real Stripe parses every answer of the sandbox.

use serde_json::json;
use stripe::{Client, ClientBuilder, StripeError};
use stripe_checkout::checkout_session::{
    ExpireCheckoutSession, ListCheckoutSession, ListLineItemsCheckoutSession, RetrieveCheckoutSession,
};
use stripe_core::balance_transaction::RetrieveBalanceTransaction;
use stripe_core::charge::RetrieveCharge;
use stripe_core::event::{ListEvent, RetrieveEvent};
use stripe_core::payment_intent::RetrievePaymentIntent;
use stripe_misc::webhook_endpoint::ListWebhookEndpoint;
use stripe_shared::{CheckoutSessionPaymentStatus, CheckoutSessionStatus};

use crate::support::stripe::SECRET_KEY;
use crate::support::{Backend, Options, TestApp};

fn client(url: &str, key: &str) -> Client {
    ClientBuilder::new(key).url(format!("{url}/")).build().expect("a client")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_client_parses_every_object_of_a_purchase() {
    let app = TestApp::start_with(Backend::Sqlite, Options::with_webhooks()).await;
    let stripe = client(&app.stripe.url, SECRET_KEY);
    let session = app.open_session("user_1", 250).await;
    assert_eq!(app.stripe.pay(&session, "pm_card_visa").await.0, 200);

    let paid = RetrieveCheckoutSession::new(session.as_str()).send(&stripe).await.expect("parses");
    assert_eq!(paid.payment_status, CheckoutSessionPaymentStatus::Paid);
    // Account, credits, purpose and top-up, and the two entries of the seal.
    assert_eq!((paid.amount_total, paid.metadata.expect("metadata").len()), (Some(289), 6));
    let lines = ListLineItemsCheckoutSession::new(session.as_str()).send(&stripe).await.expect("parses");
    assert_eq!(lines.data.iter().map(|line| line.amount_total).collect::<Vec<_>>(), [250, 39]);
    assert_eq!(ListCheckoutSession::new().send(&stripe).await.expect("parses").data.len(), 1);

    let payment = paid.payment_intent.expect("a payment").id().clone();
    let payment = RetrievePaymentIntent::new(payment).send(&stripe).await.expect("parses");
    assert_eq!((payment.amount, payment.metadata["credits"].as_str()), (289, "250"));
    let charge = payment.latest_charge.expect("a charge").id().clone();
    let charge = RetrieveCharge::new(charge).send(&stripe).await.expect("parses");
    let fee = charge.balance_transaction.expect("it comes at last").id().clone();
    let fee = RetrieveBalanceTransaction::new(fee).send(&stripe).await.expect("parses");
    assert_eq!((fee.amount, fee.fee, fee.net), (289, 38, 251), "Stripe keeps 38 of 289");

    let events = ListEvent::new().limit(100).send(&stripe).await.expect("parses").data;
    assert!(events.len() >= 5, "{}", events.len());
    for event in events {
        let again = RetrieveEvent::new(event.id.clone()).send(&stripe).await.expect("parses");
        assert_eq!(again.id, event.id);
    }
    let endpoints = ListWebhookEndpoint::new().send(&stripe).await.expect("parses");
    assert_eq!(endpoints.data.len(), 1);
    app.stripe.idle().await;
    assert_eq!(app.credits("user_1").await, 250);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_client_parses_an_expired_session_and_every_refusal() {
    let app = TestApp::start(Backend::Sqlite).await;
    let stripe = client(&app.stripe.url, SECRET_KEY);
    let session = app.open_session("user_1", 250).await;
    let expired = ExpireCheckoutSession::new(session.as_str()).send(&stripe).await.expect("parses");
    assert_eq!((expired.status, expired.url), (Some(CheckoutSessionStatus::Expired), None));

    let status = |result: Result<_, StripeError>| match result {
        Err(StripeError::Stripe(error, status)) => {
            assert!(error.request_log_url.is_some_and(|url| url.contains("/req_")), "the request's id is told");
            status
        }
        Err(other) => panic!("not parsed: {other}"),
        Ok(_) => panic!("not refused"),
    };
    let retrieve = RetrieveCheckoutSession::new("cs_test_nobody");
    assert_eq!(status(retrieve.send(&stripe).await), 404);
    assert_eq!(status(retrieve.send(&client(&app.stripe.url, "sk_test_another")).await), 401);
    assert_eq!(status(ExpireCheckoutSession::new(session.as_str()).send(&stripe).await), 400);
    for code in [429, 500] {
        app.stripe.fault(json!({ "path": "/v1/*", "times": 1, "kind": "status", "status": code })).await;
        assert_eq!(status(retrieve.send(&stripe).await), code);
    }
    app.finish().await;
}
