//! Stripe deliveries that cannot be accepted as they arrive: too late, to another path, compressed.

use std::io::Write;

use serde_json::{Value, json};
use stripe_sandbox::sign;
use topup::ports::Clock;
use topup::providers::stripe::name::NAME as STRIPE;

use crate::on_both_databases;
use crate::support::app::http_client;
use crate::support::books::{Rows, rows};
use crate::support::stripe::WEBHOOK_SECRET;
use crate::support::{Answer, TestApp};

const NOTHING: Rows = Rows { events: 0, failed: 0, entries: 0, accounts: 0, paid: 0 };

/// Signs a body with a time offset in seconds and posts it.
async fn post(app: &TestApp, path: &str, secret: &str, offset: i64, body: &Value) -> Answer {
    let body = body.to_string();
    let header = sign(secret, app.clock.now_ms() / 1_000 + offset, body.as_bytes());
    let request = http_client().post(format!("{}{path}", app.url)).header("stripe-signature", header);
    app.send(request.body(body)).await
}

async fn error_of(app: &TestApp, event: &Value) -> (String, String) {
    let id = event["id"].as_str().expect("an id");
    let failed = app.app.db.failed_event(id).await.expect("readable").expect("listed").event;
    (failed.kind, failed.error)
}

/// Replays a listed delivery, as an operator does.
async fn replay(app: &TestApp, event: &Value) {
    let id = event["id"].as_str().expect("an id");
    topup::inbox::failed_deliveries::replay(&app.app, id).await.expect("works").expect("listed");
}

