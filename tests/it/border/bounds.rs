//! What a stranger can hold in a service: places, memory, time, questions.

use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use secrecy::ExposeSecret;
use serde_json::json;
use topup::http::kit::connections::ConnectionTimes;

use super::hostile::{Kind, is_ended, is_ended_unread};
use crate::support::app::{SUCCESS_URL, http_client};
use crate::support::{Answer, Backend, Options, TestApp};

fn address(app: &TestApp) -> SocketAddr {
    app.url.trim_start_matches("http://").parse().expect("an address")
}

async fn begin_many(app: &TestApp, kind: Kind, count: usize) -> Vec<TcpStream> {
    let address = address(app);
    let begin = move || (0..count).map(|_| kind.begin(address)).collect();
    tokio::task::spawn_blocking(begin).await.expect("begins")
}

/// Known mistake 26, the stranger's part.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn good_deliveries_and_balances_go_on_beside_three_hundred_hostile_connections_of_each_kind() {
    let options = Options { webhook_bytes: 1024 * 1024, ..Options::default() };
    let app = TestApp::start_with(Backend::Sqlite, options.setting("MAX_CONNECTIONS", "200")).await;
    let mut credits = 0;
    for kind in Kind::ALL {
        let mut events = Vec::new();
        for _ in 0..3 {
            events.push(app.pay_session("user_1", 250).await.1);
        }
        let held = begin_many(&app, kind, 300).await;
        for event in events {
            let answer = app.deliver(&event).await;
            assert_eq!(answer.status, 200, "{kind:?}: {}", answer.body);
            credits += 250;
            assert_eq!(app.credits("user_1").await, credits, "{kind:?}");
        }
        drop(held);
    }
    app.finish().await;
}

/// Known mistake 26, the stranger's part.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_good_delivery_takes_the_memory_of_bodies_that_do_not_come() {
    let options = Options { webhook_bytes: 300_000, ..Options::default() };
    let app = TestApp::start_with(Backend::Sqlite, options).await;
    let (_, event) = app.pay_session("user_1", 250).await;
    let mut body = event.to_string().into_bytes();
    assert_eq!(body.pop(), Some(b'}'));
    body.resize(20_000, b' ');
    body.push(b'}');
    // Six times as much as fits.
    let held = begin_many(&app, Kind::HalfDelivery, 60).await;
    app.deliver_bytes(&body).await.expect(200);
    assert_eq!(app.credits("user_1").await, 250);
    drop(held);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_a_client_leaves_undone_its_connection_ends_in_time() {
    let short = Duration::from_millis(300);
    // The limit for reading a body is a constant; here the connection's own limit comes first.
    let connection_times = ConnectionTimes {
        head: short,
        body: short,
        work: Duration::from_mins(1),
        answer: short,
        drain: short,
        idle: short,
    };
    let app = TestApp::start_with(Backend::Sqlite, Options { connection_times, ..Options::default() }).await;
    let address = address(&app);
    let mut checks = Vec::new();
    for kind in Kind::ALL {
        let check = move || {
            let stream = kind.begin(address);
            match kind {
                Kind::ReadsNothing => is_ended_unread(stream),
                Kind::EndlessAfterNotFound | Kind::EndlessAfterClose => is_ended(stream, b"5\r\nhello\r\n"),
                Kind::HalfHead | Kind::HalfLaterHead | Kind::HalfDelivery => is_ended(stream, b" "),
                Kind::Silent | Kind::Idle => is_ended(stream, b""),
            }
        };
        checks.push((kind, tokio::task::spawn_blocking(check)));
    }
    for (kind, check) in checks {
        assert!(check.await.expect("no panic"), "{kind:?} holds its connection");
    }
    app.finish().await;
}

#[tokio::test]
async fn an_idle_connection_is_kept_longer_than_proxies_keep_theirs() {
    assert!(ConnectionTimes::default().idle > Duration::from_mins(15));
    let app = TestApp::start(Backend::Sqlite).await;
    let answer = app.get("/health/live").await;
    assert_eq!(answer.headers.get("connection"), None, "HTTP/1.1 keeps the connection unless it says otherwise");
    app.finish().await;
}

#[tokio::test]
async fn head_is_answered_as_get_is_and_without_a_body() {
    let app = TestApp::start(Backend::Sqlite).await;
    for path in ["/health/live", "/health/ready", "/docs/", "/openapi.json", "/credits", "/credits/quote?credits=250"] {
        let ask = |method: reqwest::Method| {
            http_client().request(method, format!("{}{path}", app.url)).bearer_auth(app.token("user_1")).send()
        };
        let get = ask(reqwest::Method::GET).await.expect("an answer");
        let head = ask(reqwest::Method::HEAD).await.expect("an answer");
        let length = |answer: &reqwest::Response| answer.headers().get("content-length").cloned();
        assert_eq!((head.status(), length(&head)), (get.status(), length(&get)), "{path}");
        assert_eq!(head.status(), 200, "{path}");
        assert!(!get.text().await.expect("text").is_empty() && head.text().await.expect("text").is_empty(), "{path}");
    }
    let refused = http_client().head(format!("{}/webhooks/stripe", app.url)).send().await.expect("an answer");
    assert_eq!(refused.status(), 405);
    app.finish().await;
}

#[track_caller]
fn waits(answer: &Answer) -> u64 {
    answer.headers.get("retry-after").and_then(|wait| wait.parse().ok()).expect("a time to wait")
}

