//! The demo's server writes texts for credits: the recipe for streams, as a reader would copy it.

use reqwest::Response;
use reqwest::header::HeaderValue;
use serde_json::{Value, json};
use topup::books::spend::spend_credits::{HoldRequest, place_hold};
use topup::books::spend::spends::Purpose;
use topup::domain::account::AccountId;
use topup::http::demo::DEMO_ACCOUNT;

use crate::support::app::http_client;
use crate::support::{Backend, Options, TestApp, until};
use crate::unit::millionths;

async fn start() -> TestApp {
    TestApp::start_with(Backend::Sqlite, Options { demo: true, ..Options::default() }).await
}

/// A request to the demo's server, as its page sends it.
async fn post(app: &TestApp, path: &str, body: Value) -> Response {
    let request = http_client().post(format!("{}{path}", app.url)).bearer_auth(app.token(DEMO_ACCOUNT));
    request.json(&body).send().await.expect("answers")
}

/// Three presents of 30 words each.
async fn ninety_words(app: &TestApp) {
    for _ in 0..3 {
        assert_eq!(post(app, "/demo/gift", json!({})).await.status(), 200);
    }
}

/// Asks for a text and reads it to its end.
async fn generated(app: &TestApp, from_word: usize) -> Vec<Value> {
    let answer = post(app, "/demo/generate", json!({ "prompt": "the sea", "fromWord": from_word })).await;
    assert_eq!(answer.status(), 200);
    let text = answer.text().await.expect("text");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn numbers(balance: &Value) -> [i64; 3] {
    ["remainingCredits", "heldCredits", "availableCredits"].map(|name| balance[name].as_i64().expect("a number"))
}

async fn balance(app: &TestApp) -> [i64; 3] {
    numbers(&app.get_as(DEMO_ACCOUNT, "/credits").await.expect(200))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn words_are_held_extended_and_captured_until_the_last_credit_and_then_go_on() {
    let app = start().await;
    ninety_words(&app).await;
    let lines = generated(&app, 0).await;
    let balances: Vec<_> = lines.iter().filter(|line| !line["balance"].is_null()).collect();
    let steps: Vec<_> = balances.iter().map(|line| numbers(&line["balance"])).collect();
    // 40 words are held first, 40 more at 80 %, and then what there is.
    assert_eq!(steps, [[90, 40, 50], [90, 80, 10], [90, 90, 0], [0, 0, 0]]);
    let words = lines.iter().filter(|line| line["word"].is_string()).count();
    let end = lines.last().expect("an end");
    assert_eq!((words, &end["end"], &end["credits"]), (90, &json!("insufficient_credits"), &json!(90)));

    let refused = post(&app, "/demo/generate", json!({ "prompt": "the sea" })).await;
    assert_eq!(
        (refused.status().as_u16(), &refused.headers()["content-type"]),
        (402, &HeaderValue::from_static("application/problem+json"))
    );
    let problem: Value = refused.json().await.expect("JSON");
    assert_eq!((&problem["code"], &problem["requiredCredits"]), (&json!("insufficient_credits"), &json!(5)));

    ninety_words(&app).await;
    let lines = generated(&app, words).await;
    let rest = lines.iter().filter(|line| line["word"].is_string()).count();
    assert_eq!(lines.last().expect("an end")["end"], "finished");
    assert!(rest > 20 && rest < 60, "{rest}");
    let left = 90 - i64::try_from(rest).expect("small");
    assert_eq!(balance(&app).await, [left, 0, left]);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_who_leaves_is_charged_for_what_was_written() {
    let app = start().await;
    ninety_words(&app).await;
    let mut answer = post(&app, "/demo/generate", json!({ "prompt": "the sea" })).await;
    let mut text = String::new();
    while text.lines().count() < 11 {
        let chunk = answer.chunk().await.expect("readable").expect("more");
        text.push_str(std::str::from_utf8(&chunk).expect("text"));
    }
    drop(answer);
    let [remaining, _, available] =
        until("the capture", async || Some(balance(&app).await).filter(|now| now[1] == 0)).await;
    assert!(remaining <= 80 && remaining > 10 && available == remaining, "{remaining}");
    let entries = app.get_as(DEMO_ACCOUNT, "/credits/transactions?limit=1").await.expect(200);
    assert_eq!(
        (&entries["data"][0]["kind"], &entries["data"][0]["balanceAfter"]),
        (&json!("spend"), &json!(remaining))
    );
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_others_hold_is_no_reason_to_buy_and_the_page_is_told_so() {
    let app = start().await;
    assert_eq!(post(&app, "/demo/gift", json!({})).await.status(), 200);
    let other = HoldRequest {
        account: AccountId::parse(DEMO_ACCOUNT).expect("an account"),
        credits: 28,
        minimum_credits: 28,
        expires_in_seconds: 60,
        purpose: Purpose { operation: String::new(), subject: String::new(), metadata: None },
        key: "other".to_owned(),
    };
    place_hold(&app.app, other).await.expect("is held");
    let refused = post(&app, "/demo/generate", json!({ "prompt": "the sea" })).await;
    assert_eq!((refused.status().as_u16(), &refused.headers()["retry-after"]), (409, &HeaderValue::from_static("1")));
    assert_eq!(refused.json::<Value>().await.expect("JSON")["code"], "credits_held");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_present_ends_after_two_minutes() {
    let app = start().await;
    let gift: Value = post(&app, "/demo/gift", json!({})).await.json().await.expect("JSON");
    assert_eq!((&gift["remainingCredits"], &gift["reason"]), (&json!(30), &json!("A present")));
    app.clock.advance_ms(119_000);
    assert_eq!(balance(&app).await, [30, 0, 30]);
    app.clock.advance_ms(1_000);
    assert_eq!(balance(&app).await, [0, 0, 0]);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_s_server_asks_who_the_customer_is_and_checks_what_they_send() {
    let app = start().await;
    for path in ["/demo/generate", "/demo/gift"] {
        let request = http_client().post(format!("{}{path}", app.url)).json(&json!({ "prompt": "the sea" }));
        assert_eq!(request.send().await.expect("answers").status(), 401, "{path}");
    }
    let long = "x".repeat(501);
    for body in [json!({}), json!({ "prompt": "" }), json!({ "prompt": long }), json!({ "prompt": "a", "credits": 0 })]
    {
        assert_eq!(post(&app, "/demo/generate", body.clone()).await.status(), 400, "{body}");
    }
    // The page and its scripts have no API key.
    for path in ["/", "/demo/demo.js", "/demo/spending.js", "/elements.js", "/auto-topup.js", "/manage-plan.js"] {
        let text = http_client().get(format!("{}{path}", app.url)).send().await.expect("answers").text().await;
        let text = text.expect("text");
        assert!(text.len() > 1_000 && !text.contains("topup_sk_"), "{path}");
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_small_unit_a_word_costs_one_unit() {
    let app = TestApp::start_with(Backend::Sqlite, Options { demo: true, ..millionths() }).await;
    let page = http_client().get(&app.url).send().await.expect("answers").text().await.expect("text");
    assert!(page.contains("A word costs 0.01 credits.") && page.contains(r#"data-word-credits="10000""#), "{page}");
    assert_eq!(post(&app, "/demo/gift", json!({})).await.status(), 200);
    let lines = generated(&app, 0).await;
    assert_eq!((lines.len(), &lines[31]["credits"]), (32, &json!(300_000)));
    app.finish().await;
}
