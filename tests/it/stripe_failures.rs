//! Stripe refuses, fails, is slow or is unreachable: the answer to the caller, what is retried, and with which key.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::app::SUCCESS_URL;
use crate::support::stripe::SECRET_KEY;
use crate::support::{Answer, Backend, FixedServer, Options, TestApp, until};

fn body() -> Value {
    json!({ "credits": 250, "successUrl": SUCCESS_URL })
}

/// The attempts that Stripe saw: the number at the end of each idempotency key. All keys name one top-up.
async fn tries(app: &TestApp) -> Vec<u32> {
    let keys = app.stripe.checkout_keys().await;
    let parts: Vec<(&str, &str)> = keys.iter().map(|key| key.rsplit_once('-').expect("a number")).collect();
    assert!(parts.iter().all(|(topup, _)| *topup == parts[0].0 && topup.starts_with("topup_")), "{keys:?}");
    parts.iter().map(|(_, number)| number.parse().expect("a number")).collect()
}

/// The answer reveals no internals of Stripe or of the service.
#[track_caller]
fn assert_says_nothing_of_the_inside(answer: &Answer) {
    let mut text = answer.body.to_string();
    for (name, value) in &answer.headers {
        // The service's own request id.
        if name != "x-request-id" {
            text.push_str(value);
        }
    }
    for inside in ["req_", SECRET_KEY, "sk_test", "Sorry!", "rate limit exceeded", "rak_", "was refused.", "backends"] {
        assert!(!text.contains(inside), "{inside} in {text}");
    }
}

#[tokio::test]
async fn each_failure_of_stripe_has_a_status_and_a_code_that_say_what_to_do() {
    let cases = [
        (400, 1, 502, "provider_refused", None),
        (401, 1, 502, "provider_refused", None),
        (403, 1, 502, "provider_refused", None),
        (404, 1, 502, "provider_refused", None),
        (409, 4, 503, "provider_rate_limited", Some("10")),
        (429, 4, 503, "provider_rate_limited", Some("10")),
        // One retry with the same key, as Stripe's libraries do; Stripe replays its answer.
        (500, 2, 503, "provider_unavailable", Some("5")),
        (503, 2, 503, "provider_unavailable", Some("5")),
    ];
    join_all(cases.map(async |(stripe, calls, status, code, retry_after)| {
        let app = TestApp::start(Backend::Sqlite).await;
        app.stripe.checkout_fault(100, json!({ "kind": "status", "status": stripe })).await;
        let answer = app.checkout("user_1", 250).await;
        assert_says_nothing_of_the_inside(&answer);
        assert_eq!(answer.headers.get("retry-after").map(String::as_str), retry_after, "{stripe}");
        answer.expect_problem(status, code);
        assert_eq!(tries(&app).await.len(), calls, "{stripe}: calls");
        assert_eq!(app.credits("user_1").await, 0);
        app.finish().await;
    }))
    .await;
}

