//! Responses for browsers: request ids, security headers and CORS.

use std::collections::HashSet;

use reqwest::Method;
use serde_json::json;

use crate::support::app::http_client;
use crate::support::{Answer, Backend, Options, TestApp};

async fn preflight(app: &TestApp, origin: &str, method: &str, headers: &str) -> Answer {
    let request = http_client().request(Method::OPTIONS, format!("{}/credits/sessions", app.url));
    let request = request.header("origin", origin).header("access-control-request-method", method);
    app.send(request.header("access-control-request-headers", headers)).await
}

fn list(answer: &Answer, header: &str) -> Vec<String> {
    let value = answer.headers.get(header).cloned().unwrap_or_default();
    let mut names: Vec<String> = value.split(',').map(|name| name.trim().to_lowercase()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn every_answer_has_a_request_id_of_its_own() {
    let app = TestApp::start(Backend::Sqlite).await;
    let mut ids = HashSet::new();
    let answers = [
        app.get("/health/live").await,
        app.get("/health/live").await,
        app.get("/nothing").await,
        app.get("/credits").await,
        app.get("/credits/quote?credits=1").await,
        app.deliver_with(None, b"{}").await,
        app.get_as("user_1", "/credits").await,
        app.get("/openapi.json").await,
        preflight(&app, "https://app.example.com", "POST", "content-type").await,
    ];
    for answer in &answers {
        let id = answer.headers.get("x-request-id").unwrap_or_else(|| panic!("{answer:?}"));
        assert!(id.starts_with("req_"), "{id}");
        assert!(ids.insert(id.clone()), "{id} twice");
    }
    let request = http_client().get(format!("{}/health/live", app.url)).header("x-request-id", "of-the-caller");
    let answer = app.send(request).await;
    assert_ne!(answer.headers["x-request-id"], "of-the-caller", "nobody else fills the log with ids");
    app.finish().await;
}

#[tokio::test]
async fn every_answer_has_headers_that_keep_a_browser_from_harm() {
    let app = TestApp::start(Backend::Sqlite).await;
    for path in ["/health/live", "/credits", "/nothing", "/credits/quote?credits=250", "/openapi.json", "/docs/"] {
        let headers = app.get(path).await.headers;
        let header = |name: &str| headers.get(name).map_or("", String::as_str);
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header("x-frame-options"), "DENY", "{path}");
        assert_eq!(header("referrer-policy"), "no-referrer", "{path}");
        assert_eq!(header("cache-control"), "no-store", "{path}");
        assert_eq!(header("cross-origin-opener-policy"), "same-origin", "{path}");
        let policy = header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        assert!(!policy.contains("http") && !policy.contains('*'), "{path}: {policy}");
        assert_eq!(header("strict-transport-security"), "", "{path}: not over http");
        assert_eq!(header("server"), "", "{path}");
    }
    app.finish().await;
    let options = Options::default().setting("PUBLIC_URL", "https://credits.example.com");
    let app = TestApp::start_with(Backend::Sqlite, options).await;
    let answer = app.get("/health/live").await;
    assert_eq!(answer.headers.get("strict-transport-security").map(String::as_str), Some("max-age=31536000"));
    app.finish().await;
}

#[tokio::test]
async fn a_page_of_an_allowed_origin_may_call() {
    let origins = Options::default().setting("ALLOWED_ORIGINS", "https://app.example.com,http://localhost:3000");
    let app = TestApp::start_with(Backend::Sqlite, origins).await;
    for origin in ["https://app.example.com", "http://localhost:3000"] {
        let headers = "authorization,content-type,idempotency-key,x-api-key";
        let answer = preflight(&app, origin, "POST", headers).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.headers["access-control-allow-origin"], origin);
        assert_eq!(list(&answer, "access-control-allow-methods"), ["delete", "get", "post", "put"]);
        let allowed = list(&answer, "access-control-allow-headers");
        for header in ["authorization", "content-type", "idempotency-key", "x-api-key"] {
            assert!(allowed.contains(&header.to_owned()), "{allowed:?}");
        }
        assert!(!answer.headers.contains_key("access-control-allow-credentials"), "no cookies are used");

        let request = http_client().get(format!("{}/credits", app.url)).header("origin", origin);
        let answer = app.send(request.bearer_auth(app.token("user_1"))).await;
        assert_eq!(answer.headers["access-control-allow-origin"], origin);
        assert_eq!(list(&answer, "access-control-expose-headers"), ["retry-after", "x-request-id"]);
        assert!(list(&answer, "vary").contains(&"origin".to_owned()), "{answer:?}");
        answer.expect(200);
        // The page must be able to read the error.
        let answer = app.send(http_client().get(format!("{}/credits", app.url)).header("origin", origin)).await;
        assert_eq!(answer.headers["access-control-allow-origin"], origin);
        answer.expect_problem(401, "missing_credentials");
    }
    app.finish().await;
}

