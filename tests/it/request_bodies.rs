//! The body of `POST /credits/sessions`: what is accepted, and the errors for everything else.

use serde_json::{Value, json};

use crate::support::app::{SUCCESS_URL, http_client};
use crate::support::{Answer, Backend, TestApp};

async fn post(app: &TestApp, content_type: Option<&str>, body: impl Into<reqwest::Body>) -> Answer {
    let request = http_client().post(format!("{}/credits/sessions", app.url)).bearer_auth(app.token("user_1"));
    let request = request.body(body);
    app.send(match content_type {
        Some(content_type) => request.header("content-type", content_type),
        None => request,
    })
    .await
}

async fn post_json(app: &TestApp, body: &Value) -> Answer {
    app.checkout_with("user_1", None, body.clone()).await
}

#[track_caller]
fn only_error(problem: &Value) -> (&str, &str) {
    let errors = problem["errors"].as_array().expect("a list");
    assert_eq!(errors.len(), 1, "{problem}");
    assert!(errors[0]["message"].as_str().is_some_and(|message| message.len() > 5), "{problem}");
    (errors[0]["field"].as_str().expect("a field"), errors[0]["code"].as_str().expect("a code"))
}

#[tokio::test]
async fn credits_that_are_no_whole_number_are_named() {
    let app = TestApp::start(Backend::Sqlite).await;
    for (credits, code) in [
        ("\"abc\"", "invalid_type"),
        ("\"250\"", "invalid_type"),
        ("1.5", "invalid_type"),
        ("250.0", "invalid_type"),
        ("1e30", "invalid_type"),
        ("2.5e2", "invalid_type"),
        ("99999999999999999999", "invalid_type"),
        ("true", "invalid_type"),
        ("[250]", "invalid_type"),
        ("{}", "invalid_type"),
        ("null", "required"),
        ("0", "too_few"),
        ("-1", "too_few"),
        ("-9223372036854775808", "too_few"),
        ("100001", "too_many"),
        ("9223372036854775807", "too_many"),
    ] {
        let body = format!("{{\"successUrl\": \"{SUCCESS_URL}\", \"credits\": {credits}}}");
        let problem = post(&app, Some("application/json"), body).await.expect_problem(400, "invalid_request");
        assert_eq!(only_error(&problem), ("credits", code), "{credits}");
        assert_eq!(problem["type"], "urn:topup:problem:invalid_request");
        assert_eq!(problem["title"], "Bad Request");
    }
    let problem = post_json(&app, &json!({ "successUrl": SUCCESS_URL })).await.expect_problem(400, "invalid_request");
    assert_eq!(only_error(&problem), ("credits", "required"));
    assert_eq!(app.stripe.requests().await, Vec::<Value>::new());
    app.finish().await;
}

#[tokio::test]
async fn everything_that_is_wrong_is_said_at_once() {
    let app = TestApp::start(Backend::Sqlite).await;
    let fields = |problem: &Value| -> Vec<String> {
        let errors = problem["errors"].as_array().expect("a list").iter();
        errors.map(|error| error["field"].as_str().expect("a field").to_owned()).collect()
    };
    let problem = post_json(&app, &json!({})).await.expect_problem(400, "invalid_request");
    assert_eq!(fields(&problem), ["credits", "successUrl"]);
    let body = json!({ "credits": 1, "successUrl": "/", "cancelUrl": "https://evil.example", "accountId": "" });
    let problem = post_json(&app, &body).await.expect_problem(400, "invalid_request");
    let mut wrong = fields(&problem);
    wrong.sort();
    assert_eq!(wrong, ["accountId", "cancelUrl", "credits", "successUrl"]);
    for field in wrong {
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains(&field)), "{problem}");
    }
    app.finish().await;
}

/// Known mistake 17.
#[tokio::test]
async fn a_customer_is_sent_to_allowed_pages_only() {
    let app = TestApp::start(Backend::Sqlite).await;
    for url in [
        "",
        "/done",
        "//evil.example",
        "http://app.example.com/done",
        "https://evil.example/",
        "https://app.example.com.evil.example/",
        "https://app.example.com@evil.example/",
        "https://evil.example\\@app.example.com/",
        "https://app.example.com:8443/",
        "javascript:alert(1)",
        "https://app.example.com/ done",
        "https://app.example.com/\ndone",
    ] {
        for field in ["successUrl", "cancelUrl"] {
            let mut body = json!({ "credits": 250, "successUrl": SUCCESS_URL });
            body[field] = url.into();
            let problem = post_json(&app, &body).await.expect_problem(400, "invalid_request");
            assert_eq!(only_error(&problem), (field, "invalid_url"), "{url:?}");
        }
    }
    for wrong in [json!(null), json!(7), json!(["https://app.example.com/"])] {
        let body = json!({ "credits": 250, "successUrl": wrong });
        let problem = post_json(&app, &body).await.expect_problem(400, "invalid_request");
        assert_eq!(only_error(&problem).0, "successUrl");
    }
    assert_eq!(app.stripe.requests().await, Vec::<Value>::new());
    app.finish().await;
}

#[tokio::test]
async fn allowed_pages_reach_stripe_to_the_letter() {
    let app = TestApp::start(Backend::Sqlite).await;
    let success = "https://app.example.com/a%20b?x=1&y=%C3%AB&s={CHECKOUT_SESSION_ID}#top";
    let cancel = "https://app.example.com";
    let body = json!({ "credits": 250, "successUrl": success, "cancelUrl": cancel });
    post_json(&app, &body).await.expect(200);
    let request = &app.stripe.checkout_requests().await[0];
    assert_eq!(
        (&request["params"]["success_url"], &request["params"]["cancel_url"]),
        (&success.into(), &cancel.into())
    );
    app.finish().await;
}