on_both_databases! {
    async fn a_delivery_that_comes_late_is_refused_listed_and_can_be_replayed(backend: Backend) {
        // Known mistake 37.
        let app = TestApp::start(backend).await;
        for (number, (offset, words)) in [(-86_400, "after"), (400, "ahead"), (-310, "after")].into_iter().enumerate() {
            let account = format!("user_{number}");
            let (_, event) = app.pay_session(&account, 250).await;
            let mut foreign = event.clone();
            foreign["data"]["object"]["metadata"] = json!({});
            let before = rows(&app.app.db).await;
            post(&app, "/webhooks/stripe", "whsec_of_somebody_else", offset, &event).await.expect_problem(400, "invalid_webhook");
            post(&app, "/webhooks/stripe", WEBHOOK_SECRET, offset, &foreign).await.expect_problem(400, "invalid_webhook");
            assert_eq!(rows(&app.app.db).await, before, "{offset}");
            post(&app, "/webhooks/stripe", WEBHOOK_SECRET, offset, &event).await.expect_problem(400, "invalid_webhook");
            let (kind, error) = error_of(&app, &event).await;
            assert!(kind == "transient" && error.contains(&format!(" s {words}")), "{kind} {error}");
            // The duration of the request makes it differ from the offset.
            let seconds = error.split(' ').find_map(|word| word.parse::<i64>().ok()).expect("a number of seconds");
            assert!((seconds - i64::abs(offset)).abs() < 60, "{offset}: {error}");
            assert_eq!(app.credits(&account).await, 0);
            replay(&app, &event).await;
            assert_eq!(app.credits(&account).await, 250);
            // A replay attack with the captured request cannot reopen it.
            post(&app, "/webhooks/stripe", WEBHOOK_SECRET, offset, &event).await.expect_problem(400, "invalid_webhook");
            assert!(!app.app.db.has_open_failure(STRIPE, event["id"].as_str().expect("an id")).await.expect("readable"));
        }
        app.finish().await;
    }

    async fn a_delivery_to_another_path_is_listed_and_one_that_is_not_signed_leaves_no_row(backend: Backend) {
        // Known mistake 37.
        let app = TestApp::start(backend).await;
        for path in ["/webhooks/stripe/", "/api/webhooks/stripe", "/", "/webhooks"] {
            let account = format!("user_{}", path.replace('/', "_"));
            let (_, event) = app.pay_session(&account, 250).await;
            let before = rows(&app.app.db).await;
            assert_eq!(post(&app, path, "whsec_of_somebody_else", 0, &event).await.status, 404, "{path}");
            assert_eq!(post(&app, path, WEBHOOK_SECRET, 0, &json!({ "id": "evt_1", "type": "invoice.paid" })).await.status, 404);
            assert_eq!(rows(&app.app.db).await, before);
            assert_eq!(post(&app, path, WEBHOOK_SECRET, 0, &event).await.status, 404, "{path}");
            let (kind, error) = error_of(&app, &event).await;
            assert!(kind == "transient" && error.contains(&format!("it came to {path},")), "{kind} {error}");
            assert!(error.contains("/webhooks/stripe; "), "{error}");
            // Stripe retries, now at the right path.
            app.deliver(&event).await.expect(200);
            assert_eq!(app.credits(&account).await, 250);
            assert!(!app.app.db.has_open_failure(STRIPE, event["id"].as_str().expect("an id")).await.expect("readable"));
        }
        app.finish().await;
    }

    async fn a_delivery_that_a_proxy_compressed_is_credited(backend: Backend) {
        let app = TestApp::start(backend).await;
        let gzip = |text: &[u8]| {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(text).expect("compresses");
            encoder.finish().expect("compresses")
        };
        let deflate = |text: &[u8]| {
            let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(text).expect("compresses");
            encoder.finish().expect("compresses")
        };
        let send = async |encoding: &str, signed: &[u8], body: Vec<u8>| {
            let header = sign(WEBHOOK_SECRET, app.clock.now_ms() / 1_000, signed);
            let request = http_client().post(format!("{}/webhooks/stripe", app.url)).header("stripe-signature", header);
            app.send(request.header("content-encoding", encoding).body(body)).await
        };
        for (encoding, account) in [("gzip", "user_1"), ("x-gzip", "user_2"), ("deflate", "user_3"), ("GZIP", "user_4"), ("identity", "user_5")] {
            let (_, event) = app.pay_session(account, 250).await;
            let text = event.to_string().into_bytes();
            let body = match encoding {
                "deflate" => deflate(&text),
                "identity" => text.clone(),
                _ => gzip(&text),
            };
            send(encoding, &text, body).await.expect(200);
            assert_eq!(app.credits(account).await, 250, "{encoding}");
        }
        let (_, event) = app.pay_session("user_6", 250).await;
        let text = event.to_string().into_bytes();
        let before = rows(&app.app.db).await;
        send("br", &text, gzip(&text)).await.expect_problem(415, "unsupported_content_encoding");
        send("gzip", &text, b"not gzip".to_vec()).await.expect_problem(400, "invalid_body");
        let bomb = vec![b' '; 64 * 1024 * 1024];
        send("gzip", &bomb, gzip(&bomb)).await.expect_problem(413, "body_too_large");
        send("gzip", b"another text", gzip(&text)).await.expect_problem(400, "invalid_webhook");
        assert_eq!(rows(&app.app.db).await, before);
        // A proxy that decompressed the body and left the header.
        send("gzip", &text, text.clone()).await.expect(200);
        assert_eq!(app.credits("user_6").await, 250);
        app.finish().await;
    }

    async fn strangers_with_late_or_lost_deliveries_are_read_a_few_at_a_time(backend: Backend) {
        use crate::support::process::raw_request;
        let app = TestApp::start(backend).await;
        let (_, event) = app.pay_session("user_1", 250).await;
        let address = app.url.trim_start_matches("http://").parse().expect("an address");
        let header = sign(WEBHOOK_SECRET, app.clock.now_ms() / 1_000 - 4_000, b"{}");
        let request = format!(
            "POST /webhooks/stripe HTTP/1.1\r\nhost: topup\r\nstripe-signature: {header}\r\ncontent-length: 100000\r\n\r\n{{"
        );
        let held: Vec<_> = (0..40).map(|_| raw_request(address, request.as_bytes())).collect();
        // Beyond a few, such requests are answered without reading the body.
        crate::support::until("most are answered", async || {
            let answered = held.iter().filter(|stream| is_answered(stream)).count();
            (answered >= 32).then_some(())
        })
        .await;
        app.deliver(&event).await.expect(200);
        assert_eq!((app.credits("user_1").await, rows(&app.app.db).await.failed), (250, NOTHING.failed));
        drop(held);
        app.finish().await;
    }
}

fn is_answered(stream: &std::net::TcpStream) -> bool {
    stream.set_nonblocking(true).expect("a mode");
    let is_answered = stream.peek(&mut [0]).is_ok();
    stream.set_nonblocking(false).expect("a mode");
    is_answered
}
