//! A delivery without a valid Stripe signature is refused with 400, and nothing is written.

use serde_json::Value;
use stripe_sandbox::sign;
use topup::ports::Clock;

use crate::on_both_databases;
use crate::support::app::http_client;
use crate::support::books::{Rows, rows};
use crate::support::stripe::WEBHOOK_SECRET;
use crate::support::{Options, TestApp};

const OLD_SECRET: &str = "whsec_that_is_being_replaced";

fn now(app: &TestApp) -> i64 {
    app.clock.now_ms() / 1_000
}

/// The signature without its time.
fn v1(header: &str) -> &str {
    header.split_once("v1=").expect("a signature").1
}

async fn refused(app: &TestApp, what: &str, header: Option<&str>, body: &[u8]) {
    let answer = app.deliver_with(header, body).await;
    assert_eq!(
        (answer.status, answer.body["code"].as_str()),
        (400, Some("invalid_webhook")),
        "{what}: {}",
        answer.body
    );
    answer.expect_problem(400, "invalid_webhook");
    assert_eq!(rows(&app.app.db).await, Rows::default(), "{what}");
}

on_both_databases! {
    async fn a_delivery_whose_signature_does_not_hold_is_refused_and_writes_nothing(backend: Backend) {
        // Known mistake 3.
        let app = TestApp::start(backend).await;
        let (session, event) = app.pay_session("user_1", 250).await;
        let body = event.to_string().into_bytes();
        let at = now(&app);
        let good = sign(WEBHOOK_SECRET, at, &body);
        let signature = v1(&good);
        let headers = [
            ("empty", String::new()),
            ("words", "good morning".to_owned()),
            ("no signature", format!("t={at}")),
            ("no time", format!("v1={signature}")),
            ("only the dummy scheme", format!("t={at},v0={signature}")),
            ("a short signature", format!("t={at},v1={}", &signature[..62])),
            ("another time than was signed", format!("t={},v1={signature}", at - 1)),
            ("two times", format!("t={at},t={at},v1={signature}")),
            ("a wrong secret", sign("whsec_of_somebody_else", at, &body)),
            ("an empty secret", sign("", at, &body)),
            ("a secret without its prefix", sign(WEBHOOK_SECRET.trim_start_matches("whsec_"), at, &body)),
            ("a secret with white space", sign(&format!("{WEBHOOK_SECRET}\n"), at, &body)),
            ("several signatures, none of them right", format!("t={at},v1={},v1={}", "0".repeat(64), "f".repeat(64))),
        ];
        for (what, header) in &headers {
            refused(&app, what, Some(header), &body).await;
        }
        refused(&app, "no header", None, &body).await;
        refused(&app, "the body of another signature", Some(&sign(WEBHOOK_SECRET, at, b"{}")), &body).await;
        // The same bytes with the right header are accepted: none of the above failed for another reason.
        app.deliver_with(Some(&good), &body).await.expect(200);
        assert_eq!(
            (app.credits("user_1").await, app.session_state("user_1", &session).await),
            (250, "paid".to_owned())
        );
        app.finish().await;
    }

    async fn a_body_that_was_touched_is_refused(backend: Backend) {
        let app = TestApp::start(backend).await;
        let (_, event) = app.pay_session("user_1", 250).await;
        let body = event.to_string();
        let header = sign(WEBHOOK_SECRET, now(&app), body.as_bytes());
        let more_credits = body.replace("\"credits\":\"250\"", "\"credits\":\"950\"");
        assert_ne!(more_credits, body);
        refused(&app, "one byte changed", Some(&header), more_credits.as_bytes()).await;
        let rewritten = serde_json::to_string_pretty(&event).expect("JSON");
        assert_eq!(serde_json::from_str::<Value>(&rewritten).expect("JSON"), event);
        refused(&app, "written anew", Some(&header), rewritten.as_bytes()).await;
        refused(&app, "one byte more", Some(&header), format!("{body} ").as_bytes()).await;
        refused(&app, "one byte less", Some(&header), &body.as_bytes()[..body.len() - 1]).await;
        refused(&app, "nothing", Some(&header), b"").await;
        app.finish().await;
    }

    async fn two_signature_headers_are_refused(backend: Backend) {
        let app = TestApp::start(backend).await;
        let (_, event) = app.pay_session("user_1", 250).await;
        let body = event.to_string();
        let good = sign(WEBHOOK_SECRET, now(&app), body.as_bytes());
        let bad = format!("t={},v1={}", now(&app), "0".repeat(64));
        for (first, second) in [(&good, &bad), (&bad, &good), (&good, &good)] {
            let request = http_client()
                .post(format!("{}/webhooks/stripe", app.url))
                .header("stripe-signature", first)
                .header("stripe-signature", second)
                .body(body.clone());
            app.send(request).await.expect_problem(400, "invalid_webhook");
        }
        assert_eq!(rows(&app.app.db).await, Rows::default());
        app.finish().await;
    }

    async fn any_signature_of_any_configured_secret_holds(backend: Backend) {
        let secrets = format!("{WEBHOOK_SECRET},{OLD_SECRET}");
        let options = Options::default().setting("STRIPE_WEBHOOK_SECRET", secrets);
        let app = TestApp::start_with(backend, options).await;
        for (number, style) in ["new", "old", "both", "beside unknown ones"].into_iter().enumerate() {
            let account = format!("user_{number}");
            let (_, event) = app.pay_session(&account, 250).await;
            let body = event.to_string().into_bytes();
            let at = now(&app);
            let (new, old) = (sign(WEBHOOK_SECRET, at, &body), sign(OLD_SECRET, at, &body));
            let header = match style {
                "new" => new,
                "old" => old,
                "both" => format!("{old},v1={}", v1(&new)),
                _ => format!("t={at},v0={},v1={},v2=x,v1={}", "0".repeat(64), "0".repeat(64), v1(&old)),
            };
            app.deliver_with(Some(&header), &body).await.expect(200);
            assert_eq!(app.credits(&account).await, 250, "{style}");
        }
        let removed = sign("whsec_of_somebody_else", now(&app), b"{}");
        app.deliver_with(Some(&removed), b"{}").await.expect_problem(400, "invalid_webhook");
        app.finish().await;
    }

    async fn a_signature_is_good_for_five_minutes_and_no_longer(backend: Backend) {
        let app = TestApp::start(backend).await;
        let (_, event) = app.pay_session("user_1", 250).await;
        let body = event.to_string().into_bytes();
        let header = sign(WEBHOOK_SECRET, now(&app), &body);
        app.clock.advance_ms(330_000);
        app.deliver_with(Some(&header), &body).await.expect_problem(400, "invalid_webhook");
        assert_eq!((app.credits("user_1").await, rows(&app.app.db).await.failed), (0, 1), "it is listed");
        app.clock.advance_ms(-40_000);
        app.deliver_with(Some(&header), &body).await.expect(200);
        assert_eq!(app.credits("user_1").await, 250);
        app.finish().await;
    }

    async fn a_signed_text_that_is_no_event_is_refused_and_writes_nothing(backend: Backend) {
        let app = TestApp::start(backend).await;
        for body in ["", "null", "[]", "42", "\"evt_1\"", "{", "{}}", "\u{FEFF}{}"] {
            let header = sign(WEBHOOK_SECRET, now(&app), body.as_bytes());
            refused(&app, body, Some(&header), body.as_bytes()).await;
        }
        let not_utf8 = b"{\"type\":\"\xff\"}";
        refused(&app, "no UTF-8", Some(&sign(WEBHOOK_SECRET, now(&app), not_utf8)), not_utf8).await;
        app.finish().await;
    }
}
