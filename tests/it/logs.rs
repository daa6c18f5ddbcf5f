//! What the service logs, and what it does not.

use serde_json::{Value, json};
use topup::ports::Clock;

use crate::support::app::{http_client, settings};
use crate::support::process::{Process, free_port, topup};
use crate::support::stripe::WEBHOOK_SECRET;
use crate::support::{Backend, Options, TestApp};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_names_the_reason_and_the_way_out_and_routine_does_not_drown_it() {
    // Known mistake 37.
    let app = TestApp::start_with(Backend::Sqlite, Options::default()).await;
    let (_, event) = app.pay_session("user_1", 250).await;
    let (_, lost) = app.pay_session("user_2", 400).await;
    let address = format!("127.0.0.1:{}", free_port());
    let settings = settings(&app.database.url, &app.stripe.url, &[("BIND_ADDRESS", address.clone())]);
    let mut command = topup(&settings);
    command.arg("serve");
    let mut process = Process::start(command);
    process.error_line("\"serving\"").await;
    let url = |path: &str| format!("http://{address}{path}");
    let send = async |request: reqwest::RequestBuilder| request.send().await.expect("an answer").status().as_u16();
    for _ in 0..3 {
        let refused =
            http_client().get(url("/credits")).header("origin", "https://stranger.example").bearer_auth("x.y.z");
        assert_eq!(send(refused).await, 401);
        let preflight = http_client()
            .request(reqwest::Method::OPTIONS, url("/credits"))
            .header("origin", "https://app.example.com")
            .header("access-control-request-method", "GET")
            .header("access-control-request-headers", "authorization,x-of-another-tool");
        assert_eq!(send(preflight).await, 400);
        assert_eq!(send(http_client().get(url("/health/live"))).await, 200);
    }
    // A page of the service itself.
    let own = http_client().get(url("/health/live")).header("origin", format!("http://{address}"));
    assert_eq!(send(own).await, 200);
    let deliver = async |path: &str, event: &Value| {
        let body = event.to_string();
        let header = stripe_sandbox::sign(WEBHOOK_SECRET, app.clock.now_ms() / 1_000, body.as_bytes());
        send(http_client().post(url(path)).header("stripe-signature", header).body(body)).await
    };
    assert_eq!(deliver("/api/webhooks/stripe", &lost).await, 404);
    let mut wrong = lost.clone();
    wrong["id"] = json!("evt_wrong");
    wrong["data"]["object"]["metadata"]["accountId"] = json!("mallory");
    assert_eq!(deliver("/webhooks/stripe", &wrong).await, 200);
    assert_eq!(deliver("/webhooks/stripe", &event).await, 200);
    let lines = process.error_line("\"credited\"").await;
    let lines: Vec<Value> = lines.iter().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let with = |message: &str| -> Vec<&Value> { lines.iter().filter(|line| line["message"] == message).collect() };
    let credited = with("credited");
    assert_eq!((credited.len(), &credited[0]["credits"]), (1, &json!(250)), "{credited:?}");
    assert!(credited[0]["topup"].as_str().is_some_and(|topup| topup.starts_with("topup_")), "{credited:?}");
    let origins = with("browsers keep answers from pages of this origin");
    assert_eq!((origins.len(), &origins[0]["origin"]), (1, &json!("https://stranger.example")), "{origins:?}");
    assert!(origins[0]["way_out"].as_str().is_some_and(|way| way.contains("ALLOWED_ORIGINS")), "{origins:?}");
    let headers = with("a page may not send these headers");
    assert_eq!(headers.len(), 1, "{headers:?}");
    assert!(headers[0]["way_out"].as_str().is_some_and(|way| way.contains("ALLOWED_HEADERS")), "{headers:?}");
    assert!(headers[0]["headers"].as_str().is_some_and(|headers| headers.contains("x-of-another-tool")), "{headers:?}");
    let refused: Vec<&Value> = with("request refused").into_iter().filter(|line| line["status"] == 401).collect();
    assert_eq!(refused.len(), 3);
    assert!(refused[0]["reason"].as_str().is_some_and(|reason| reason.contains("invalid_token")), "{refused:?}");
    let strays = with("a delivery of Stripe's was not applied");
    assert_eq!(
        (strays.len(), &strays[0]["level"], &strays[0]["event"]),
        (1, &json!("WARN"), &lost["id"]),
        "{strays:?}"
    );
    assert!(strays[0]["reason"].as_str().is_some_and(|reason| reason.contains("/api/webhooks/stripe")), "{strays:?}");
    let rejected = with("webhook event rejected: it will never have an effect");
    assert!(rejected.len() == 1 && !rejected[0].to_string().contains("mallory\""), "{rejected:?}");
    assert!(
        !rejected[0].to_string().contains("user_2") && rejected[0].to_string().contains("accountId"),
        "{rejected:?}"
    );
    assert!(with("request").is_empty(), "routine is for the debug level");
    process.terminate();
    assert!(process.ended().await.0);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_a_day_off_is_found_by_stripes_date() {
    let app = TestApp::start_with(Backend::Sqlite, Options::default()).await;
    let stripe = topup::providers::stripe::clock::StripeClock::new(Some(&app.stripe.url)).expect("a client");
    for (move_ms, expected) in [(0_i64, 0_i64), (86_400_000, 86_400), (-2 * 86_400_000, -86_400)] {
        app.clock.advance_ms(move_ms);
        let ahead = topup::app::check_clock::check_clock(app.clock.as_ref(), &stripe).await.expect("an answer");
        assert!((ahead - expected).abs() <= 30, "{ahead} {expected}");
    }
    app.finish().await;
}