on_both_databases! {
    /// Stripe keeps the answer 500 under its key and may do the work later. A new key is used only when Stripe's list
    /// proves that it did not.
    async fn after_a_500_that_did_nothing_the_next_key_comes_after_the_quiet_time(backend: Backend) {
        let app = TestApp::start(backend).await;
        app.stripe.checkout_fault(1, json!({ "kind": "status", "status": 500 })).await;
        app.checkout_with("user_1", Some("key-1"), body()).await.expect_problem(503, "provider_unavailable");
        assert_eq!(tries(&app).await, [1, 1]);
        app.clock.advance_ms(14 * 60_000);
        app.checkout_with("user_1", Some("key-1"), body()).await.expect_problem(503, "checkout_unsettled");
        assert_eq!(tries(&app).await, [1, 1], "an answer that is kept is not asked for again");
        app.clock.advance_ms(60_001);
        let opened = app.checkout_with("user_1", Some("key-1"), body()).await.expect(200);
        assert_eq!((tries(&app).await, app.stripe.sessions().await.len()), (vec![1, 1, 2], 1));
        assert_eq!(app.session_state("user_1", opened["id"].as_str().expect("an id")).await, "open");
        app.finish().await;
    }

    async fn a_500_that_opened_the_checkout_is_not_noticed_by_the_customer(backend: Backend) {
        let app = TestApp::start(backend).await;
        app.stripe.checkout_fault(1, json!({ "kind": "status", "status": 500, "when": "after" })).await;
        let session = app.open_session("user_1", 250).await;
        let sessions = app.stripe.sessions().await;
        assert_eq!((sessions.len(), sessions[0]["id"].as_str()), (1, Some(session.as_str())));
        assert_eq!(tries(&app).await, [1]);
        app.finish().await;
    }

    async fn money_on_the_page_of_a_lost_answer_ends_the_try_for_another_page(backend: Backend) {
        let app = TestApp::start(backend).await;
        // Stripe opens a session, answers with a failure, and does not list the session yet.
        app.stripe.control("lists", json!({ "lag_seconds": 3_600 })).await;
        app.stripe.checkout_fault(1, json!({ "kind": "status", "status": 500, "when": "after" })).await;
        app.checkout_with("user_1", Some("key-1"), body()).await.expect_problem(503, "provider_unavailable");
        app.stripe.control("lists", json!({ "lag_seconds": 0 })).await;
        let sessions = app.stripe.sessions().await;
        let session = sessions[0]["id"].as_str().expect("an id");
        assert_eq!((sessions.len(), app.stripe.pay(session, "pm_card_visa").await.0), (1, 200));
        app.deliver(&app.stripe.event("checkout.session.completed", session).await).await.expect(200);
        app.checkout_with("user_1", Some("key-1"), body()).await.expect_problem(409, "session_ended");
        assert_eq!((app.credits("user_1").await, app.stripe.sessions().await.len()), (250, 1));
        app.finish().await;
    }

    async fn a_refusal_says_nothing_about_an_earlier_try(backend: Backend) {
        let app = TestApp::start(backend).await;
        app.stripe.control("lists", json!({ "lag_seconds": 3_600 })).await;
        app.stripe.checkout_fault(1, json!({ "kind": "disconnect", "when": "after" })).await;
        app.stripe.checkout_fault(3, json!({ "kind": "status", "status": 401 })).await;
        let answer = app.checkout_with("user_1", Some("key-1"), body()).await;
        answer.expect_problem(503, "checkout_unsettled");
        let opened = app.checkout_with("user_1", Some("key-1"), body()).await.expect(200);
        app.stripe.control("lists", json!({ "lag_seconds": 0 })).await;
        let sessions = app.stripe.sessions().await;
        assert_eq!((sessions.len(), &sessions[0]["id"]), (1, &opened["id"]));
        assert!(tries(&app).await.iter().all(|number| *number == 1));
        app.finish().await;
    }

    async fn a_connection_that_breaks_is_tried_again_with_the_same_key(backend: Backend) {
        for when in ["before", "after"] {
            let app = TestApp::start(backend).await;
            app.stripe.checkout_fault(1, json!({ "kind": "disconnect", "when": when })).await;
            let session = app.open_session("user_1", 250).await;
            assert_eq!(tries(&app).await, [1, 1], "{when}");
            let sessions = app.stripe.sessions().await;
            assert_eq!((sessions.len(), sessions[0]["id"].as_str()), (1, Some(session.as_str())), "{when}");
            app.finish().await;
        }
    }

    async fn a_call_that_is_too_slow_is_tried_again_with_the_same_key(backend: Backend) {
        let options = Options { call_timeout: Duration::from_millis(1_500), ..Options::default() };
        let app = TestApp::start_with(backend, options).await;
        app.stripe.checkout_fault(1, json!({ "kind": "hold", "when": "after" })).await;
        let (session, ()) = tokio::join!(app.open_session("user_1", 250), async {
            until("the second try", async || (app.stripe.checkout_requests().await.len() >= 2).then_some(())).await;
            app.stripe.release().await;
        });
        assert!(tries(&app).await.iter().all(|number| *number == 1));
        let sessions = app.stripe.sessions().await;
        assert_eq!((sessions.len(), sessions[0]["id"].as_str()), (1, Some(session.as_str())));
        app.finish().await;
    }

    async fn a_process_that_stood_still_until_another_may_go_on_calls_no_more(backend: Backend) {
        let options = Options { call_timeout: Duration::from_millis(1_500), ..Options::default() };
        let app = TestApp::start_with(backend, options).await;
        app.stripe.checkout_fault(1, json!({ "kind": "hold", "when": "after" })).await;
        let (answer, ()) = tokio::join!(app.checkout_with("user_1", Some("key-1"), body()), async {
            app.stripe.wait_for_holds(1).await;
            app.clock.advance_ms(60_001);
        });
        answer.expect_problem(504, "provider_timeout");
        assert_eq!(tries(&app).await, [1]);
        app.stripe.release().await;
        let opened = until("the key is free at Stripe", async || {
            let answer = app.checkout_with("user_1", Some("key-1"), body()).await;
            (answer.status == 200).then_some(answer.body)
        })
        .await;
        let sessions = app.stripe.sessions().await;
        assert_eq!((sessions.len(), &sessions[0]["id"]), (1, &opened["id"]));
        app.finish().await;
    }

    async fn a_stripe_that_does_not_answer_is_given_up_and_nothing_is_lost(backend: Backend) {
        let options = Options { checkout_budget: Duration::from_millis(1_500), ..Options::default() };
        let app = TestApp::start_with(backend, options).await;
        app.stripe.checkout_fault(1, json!({ "kind": "hold" })).await;
        let answer = app.checkout_with("user_1", Some("key-1"), body()).await;
        assert_says_nothing_of_the_inside(&answer);
        answer.expect_problem(504, "provider_timeout");
        app.stripe.release().await;
        // Stripe opened it after all, and the customer gets exactly that session.
        let session = until("the checkout exists", async || app.stripe.sessions().await.first().cloned()).await;
        let opened = until("it is handed out", async || {
            let answer = app.checkout_with("user_1", Some("key-1"), body()).await;
            (answer.status == 200).then_some(answer.body)
        })
        .await;
        assert_eq!((&opened["id"], app.stripe.sessions().await.len()), (&session["id"], 1));
        app.finish().await;
    }

    async fn a_purchase_that_stripe_refused_for_good_is_not_open(backend: Backend) {
        let app = TestApp::start(backend).await;
        app.stripe.checkout_fault(1, json!({ "kind": "status", "status": 400 })).await;
        app.checkout("user_1", 250).await.expect_problem(502, "provider_refused");
        let request = app.stripe.checkout_requests().await.remove(0);
        let id = request["params"]["metadata"]["topupId"].as_str().expect("an id");
        let id = topup::domain::ids::TopupId::parse(id).expect("an id");
        let topup = app.app.db.topup(&id).await.expect("readable").expect("written before Stripe was called");
        assert_eq!(topup.state, topup::domain::checkout::TopupState::Failed);
        app.finish().await;
    }
}