#[tokio::test]
async fn a_page_of_a_foreign_origin_gets_no_permission() {
    let app = TestApp::start(Backend::Sqlite).await;
    for origin in [
        "https://evil.example",
        "https://app.example.com.evil.example",
        "http://app.example.com",
        "https://app.example.com:8443",
        "https://sub.app.example.com",
        "null",
    ] {
        let answer = preflight(&app, origin, "POST", "authorization").await;
        assert!(!answer.headers.contains_key("access-control-allow-origin"), "{origin}: {answer:?}");
        let request = http_client().get(format!("{}/credits/quote?credits=250", app.url)).header("origin", origin);
        let answer = app.send(request).await;
        assert!(!answer.headers.contains_key("access-control-allow-origin"), "{origin}: {answer:?}");
        answer.expect(200);
    }
    for (method, headers) in [("PATCH", "authorization"), ("POST", "x-other")] {
        let answer = preflight(&app, "https://app.example.com", method, headers).await;
        let permitted = list(&answer, "access-control-allow-methods").contains(&method.to_lowercase())
            && list(&answer, "access-control-allow-headers").contains(&headers.to_owned());
        assert!(!permitted, "{method} {headers}: {answer:?}");
    }
    app.finish().await;
}

#[tokio::test]
async fn pages_of_previews_and_apps_may_call_and_only_pages_receive_customers() {
    let origins = "https://*.example.com,https://*-myteam.vercel.app,capacitor://localhost,http://tauri.localhost,\
        chrome-extension://abcdefghijklmnop,moz-extension://*";
    let app = TestApp::start_with(Backend::Sqlite, Options::default().setting("ALLOWED_ORIGINS", origins)).await;
    for (origin, page) in [
        ("https://pr-7.example.com", true),
        ("https://shop-git-main-myteam.vercel.app", true),
        ("capacitor://localhost", false),
        ("http://tauri.localhost", false),
        ("chrome-extension://abcdefghijklmnop", false),
        ("moz-extension://0b1d7e8a-2f3c-4d5e-8f90-a1b2c3d4e5f6", false),
    ] {
        let answer = preflight(&app, origin, "POST", "authorization,content-type").await;
        assert_eq!(answer.headers.get("access-control-allow-origin").map(String::as_str), Some(origin), "{answer:?}");
        assert!(list(&answer, "vary").contains(&"origin".to_owned()), "{answer:?}");
        let body = json!({ "credits": 250, "successUrl": format!("{origin}/done") });
        let answer = app.checkout_with("user_1", None, body).await;
        if page {
            answer.expect(200);
        } else {
            let problem = answer.expect_problem(400, "invalid_request");
            assert!(problem.to_string().contains("Universal Links"), "{problem}");
        }
    }
    for foreign in ["https://a.b.example.com", "https://example.com", "https://evil.vercel.app", "ionic://localhost"] {
        let answer = preflight(&app, foreign, "POST", "authorization").await;
        assert!(!answer.headers.contains_key("access-control-allow-origin"), "{foreign}: {answer:?}");
    }
    app.finish().await;
}

#[tokio::test]
async fn headers_of_tracing_libraries_are_allowed_and_more_by_a_setting() {
    let settings = Options::default().setting("ALLOWED_HEADERS", "X-Request-Source, x-b3-traceid");
    let app = TestApp::start_with(Backend::Sqlite, settings).await;
    for header in
        ["baggage", "sentry-trace", "traceparent", "tracestate", "x-client-info", "x-request-source", "x-b3-traceid"]
    {
        let answer = preflight(&app, "https://app.example.com", "POST", &format!("authorization,{header}")).await;
        assert_eq!(answer.status, 200, "{header}: {answer:?}");
        assert!(list(&answer, "access-control-allow-headers").contains(&header.to_owned()), "{header}: {answer:?}");
    }
    let answer = preflight(&app, "https://app.example.com", "POST", "x-other").await;
    assert!(!list(&answer, "access-control-allow-headers").contains(&"x-other".to_owned()), "{answer:?}");
    app.finish().await;
}

#[tokio::test]
async fn an_encoded_placeholder_reaches_stripe_as_it_wants_it() {
    let app = TestApp::start(Backend::Sqlite).await;
    let body = json!({ "credits": 250, "successUrl": "https://app.example.com/done?id=%7BCHECKOUT_SESSION_ID%7D" });
    app.checkout_with("user_1", None, body).await.expect(200);
    let sent = app.stripe.checkout_requests().await.pop().expect("a request").to_string();
    assert!(sent.contains("{CHECKOUT_SESSION_ID}"), "{sent}");
    app.finish().await;
}

#[tokio::test]
async fn pages_of_allowed_origins_may_import_the_elements() {
    let app = TestApp::start(Backend::Sqlite).await;
    let files = [
        ("/elements.js", &["credits-meter", "buy-credits"][..]),
        ("/auto-topup.js", &["auto-topup"][..]),
        ("/manage-plan.js", &["manage-plan"][..]),
    ];
    for (path, elements) in files {
        for (origin, is_allowed) in [("https://app.example.com", true), ("https://evil.example", false)] {
            let request = http_client().get(format!("{}{path}", app.url)).header("origin", origin);
            let answer = request.send().await.expect("answers");
            assert_eq!(answer.status(), 200, "{path} {origin}");
            let headers = answer.headers().clone();
            let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
            assert_eq!(header("access-control-allow-origin"), is_allowed.then_some(origin));
            assert_eq!(header("content-type"), Some("text/javascript; charset=utf-8"));
            assert_eq!(header("cache-control"), Some("public, max-age=600"));
            assert_eq!(header("x-content-type-options"), Some("nosniff"));
            let script = answer.text().await.expect("text");
            assert!(elements.iter().all(|element| script.contains(element)), "{path} {origin}");
        }
        let answer = app.send(http_client().post(format!("{}{path}", app.url))).await;
        assert_eq!(answer.headers["allow"], "GET, HEAD");
        answer.expect_problem(405, "method_not_allowed");
    }
    app.finish().await;
}
