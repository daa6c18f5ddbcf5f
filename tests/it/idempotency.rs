//! A caller's `Idempotency-Key`: the answer to a repeated request, whatever happened to the first one.

use futures_util::future::join_all;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use topup::access::api_keys::{self, Scope};
use topup::domain::account::AccountId;

use crate::on_both_databases;
use crate::support::app::{SUCCESS_URL, http_client};
use crate::support::process::Process;
use crate::support::serve::World;
use crate::support::{Answer, Options, TestApp, until};

const MINUTE_MS: i64 = 60_000;

fn body(credits: i64) -> Value {
    json!({ "credits": credits, "successUrl": SUCCESS_URL })
}

/// The top-up of a request to Stripe.
fn topup_of(request: &Value) -> String {
    request["params"]["metadata"]["topupId"].as_str().expect("an id").to_owned()
}

async fn send_with_api_key(app: &TestApp, secret: &str, key: &str, body: &Value) -> Answer {
    let request = http_client().post(format!("{}/credits/sessions", app.url)).header("x-api-key", secret);
    app.send(request.header("idempotency-key", key).json(body)).await
}

async fn api_key(app: &TestApp, account: Option<&str>) -> String {
    let account = account.map(|account| AccountId::parse(account).expect("an account"));
    let key = api_keys::create(
        &app.app.db,
        app.app.ids.as_ref(),
        app.app.clock.as_ref(),
        "shop",
        &[Scope::Checkout],
        account.as_ref(),
    );
    key.await.expect("a key").secret.expose_secret().to_owned()
}