#[tokio::test]
async fn when_stripe_limits_us_once_the_customer_does_not_notice() {
    for status in [409, 429] {
        let app = TestApp::start(Backend::Sqlite).await;
        app.stripe.checkout_fault(1, json!({ "kind": "status", "status": status })).await;
        app.checkout("user_1", 250).await.expect(200);
        assert_eq!(tries(&app).await, [1, 1], "{status}: nothing was done, so the key is good");
        app.finish().await;
    }
}

#[tokio::test]
async fn a_checkout_that_is_not_what_was_agreed_is_never_handed_out() {
    // The customer would pay, and the payment would be rejected permanently.
    for difference in [
        json!({ "amount_total": 290 }),
        json!({ "currency": "eur" }),
        json!({ "livemode": true }),
        json!({ "mode": "setup" }),
        json!({ "client_reference_id": "user_2" }),
        json!({ "metadata": { "accountId": "user_2" } }),
        json!({ "metadata": { "credits": "249" } }),
        json!({ "metadata": { "purpose": "something else" } }),
    ] {
        let app = TestApp::start(Backend::Sqlite).await;
        app.stripe.checkout_fault(1, json!({ "kind": "patch", "body": difference })).await;
        let answer = app.checkout_with("user_1", Some("key-1"), body()).await;
        assert_says_nothing_of_the_inside(&answer);
        answer.expect_problem(502, "provider_mismatch");
        app.finish().await;
    }
}