#[tokio::test]
async fn an_account_may_have_so_many_open_checkouts_and_hears_the_way_out() {
    let app = TestApp::start_with(Backend::Sqlite, Options::default().setting("MAX_OPEN_CHECKOUTS", "2")).await;
    let body = json!({ "credits": 250, "successUrl": SUCCESS_URL });
    let first = app.checkout_with("user_1", Some("key-1"), body.clone()).await.expect(200);
    app.checkout("user_1", 250).await.expect(200);
    let refused = app.checkout_with("user_1", Some("key-2"), body.clone()).await;
    assert!((3_500..=3_661).contains(&waits(&refused)), "{refused:?}");
    let problem = refused.expect_problem(429, "too_many_open_checkouts");
    assert!(problem["detail"].as_str().is_some_and(|text| text.contains("MAX_OPEN_CHECKOUTS")), "{problem}");
    assert_eq!(app.stripe.checkout_requests().await.len(), 2, "Stripe is not called");
    // A repeated request opens nothing new, and other accounts are not affected.
    assert_eq!(app.checkout_with("user_1", Some("key-1"), body.clone()).await.expect(200), first);
    app.checkout("user_2", 250).await.expect(200);
    // Paying the first checkout, or waiting until it ends, makes room.
    let session = first["id"].as_str().expect("an id");
    app.stripe.pay(session, "pm_card_visa").await;
    app.deliver(&app.stripe.event("checkout.session.completed", session).await).await.expect(200);
    app.checkout_with("user_1", Some("key-2"), body).await.expect(200);
    app.checkout("user_1", 250).await.expect_problem(429, "too_many_open_checkouts");
    app.finish().await;
}

#[tokio::test]
async fn a_checkout_that_was_interrupted_goes_on_although_the_account_has_as_many_as_it_may() {
    let app = TestApp::start_with(Backend::Postgres, Options::default().setting("MAX_OPEN_CHECKOUTS", "1")).await;
    let body = json!({ "credits": 250, "successUrl": SUCCESS_URL });
    app.stripe.checkout_fault(10, json!({ "kind": "status", "status": 500 })).await;
    assert!(app.checkout_with("user_1", Some("key-1"), body.clone()).await.status >= 500);
    app.checkout("user_1", 250).await.expect_problem(429, "too_many_open_checkouts");
    let again = app.checkout_with("user_1", Some("key-1"), body).await;
    assert_ne!(again.status, 429, "{}", again.body);
    app.finish().await;
}

#[tokio::test]
async fn stripe_is_asked_a_bounded_number_of_times_and_then_the_database_answers() {
    let app = TestApp::start(Backend::Sqlite).await;
    let mut sessions = Vec::new();
    for _ in 0..40 {
        sessions.push(app.open_session("user_1", 250).await);
    }
    let other = app.open_session("user_2", 250).await;
    app.stripe.pay(&sessions[39], "pm_card_visa").await;
    app.stripe.pay(&other, "pm_card_visa").await;
    let questions = async || {
        let asked = |request: &serde_json::Value| {
            request["method"] == "GET"
                && request["path"].as_str().is_some_and(|path| path.starts_with("/v1/checkout/sessions/cs_"))
        };
        app.stripe.requests().await.iter().filter(|request| asked(request)).count()
    };
    let before = questions().await;
    for session in &sessions {
        assert_eq!(app.session_state("user_1", session).await, "open");
    }
    let asked = questions().await - before;
    assert!((30..=35).contains(&asked), "{asked} questions for 40 sessions");
    assert_eq!(app.session_state("user_2", &other).await, "paid", "others are asked about");
    // The account may ask again a little later.
    app.clock.advance_ms(60_000);
    assert_eq!(app.session_state("user_1", &sessions[39]).await, "paid");
    app.finish().await;
}

#[tokio::test]
async fn failed_credentials_are_counted_on_every_route_and_good_ones_are_always_let_in() {
    let app = TestApp::start_with(Backend::Sqlite, Options::default().setting("RATE_LIMIT_PER_MINUTE", "3")).await;
    let (db, ids, clock) = (&app.app.db, app.app.ids.as_ref(), app.app.clock.as_ref());
    let scopes = [topup::access::api_keys::Scope::Read];
    let key = topup::access::api_keys::create(db, ids, clock, "shop", &scopes, None).await.expect("a key");
    let with_key = async |path: &str, key: &str| {
        app.send(http_client().get(format!("{}{path}", app.url)).header("x-api-key", key)).await
    };
    let made_up = format!("topup_sk_{}", "0".repeat(64));
    let expired = crate::support::app::sign_token(&json!({ "sub": "user_1", "exp": 1_000 }));
    let with_token =
        async |token: &str| app.send(http_client().get(format!("{}/credits", app.url)).bearer_auth(token)).await;
    // A customer with an expired token is not counted as guessing.
    for _ in 0..5 {
        with_token(&expired).await.expect_problem(401, "invalid_token");
    }
    with_key("/accounts/user_1/credits", &made_up).await.expect_problem(401, "invalid_api_key");
    with_token("a.b.c").await.expect_problem(401, "invalid_token");
    with_key("/admin/topups", "nonsense").await.expect_problem(401, "invalid_api_key");
    for path in ["/accounts/user_1/credits", "/credits/transactions", "/credits/sessions/cs_1", "/admin/topups"] {
        let answer = with_key(path, &made_up).await;
        assert!((1..=60).contains(&waits(&answer)), "{answer:?}");
        answer.expect_problem(429, "rate_limited");
    }
    with_token("a.b.c").await.expect_problem(429, "rate_limited");
    // From the same address: a key that was never seen, and a customer.
    with_key("/accounts/user_1/credits", key.secret.expose_secret()).await.expect(200);
    app.get_as("user_1", "/credits").await.expect(200);
    app.finish().await;
}