#[tokio::test]
async fn an_account_that_cannot_be_one_is_named() {
    let app = TestApp::start(Backend::Sqlite).await;
    let long = "x".repeat(201);
    for account in ["", " ", " user_1", "user_1 ", "user\n1", "user\u{200b}1", "user\u{0}1", long.as_str()] {
        let body = json!({ "credits": 250, "successUrl": SUCCESS_URL, "accountId": account });
        let problem = post_json(&app, &body).await.expect_problem(400, "invalid_request");
        assert_eq!(only_error(&problem), ("accountId", "invalid_account"), "{account:?}");
    }
    for path in ["/accounts/%20/credits", "/accounts/user%0A1/credits", "/accounts/user%E2%80%8B1/credits/transactions"]
    {
        let problem = app.get_as("user_1", path).await.expect_problem(400, "invalid_request");
        assert_eq!(only_error(&problem), ("accountId", "invalid_account"), "{path}");
    }
    // The caller may name its own account.
    let body = json!({ "credits": 250, "successUrl": SUCCESS_URL, "accountId": "user_1" });
    post_json(&app, &body).await.expect(200);
    app.finish().await;
}

#[tokio::test]
async fn a_body_that_is_no_json_object_is_refused() {
    let app = TestApp::start(Backend::Sqlite).await;
    let array = format!("[250, \"{SUCCESS_URL}\", null, null]");
    let twice = format!("{{\"credits\": 18, \"credits\": 250, \"successUrl\": \"{SUCCESS_URL}\"}}");
    let two = format!("{{\"credits\": 250, \"successUrl\": \"{SUCCESS_URL}\"}}{{}}");
    let deep = format!("{{\"credits\": {}", "[".repeat(10_000));
    for body in ["", " ", "{", "null", "7", "\"text\"", "[]", "{}{}", &array, &two, "{\"credits\": NaN}"] {
        post(&app, Some("application/json"), body.to_owned()).await.expect_problem(400, "invalid_json");
    }
    for body in [twice, deep] {
        post(&app, Some("application/json"), body).await.expect_problem(400, "invalid_request");
    }
    assert_eq!(post(&app, Some("application/json"), &b"{\"credits\xff\": 1}"[..]).await.status, 400);
    app.finish().await;
}

#[tokio::test]
async fn a_body_of_another_type_is_refused() {
    let app = TestApp::start(Backend::Sqlite).await;
    let body = json!({ "credits": 250, "successUrl": SUCCESS_URL }).to_string();
    let others =
        [None, Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("application/jsonp"), Some("")];
    for content_type in others {
        let answer = post(&app, content_type, body.clone()).await;
        answer.expect_problem(415, "unsupported_media_type");
    }
    for content_type in ["application/json; charset=utf-8", "Application/JSON"] {
        post(&app, Some(content_type), body.clone()).await.expect(200);
    }
    app.finish().await;
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_announced_or_not() {
    let app = TestApp::start(Backend::Sqlite).await;
    let padded = |size: usize| {
        let body = json!({ "credits": 250, "successUrl": SUCCESS_URL }).to_string();
        format!("{body}{}", " ".repeat(size - body.len()))
    };
    post(&app, Some("application/json"), padded(16 * 1024)).await.expect(200);
    let large = padded(16 * 1024 + 1);
    post(&app, Some("application/json"), large.clone()).await.expect_problem(413, "body_too_large");
    let address = app.url.trim_start_matches("http://").parse().expect("an address");
    let (head, token) = ("POST /credits/sessions HTTP/1.1\r\nhost: x\r\nconnection: close", app.token("user_1"));
    let request = format!(
        "{head}\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n\
         {:x}\r\n{large}\r\n0\r\n\r\n",
        large.len()
    );
    let send =
        move || crate::support::process::read_all(crate::support::process::raw_request(address, request.as_bytes()));
    let answer = tokio::task::spawn_blocking(send).await.expect("no panic");
    assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("body_too_large"), "{answer}");
    let signature = stripe_sandbox::sign(crate::support::stripe::WEBHOOK_SECRET, 1, b"");
    let signature = signature.replacen("t=1,", &format!("t={},", topup::ports::Clock::now_ms(&*app.clock) / 1_000), 1);
    let answer = app.deliver_with(Some(&signature), &vec![b' '; 1024 * 1024 + 1]).await;
    answer.expect_problem(413, "body_too_large");
    app.finish().await;
}

#[tokio::test]
async fn a_misspelt_field_is_refused_with_its_near_name_and_a_wrong_type_in_plain_words() {
    let app = TestApp::start(Backend::Sqlite).await;
    let mut body = json!({ "credits": 250, "successUrl": SUCCESS_URL, "cancelURL": SUCCESS_URL });
    let problem = post_json(&app, &body).await.expect_problem(400, "invalid_request");
    assert_eq!(only_error(&problem), ("cancelURL", "unknown_field"));
    assert_eq!(problem["detail"], "cancelURL: did you mean `cancelUrl`?");
    body = json!({ "credits": "250", "successUrl": SUCCESS_URL });
    let problem = post_json(&app, &body).await.expect_problem(400, "invalid_request");
    assert_eq!(problem["detail"], "credits: must be a whole number, not text");
    let problem = app.get("/credits/quote?credits=many").await.expect_problem(400, "invalid_request");
    assert_eq!(problem["detail"], "credits: must be a whole number");
    assert_eq!(app.stripe.requests().await, Vec::<Value>::new());
    app.finish().await;
}