#[tokio::test]
async fn a_checkout_without_a_page_is_never_handed_out() {
    let app = TestApp::start(Backend::Sqlite).await;
    app.stripe.checkout_fault(1, json!({ "kind": "patch", "body": { "url": null } })).await;
    let answer = app.checkout_with("user_1", Some("key-1"), body()).await;
    assert_says_nothing_of_the_inside(&answer);
    answer.expect_problem(502, "provider_no_url");
    app.checkout_with("user_1", Some("key-1"), body()).await.expect_problem(409, "session_ended");
    assert_eq!(app.stripe.sessions().await.len(), 1, "the way out is a new key, not a second checkout behind its back");
    app.finish().await;
}

#[tokio::test]
async fn a_checkout_that_has_ended_when_stripe_answers_is_not_handed_out() {
    let app = TestApp::start(Backend::Sqlite).await;
    app.stripe.checkout_fault(1, json!({ "kind": "patch", "body": { "expires_at": 1_700_000_000 } })).await;
    app.checkout_with("user_1", Some("key-1"), body()).await.expect_problem(409, "session_ended");
    app.finish().await;
}

/// A service whose Stripe returns the same answer to everything.
async fn with_stripe(status: u16, body: &str) -> (TestApp, FixedServer) {
    let stripe = FixedServer::start(status, body);
    let app = TestApp::start_with(Backend::Sqlite, Options::default().setting("STRIPE_API_BASE", &stripe.url)).await;
    (app, stripe)
}

#[tokio::test]
async fn an_amount_that_stripe_finds_too_small_is_the_callers_to_change() {
    let error = json!({ "error": {
        "type": "invalid_request_error", "code": "amount_too_small",
        "message": "The Checkout Session's total amount must convert to at least 400 HKD.",
        "request_log_url": "https://dashboard.stripe.com/test/logs/req_SecretInside?t=1",
    } });
    let (app, stripe) = with_stripe(400, &error.to_string()).await;
    for _ in 0..2 {
        let answer = app.checkout_with("user_1", Some("key-1"), body()).await;
        assert_says_nothing_of_the_inside(&answer);
        let problem = answer.expect_problem(400, "amount_too_small");
        assert_eq!(problem["errors"][0]["field"], "credits");
        assert_eq!(stripe.requests(), 1, "it is final, and the key remembers it");
    }
    app.finish().await;
}

#[tokio::test]
async fn an_answer_that_is_not_stripes_is_tried_again_and_then_told_as_a_failure() {
    let cases =
        [(200, "<html>hello</html>"), (200, "{}"), (200, ""), (502, "<html>Bad Gateway</html>"), (404, "not here")];
    join_all(cases.map(async |(status, text)| {
        let (app, stripe) = with_stripe(status, text).await;
        let answer = app.checkout("user_1", 250).await;
        assert!(!answer.body.to_string().contains("html"), "{}", answer.body);
        answer.expect_problem(503, "provider_unavailable");
        assert_eq!(stripe.requests(), 4, "{status} {text}");
        app.finish().await;
    }))
    .await;
}

#[tokio::test]
async fn a_stripe_that_cannot_be_reached_is_told_as_a_failure() {
    let address = format!("http://127.0.0.1:{}", crate::support::process::free_port());
    let app = TestApp::start_with(Backend::Sqlite, Options::default().setting("STRIPE_API_BASE", address)).await;
    let answer = app.checkout("user_1", 250).await;
    assert!(!answer.body.to_string().contains("127.0.0.1"), "{}", answer.body);
    answer.expect_problem(503, "provider_unavailable");
    app.finish().await;
}

#[tokio::test]
async fn when_stripe_cannot_be_asked_the_return_page_shows_what_is_known() {
    let app = TestApp::start(Backend::Sqlite).await;
    let (session, event) = app.pay_session("user_1", 250).await;
    for kind in [json!({ "kind": "status", "status": 500 }), json!({ "kind": "disconnect" })] {
        let mut fault = json!({ "method": "GET", "path": "/v1/checkout/sessions/*" });
        fault.as_object_mut().expect("an object").extend(kind.as_object().expect("an object").clone());
        app.stripe.fault(fault).await;
        assert_eq!(app.session_state("user_1", &session).await, "open");
        app.clock.advance_ms(5_001);
    }
    app.deliver(&event).await.expect(200);
    assert_eq!(app.session_state("user_1", &session).await, "paid");
    app.finish().await;
}