on_both_databases! {
    /// Known mistake 18.
    async fn a_repeated_post_gets_the_first_answer_and_opens_no_second_checkout(backend: Backend) {
        let app = TestApp::start(backend).await;
        let first = app.checkout_with("user_1", Some("key-1"), body(250)).await.expect(200);
        let again = app.checkout_with("user_1", Some("key-1"), body(250)).await.expect(200);
        assert_eq!(first, again);
        assert_eq!(app.stripe.sessions().await.len(), 1);
        assert_eq!(app.stripe.checkout_requests().await.len(), 1, "a repetition is answered without Stripe");
        let other = app.checkout_with("user_1", Some("key-2"), body(250)).await.expect(200);
        assert_ne!(first["id"], other["id"], "another key is another purchase");
        app.finish().await;
    }

    async fn without_a_key_each_post_is_a_purchase_of_its_own(backend: Backend) {
        let app = TestApp::start(backend).await;
        let (first, second) = (app.open_session("user_1", 250).await, app.open_session("user_1", 250).await);
        assert_ne!(first, second);
        app.finish().await;
    }

    async fn a_key_with_another_request_is_refused(backend: Backend) {
        let app = TestApp::start(backend).await;
        let first = app.checkout_with("user_1", Some("key-1"), body(250)).await.expect(200);
        let elsewhere = json!({ "credits": 250, "successUrl": "https://app.example.com/other" });
        let leaving = json!({ "credits": 250, "successUrl": SUCCESS_URL, "cancelUrl": "https://app.example.com/" });
        for other in [body(251), elsewhere, leaving] {
            let answer = app.checkout_with("user_1", Some("key-1"), other).await;
            answer.expect_problem(422, "idempotency_key_reused");
        }
        assert_eq!(app.checkout_with("user_1", Some("key-1"), body(250)).await.expect(200), first);
        assert_eq!(app.stripe.checkout_requests().await.len(), 1);
        app.finish().await;
    }

    async fn a_key_belongs_to_the_account_with_whatever_credentials_it_comes(backend: Backend) {
        // Known mistake 35.
        let app = TestApp::start(backend).await;
        let (old, new) = (api_key(&app, None).await, api_key(&app, None).await);
        let bound = api_key(&app, Some("user_1")).await;
        let body = |account: &str| json!({ "credits": 250, "successUrl": SUCCESS_URL, "accountId": account });
        let first = send_with_api_key(&app, &old, "key-1", &body("user_1")).await.expect(200);
        // The API key was rotated, or the customer's own client repeats what the server started.
        assert_eq!(send_with_api_key(&app, &new, "key-1", &body("user_1")).await.expect(200), first);
        assert_eq!(send_with_api_key(&app, &bound, "key-1", &body("user_1")).await.expect(200), first);
        assert_eq!(app.checkout_with("user_1", Some("key-1"), body("user_1")).await.expect(200), first);
        assert_eq!(app.stripe.sessions().await.len(), 1);
        let other = json!({ "credits": 300, "successUrl": SUCCESS_URL, "accountId": "user_1" });
        send_with_api_key(&app, &new, "key-1", &other).await.expect_problem(422, "idempotency_key_reused");
        // For another account it is another key, and its customer sees nothing of the first answer.
        let second = send_with_api_key(&app, &old, "key-1", &body("user_2")).await.expect(200);
        assert_ne!(second["id"], first["id"]);
        assert_eq!(app.checkout_with("user_2", Some("key-1"), body("user_2")).await.expect(200), second);
        app.checkout_with("user_3", Some("key-1"), body("user_1")).await.expect_problem(403, "account_forbidden");
        send_with_api_key(&app, &bound, "key-1", &body("user_2")).await.expect_problem(403, "account_forbidden");
        assert_eq!(app.stripe.sessions().await.len(), 2);
        app.finish().await;
    }

    async fn a_quoted_key_is_the_same_key(backend: Backend) {
        let app = TestApp::start(backend).await;
        let first = app.checkout_with("user_1", Some("key-1"), body(250)).await.expect(200);
        assert_eq!(app.checkout_with("user_1", Some("\"key-1\""), body(250)).await.expect(200), first);
        for wrong in ["\"key-1", "\"\"", "\"", "\"a\"b\"", "\"a b\""] {
            app.checkout_with("user_1", Some(wrong), body(250)).await.expect_problem(400, "invalid_request");
        }
        assert_eq!(app.stripe.sessions().await.len(), 1);
        app.finish().await;
    }

    async fn twenty_requests_at_once_with_one_key_open_one_checkout(backend: Backend) {
        let app = TestApp::start(backend).await;
        let answers = join_all((0..20).map(|_| app.checkout_with("user_1", Some("key-1"), body(250)))).await;
        let mut opened = Vec::new();
        for answer in answers {
            if answer.status == 200 {
                opened.push(answer.body["id"].clone());
            } else {
                assert_eq!(answer.headers.get("retry-after").map(String::as_str), Some("1"));
                answer.expect_problem(409, "idempotency_key_in_use");
            }
        }
        opened.dedup();
        assert_eq!(opened.len(), 1, "{opened:?}");
        assert_eq!(app.stripe.sessions().await.len(), 1);
        assert_eq!(app.stripe.checkout_requests().await.len(), 1);
        app.finish().await;
    }

    async fn while_the_first_request_runs_a_repetition_is_told_to_wait(backend: Backend) {
        let app = TestApp::start(backend).await;
        app.stripe.checkout_fault(1, json!({ "kind": "hold" })).await;
        let (first, ()) = tokio::join!(app.checkout_with("user_1", Some("key-1"), body(250)), async {
            app.stripe.wait_for_holds(1).await;
            let answer = app.checkout_with("user_1", Some("key-1"), body(250)).await;
            assert_eq!(answer.headers.get("retry-after").map(String::as_str), Some("1"));
            answer.expect_problem(409, "idempotency_key_in_use");
            app.checkout_with("user_1", Some("key-1"), body(251)).await.expect_problem(422, "idempotency_key_reused");
            // Almost as long as the lease.
            app.clock.advance_ms(MINUTE_MS - 20_000);
            let answer = app.checkout_with("user_1", Some("key-1"), body(250)).await;
            answer.expect_problem(409, "idempotency_key_in_use");
            app.stripe.release().await;
        });
        let first = first.expect(200);
        assert_eq!(app.checkout_with("user_1", Some("key-1"), body(250)).await.expect(200), first);
        assert_eq!(app.stripe.checkout_requests().await.len(), 1);
        app.finish().await;
    }

    /// Known mistake 19.
    async fn a_checkout_that_expired_at_stripe_is_not_handed_out_again(backend: Backend) {
        let app = TestApp::start(backend).await;
        let first = app.checkout_with("user_1", Some("key-1"), body(250)).await.expect(200);
        let session = first["id"].as_str().expect("an id");
        let (status, answer) = app.stripe.post(&format!("/v1/checkout/sessions/{session}/expire"), &[]).await;
        assert_eq!(status, 200, "{answer}");
        let event = app.stripe.event("checkout.session.expired", session).await;
        app.deliver(&event).await.expect(200);
        assert_eq!(app.session_state("user_1", session).await, "expired");
        app.checkout_with("user_1", Some("key-1"), body(250)).await.expect_problem(409, "session_ended");
        app.finish().await;
    }

    /// Known mistake 19, when the webhook has not come.
    async fn a_checkout_whose_time_is_over_is_not_handed_out_again(backend: Backend) {
        let app = TestApp::start(backend).await;
        let first = app.checkout_with("user_1", Some("key-1"), body(250)).await.expect(200);
        app.clock.advance_ms(59 * MINUTE_MS);
        assert_eq!(app.checkout_with("user_1", Some("key-1"), body(250)).await.expect(200), first);
        app.clock.advance_ms(MINUTE_MS);
        app.checkout_with("user_1", Some("key-1"), body(250)).await.expect_problem(409, "session_ended");
        app.finish().await;
    }

    /// Known mistake 19: the page of a paid checkout leads nowhere.
    async fn a_checkout_that_was_paid_is_not_handed_out_again(backend: Backend) {
        let app = TestApp::start(backend).await;
        let first = app.checkout_with("user_1", Some("key-1"), body(250)).await.expect(200);
        let session = first["id"].as_str().expect("an id");
        assert_eq!(app.stripe.pay(session, "pm_card_visa").await.0, 200);
        let event = app.stripe.event("checkout.session.completed", session).await;
        app.deliver(&event).await.expect(200);
        assert_eq!(app.credits("user_1").await, 250);
        app.checkout_with("user_1", Some("key-1"), body(250)).await.expect_problem(409, "session_ended");
        assert_eq!(app.stripe.sessions().await.len(), 1);
        app.finish().await;
    }

    async fn a_request_whose_holder_is_stuck_is_taken_over_with_the_same_purchase(backend: Backend) {
        let options = Options { call_timeout: std::time::Duration::from_mins(1), ..Options::default() };
        let app = TestApp::start_with(backend, options).await;
        app.stripe.checkout_fault(1, json!({ "kind": "hold" })).await;
        let (stuck, next) = tokio::join!(app.checkout_with("user_1", Some("key-1"), body(250)), async {
            app.stripe.wait_for_holds(1).await;
            app.clock.advance_ms(MINUTE_MS + 1);
            let (next, ()) = tokio::join!(app.checkout_with("user_1", Some("key-1"), body(250)), async {
                until("the second request at Stripe", async || {
                    (app.stripe.checkout_requests().await.len() >= 2).then_some(())
                })
                .await;
                app.stripe.release().await;
            });
            next
        });
        assert_eq!(stuck.expect(200), next.expect(200));
        let requests = app.stripe.checkout_requests().await;
        assert!(requests.iter().all(|request| request["params"] == requests[0]["params"]), "{requests:#?}");
        let key = format!("{}-1", topup_of(&requests[0]));
        assert!(app.stripe.checkout_keys().await.iter().all(|used| *used == key));
        assert_eq!(app.stripe.sessions().await.len(), 1);
        app.finish().await;
    }

    async fn a_failure_of_stripe_is_not_kept_and_the_next_try_goes_on_with_the_same_purchase(backend: Backend) {
        let app = TestApp::start(backend).await;
        app.stripe.checkout_fault(4, json!({ "kind": "disconnect", "when": "after" })).await;
        let answer = app.checkout_with("user_1", Some("key-1"), body(250)).await;
        answer.expect_problem(503, "provider_unavailable");
        let answer = app.checkout_with("user_1", Some("key-1"), body(250)).await.expect(200);
        let sessions = app.stripe.sessions().await;
        assert_eq!((sessions.len(), &sessions[0]["id"]), (1, &answer["id"]), "each try was the same one for Stripe");
        let keys = app.stripe.checkout_keys().await;
        assert!(keys.len() == 5 && keys.iter().all(|key| *key == keys[0]), "{keys:?}");
        assert_eq!(app.checkout_with("user_1", Some("key-1"), body(250)).await.expect(200), answer);
        app.finish().await;
    }

    async fn after_a_refusal_the_same_key_tries_again_and_the_purchase_is_open(backend: Backend) {
        let app = TestApp::start(backend).await;
        app.stripe.checkout_fault(1, json!({ "kind": "status", "status": 401 })).await;
        app.checkout_with("user_1", Some("key-1"), body(250)).await.expect_problem(502, "provider_refused");
        let opened = app.checkout_with("user_1", Some("key-1"), body(250)).await.expect(200);
        let session = opened["id"].as_str().expect("an id");
        let topups: Vec<String> = app.stripe.checkout_requests().await.iter().map(topup_of).collect();
        assert!(topups.len() == 2 && topups[0] == topups[1], "{topups:?}");
        // Known mistake 20: the customer must not be told that it failed while the page takes the money.
        assert_eq!(app.session_state("user_1", session).await, "open");
        assert_eq!(app.checkout_with("user_1", Some("key-1"), body(250)).await.expect(200), opened);
        app.finish().await;
    }

    async fn a_request_that_never_reached_stripe_is_written_anew_when_it_is_old(backend: Backend) {
        let app = TestApp::start(backend).await;
        app.stripe.checkout_fault(4, json!({ "kind": "disconnect" })).await;
        app.checkout_with("user_1", Some("key-1"), body(250)).await.expect_problem(503, "provider_unavailable");
        app.clock.advance_ms(45 * MINUTE_MS);
        // Stripe's error for a checkout that would expire too soon.
        app.stripe.checkout_fault(1, json!({ "kind": "status", "status": 400 })).await;
        let opened = app.checkout_with("user_1", Some("key-1"), body(250)).await.expect(200);
        let requests = app.stripe.checkout_requests().await;
        let [.., old, new] = requests.as_slice() else { panic!("{requests:?}") };
        assert_eq!(topup_of(old), topup_of(new));
        assert_eq!(new["idempotency_key"], format!("{}-2", topup_of(new)));
        let ends = |request: &Value| request["params"]["expires_at"].as_str().and_then(|text| text.parse::<i64>().ok());
        let later = ends(new).expect("a time") - ends(old).expect("a time");
        assert!((44 * 60..=46 * 60).contains(&later), "{later}");
        assert_eq!(app.session_state("user_1", opened["id"].as_str().expect("an id")).await, "open");
        app.finish().await;
    }

    async fn after_a_day_a_key_is_forgotten(backend: Backend) {
        let app = TestApp::start(backend).await;
        let first = app.checkout_with("user_1", Some("key-1"), body(250)).await.expect(200);
        app.clock.advance_ms(24 * 60 * MINUTE_MS - MINUTE_MS);
        app.checkout_with("user_1", Some("key-1"), body(250)).await.expect_problem(409, "session_ended");
        app.clock.advance_ms(2 * MINUTE_MS);
        // The sandbox uses real time, in which this checkout would expire in two days.
        app.stripe.checkout_fault(1, json!({ "kind": "status", "status": 500 })).await;
        app.checkout_with("user_1", Some("key-1"), body(300)).await;
        let topups: Vec<String> = app.stripe.checkout_requests().await.iter().map(topup_of).collect();
        assert!(topups.len() > 1 && topups[0] != topups[1], "another purchase than {first}");
        app.finish().await;
    }
}

