//! Rate limits for opening checkouts, per account or per client address for unauthenticated callers.

use serde_json::json;

use crate::support::app::{SUCCESS_URL, http_client};
use crate::support::{Answer, Backend, Options, TestApp};

async fn limited(per_minute: &str) -> TestApp {
    TestApp::start_with(Backend::Sqlite, Options::default().setting("RATE_LIMIT_PER_MINUTE", per_minute)).await
}

/// An unauthenticated checkout request, as a proxy forwards it.
async fn as_nobody(app: &TestApp, forwarded_for: &[&str]) -> Answer {
    let mut request = http_client().post(format!("{}/credits/sessions", app.url)).json(&json!({}));
    for value in forwarded_for {
        request = request.header("x-forwarded-for", *value);
    }
    app.send(request).await
}

#[track_caller]
fn is_limited(answer: Answer) {
    let wait = answer.headers.get("retry-after").and_then(|wait| wait.parse::<u64>().ok());
    assert!(wait.is_some_and(|wait| (1..=60).contains(&wait)), "{answer:?}");
    answer.expect_problem(429, "rate_limited");
}

#[tokio::test]
async fn an_account_may_open_so_many_checkouts_and_others_do_not_notice() {
    let app = limited("2").await;
    app.checkout("user_1", 250).await.expect(200);
    app.checkout("user_1", 250).await.expect(200);
    is_limited(app.checkout("user_1", 250).await);
    assert_eq!(app.stripe.checkout_requests().await.len(), 2, "Stripe is not called");
    app.checkout("user_2", 250).await.expect(200);
    // Reads still work.
    app.get_as("user_1", "/credits").await.expect(200);
    app.get("/credits/quote?credits=250").await.expect(200);
    app.finish().await;
}

/// A page asks each time it is loaded, shown again or has the focus.
#[tokio::test]
async fn what_a_page_asks_takes_no_checkouts_away() {
    let options = Options::default().setting("RATE_LIMIT_PER_MINUTE", "2");
    let options = options.setting("SAVED_CARDS", "on").setting("AUTO_TOPUP", "on");
    let app = TestApp::start_with(Backend::Sqlite, options).await;
    // The books answer this.
    for _ in 0..20 {
        app.get_as("user_1", "/auto-topup").await.expect(200);
    }
    // The payment provider answers this, so it is limited too: four questions for each checkout.
    for _ in 0..8 {
        app.get_as("user_1", "/payment-methods").await.expect(200);
    }
    is_limited(app.get_as("user_1", "/payment-methods").await);
    app.get_as("user_2", "/payment-methods").await.expect(200);
    app.checkout("user_1", 250).await.expect(200);
    app.checkout("user_1", 250).await.expect(200);
    is_limited(app.checkout("user_1", 250).await);
    app.finish().await;
}

#[tokio::test]
async fn a_repetition_with_an_idempotency_key_does_not_get_around_the_limit() {
    let app = limited("2").await;
    let body = json!({ "credits": 250, "successUrl": SUCCESS_URL });
    app.checkout_with("user_1", Some("key-1"), body.clone()).await.expect(200);
    app.checkout_with("user_1", Some("key-1"), body.clone()).await.expect(200);
    is_limited(app.checkout_with("user_1", Some("key-1"), body).await);
    app.finish().await;
}

#[tokio::test]
async fn what_is_refused_for_its_body_is_not_counted() {
    let app = limited("1").await;
    for _ in 0..5 {
        app.checkout("user_1", 1).await.expect_problem(400, "invalid_request");
    }
    app.checkout("user_1", 250).await.expect(200);
    is_limited(app.checkout("user_1", 250).await);
    app.finish().await;
}

#[tokio::test]
async fn nobody_is_counted_by_address_and_takes_nothing_from_customers() {
    let app = limited("2").await;
    as_nobody(&app, &[]).await.expect_problem(401, "missing_credentials");
    let forged = http_client().post(format!("{}/credits/sessions", app.url)).bearer_auth("a.b.c").json(&json!({}));
    app.send(forged.try_clone().expect("a request")).await.expect_problem(401, "invalid_token");
    is_limited(as_nobody(&app, &[]).await);
    is_limited(app.send(forged).await);
    app.checkout("user_1", 250).await.expect(200);
    app.finish().await;
}

#[tokio::test]
async fn a_forwarded_address_of_a_stranger_is_not_believed() {
    let app = limited("1").await;
    as_nobody(&app, &["198.51.100.1"]).await.expect_problem(401, "missing_credentials");
    is_limited(as_nobody(&app, &["198.51.100.2"]).await);
    is_limited(as_nobody(&app, &["127.0.0.1"]).await);
    app.finish().await;
}

#[tokio::test]
async fn a_trusted_proxy_says_where_a_caller_is() {
    let options = Options::default().setting("RATE_LIMIT_PER_MINUTE", "1");
    let options = options.setting("TRUSTED_PROXIES", "127.0.0.0/8,10.0.0.0/8");
    let app = TestApp::start_with(Backend::Sqlite, options).await;
    as_nobody(&app, &["198.51.100.1"]).await.expect_problem(401, "missing_credentials");
    as_nobody(&app, &["198.51.100.2"]).await.expect_problem(401, "missing_credentials");
    is_limited(as_nobody(&app, &["198.51.100.1"]).await);
    // Only what trusted proxies appended counts: the caller can put anything in front of it.
    is_limited(as_nobody(&app, &["203.0.113.9, 198.51.100.1"]).await);
    is_limited(as_nobody(&app, &["203.0.113.9", "198.51.100.1, 10.1.2.3"]).await);
    is_limited(as_nobody(&app, &["nonsense, 198.51.100.2"]).await);
    // A customer usually has a whole /64.
    as_nobody(&app, &["2001:db8::1"]).await.expect_problem(401, "missing_credentials");
    is_limited(as_nobody(&app, &["2001:db8::ffff:2"]).await);
    as_nobody(&app, &["2001:db8:0:1::1"]).await.expect_problem(401, "missing_credentials");
    is_limited(as_nobody(&app, &["::ffff:198.51.100.1"]).await);
    app.finish().await;
}