#[tokio::test]
async fn a_key_that_is_none_is_refused_before_anything_is_done() {
    let app = TestApp::start(crate::support::Backend::Sqlite).await;
    let too_long = "k".repeat(256);
    let latin = reqwest::header::HeaderValue::from_bytes(b"cl\xe9").expect("a value");
    let bad: Vec<reqwest::header::HeaderValue> = ["", " ", "a b", "a\tb", too_long.as_str()]
        .iter()
        .map(|text| text.parse().expect("a value"))
        .chain([latin])
        .collect();
    let request = || {
        let request = http_client().post(format!("{}/credits/sessions", app.url));
        request.bearer_auth(app.token("user_1")).json(&body(250))
    };
    for value in bad {
        let problem =
            app.send(request().header("idempotency-key", &value)).await.expect_problem(400, "invalid_request");
        assert_eq!(problem["errors"][0]["field"], "Idempotency-Key", "{value:?}");
        assert_eq!(problem["errors"][0]["code"], "invalid_key", "{value:?}");
    }
    let twice = request().header("idempotency-key", "one").header("idempotency-key", "two");
    app.send(twice).await.expect_problem(400, "invalid_request");
    assert_eq!(app.stripe.requests().await, Vec::<Value>::new());
    let longest = "k".repeat(255);
    app.send(request().header("idempotency-key", longest)).await.expect(200);
    app.finish().await;
}

on_both_databases! {
    async fn a_change_of_settings_changes_no_answer_that_a_key_got(backend: Backend) {
        let world = World::new(backend).await;
        let mut process = world.serve(None).await;
        let (status, first) = world.try_checkout("user_1", "key-1").await.expect("an answer");
        assert_eq!(status, 200, "{first}");
        process.kill();
        for (setting, value) in [("MAX_CREDITS", "100"), ("ALLOWED_ORIGINS", "https://other.example.com")] {
            let mut settings = world.settings();
            settings.insert(setting, value.to_owned());
            let mut process = Process::serve(&settings, None).await;
            assert_eq!(world.try_checkout("user_1", "key-1").await, Some((200, first.clone())), "{setting}");
            // Another key, or the same key of another caller, has no stored answer.
            for (account, key) in [("user_1", "key-2"), ("user_2", "key-1")] {
                let (status, problem) = world.try_checkout(account, key).await.expect("an answer");
                assert_eq!((status, &problem["code"]), (400, &json!("invalid_request")), "{setting}");
            }
            process.kill();
        }
        assert_eq!(world.stripe.checkout_requests().await.len(), 1);
        world.finish().await;
    }

    async fn an_attempt_that_was_interrupted_opens_no_checkout_against_todays_settings(backend: Backend) {
        let world = World::new(backend).await;
        // Paused before the call to Stripe: the key is held and has no answer yet.
        world.stripe.checkout_fault(1, json!({ "kind": "hold" })).await;
        let mut process = world.serve(None).await;
        tokio::join!(world.try_checkout("user_1", "key-1"), async {
            world.stripe.wait_for_holds(1).await;
            process.kill();
        });
        world.stripe.release().await;
        let mut settings = world.settings_afterwards();
        settings.insert("MAX_CREDITS", "100".to_owned());
        let mut process = Process::serve(&settings, None).await;
        let (status, problem) = world.try_checkout("user_1", "key-1").await.expect("an answer");
        assert_eq!((status, &problem["code"]), (400, &json!("invalid_request")), "{problem}");
        process.kill();
        world.finish().await;
    }
}
