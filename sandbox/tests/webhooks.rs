//! Webhooks: signed, sent to subscribed endpoints, retried until the answer is 2xx.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use stripe_sandbox::{Config, RetryPolicy, WebhookEndpoint, sign};

use crate::support::{
    KEY, World,
    receiver::{Receiver, Reply},
    start, start_with,
};

const SECRET: &str = "whsec_test";

/// Retries fast enough for a test.
fn quick(attempts: u32) -> RetryPolicy {
    RetryPolicy { initial: Duration::from_millis(10), max: Duration::from_millis(40), attempts }
}

async fn world_for(receiver: &Receiver) -> World {
    let mut config = Config::local(KEY).with_webhook(&receiver.url, SECRET);
    config.retry = quick(50);
    start_with(config).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_sends_its_events_signed() {
    let receiver = Receiver::start().await;
    let world = world_for(&receiver).await;
    let id = world.session().await;
    let params = [("payment_method", "pm_card_visa"), ("expected_amount", "289")];
    let answer = world.post_with_key(&format!("/v1/payment_pages/{id}/confirm"), &params, "key-1").await;
    world.idle().await;
    let mut kinds = receiver.kinds();
    kinds.sort();
    let mut expected = world.event_types().await;
    expected.sort();
    assert_eq!(kinds, expected);
    for webhook in receiver.received() {
        let time: i64 = webhook.signature[2..].split(',').next().unwrap().parse().unwrap();
        assert_eq!(webhook.signature, sign(SECRET, time, &webhook.raw));
        assert!(webhook.content_type.starts_with("application/json"));
        let event = webhook.event();
        assert_eq!(event["api_version"], json!(stripe_sandbox::DEFAULT_API_VERSION));
        assert_eq!(event["pending_webhooks"], json!(1));
        let request = json!({ "id": answer.header("request-id"), "idempotency_key": "key-1" });
        assert_eq!(event["request"], request);
        let stored = world.get(&format!("/v1/events/{}", event["id"].as_str().unwrap())).await.json();
        assert_eq!(stored["pending_webhooks"], json!(0), "it was delivered");
        assert_eq!(stored["data"], event["data"]);
    }
    let completed = receiver.until_kind("checkout.session.completed").await;
    assert_eq!(completed["data"]["object"]["payment_status"], json!("paid"));
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_not_2xx_is_sent_again_with_a_fresh_signature() {
    let receiver = Receiver::start().await;
    let elsewhere = Receiver::start().await;
    let redirect = Reply::Redirect(elsewhere.url.clone());
    receiver.will(&[Reply::Status(500), Reply::Status(400), redirect, Reply::Status(204)]);
    let world = world_for(&receiver).await;
    let id = world.session().await;
    world.post(&format!("/v1/checkout/sessions/{id}/expire"), &[]).await;
    let webhooks = receiver.until(|webhooks| webhooks.len() == 4).await;
    let bodies: Vec<_> = webhooks.iter().map(|webhook| webhook.raw.clone()).collect();
    assert!(bodies.iter().all(|body| *body == bodies[0]), "the same bytes each time");
    for webhook in &webhooks {
        let time: i64 = webhook.signature[2..].split(',').next().unwrap().parse().unwrap();
        assert_eq!(webhook.signature, sign(SECRET, time, &webhook.raw));
    }
    world.idle().await;
    let log = world.get("/_sandbox/deliveries").await.json();
    let attempts: Vec<_> =
        log["deliveries"].as_array().unwrap().iter().map(|a| (&a["attempt"], &a["status"])).collect();
    let expected = [(1, 500), (2, 400), (3, 302), (4, 204)].map(|(attempt, status)| (json!(attempt), json!(status)));
    assert_eq!(attempts, expected.iter().map(|(a, s)| (a, s)).collect::<Vec<_>>());
    assert_eq!(log["deliveries"][0]["body"], json!("seen"));
    assert_eq!(log["pending"], json!([]));
    assert!(elsewhere.received().is_empty(), "a redirect is not followed");
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreachable_receiver_gets_it_when_it_comes_back() {
    let receiver = Receiver::start().await;
    let port: u16 = url::Url::parse(&receiver.url).unwrap().port().unwrap();
    let world = world_for(&receiver).await;
    receiver.stop().await;
    let id = world.session().await;
    world.post(&format!("/v1/checkout/sessions/{id}/expire"), &[]).await;
    let failed = async {
        while world.get("/_sandbox/deliveries").await.json()["deliveries"].as_array().unwrap().len() < 2 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), failed).await.expect("two attempts that found nobody");
    let log = world.get("/_sandbox/deliveries").await.json();
    assert_eq!(log["deliveries"][0]["status"], json!(null));
    assert!(log["deliveries"][0]["error"].as_str().unwrap().contains("refused"), "{log}");
    let receiver = Receiver::start_on(port).await;
    receiver.until_kind("checkout.session.expired").await;
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn attempts_end_at_the_limit_and_resend_makes_one_more() {
    let receiver = Receiver::start().await;
    receiver.will(&[Reply::Status(500), Reply::Status(500), Reply::Status(500)]);
    let mut config = Config::local(KEY).with_webhook(&receiver.url, SECRET);
    config.retry = quick(2);
    let world = start_with(config).await;
    let id = world.session().await;
    world.post(&format!("/v1/checkout/sessions/{id}/expire"), &[]).await;
    receiver.until(|received| received.len() == 2).await;
    let ended = async {
        while world.get("/_sandbox/deliveries").await.json()["pending"] != json!([]) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), ended).await.expect("given up");
    let event = receiver.received()[0].event()["id"].as_str().unwrap().to_owned();
    assert_eq!(world.get(&format!("/v1/events/{event}")).await.json()["pending_webhooks"], json!(1));
    for (count, pending) in [(3, 1), (4, 0)] {
        let queued = world.control(&format!("/_sandbox/events/{event}/resend"), "").await;
        assert_eq!(queued.json()["queued"], json!(1));
        receiver.until(|received| received.len() == count).await;
        world.idle().await;
        let stored = world.get(&format!("/v1/events/{event}")).await.json();
        assert_eq!(stored["pending_webhooks"], json!(pending), "a resend is tried once");
    }
    assert_eq!(world.get("/_sandbox/deliveries").await.json()["pending"], json!([]), "a failed resend is not retried");
    assert_eq!(receiver.received().len(), 4);
    assert_eq!(world.control("/_sandbox/events/evt_x/resend", "").await.status, 404);
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_receiver_of_one_event_does_not_hold_up_the_others() {
    let receiver = Receiver::start().await;
    receiver.will(&[Reply::Hang]);
    let world = world_for(&receiver).await;
    let id = world.session().await;
    world.confirm(&id, "pm_card_visa").await;
    receiver.until(|received| received.len() == 5).await;
    receiver.release();
    world.idle().await;
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn paused_webhooks_wait() {
    let receiver = Receiver::start().await;
    let world = world_for(&receiver).await;
    world.control("/_sandbox/deliveries/pause", "").await;
    let id = world.session().await;
    world.confirm(&id, "pm_card_visa").await;
    world.idle().await;
    assert!(receiver.received().is_empty());
    assert_eq!(world.get("/_sandbox/deliveries").await.json()["pending"].as_array().unwrap().len(), 5);
    world.control("/_sandbox/deliveries/resume", "").await;
    receiver.until(|received| received.len() == 5).await;
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn endpoints_made_over_the_api_get_what_they_asked_for() {
    let (all, some) = (Receiver::start().await, Receiver::start().await);
    let world = start().await;
    let params = [
        ("url", some.url.as_str()),
        ("enabled_events[0]", "checkout.session.completed"),
        ("api_version", "2024-06-20"),
        ("description", "for orders"),
    ];
    let made = world.post("/v1/webhook_endpoints", &params).await.json();
    let secret = made["secret"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("whsec_"));
    let id = made["id"].as_str().unwrap();
    let shown = world.get(&format!("/v1/webhook_endpoints/{id}")).await.json();
    assert_eq!((shown.get("secret"), &shown["status"]), (None, &json!("enabled")));
    let params = [("url", all.url.as_str()), ("enabled_events[]", "*")];
    world.post("/v1/webhook_endpoints", &params).await;
    let session = world.session().await;
    world.confirm(&session, "pm_card_visa").await;
    world.idle().await;
    assert_eq!(some.kinds(), ["checkout.session.completed"]);
    assert_eq!(all.received().len(), 5);
    let webhook = &some.received()[0];
    let time: i64 = webhook.signature[2..].split(',').next().unwrap().parse().unwrap();
    assert_eq!(webhook.signature, sign(&secret, time, &webhook.raw));
    assert_eq!(webhook.event()["api_version"], json!("2024-06-20"));
    assert_eq!(webhook.event()["data"]["object"]["ui_mode"], json!("hosted"), "written in the endpoint's version");
    world.post(&format!("/v1/webhook_endpoints/{id}"), &[("disabled", "true")]).await;
    let session = world.session().await;
    world.confirm(&session, "pm_card_visa").await;
    world.idle().await;
    assert_eq!(some.received().len(), 1, "a disabled endpoint gets nothing");
    let pending = world.get("/_sandbox/deliveries").await.json()["pending"].clone();
    assert_eq!(pending, json!([]), "and nothing waits for it");
    let gone = world.send(Method::DELETE, &format!("/v1/webhook_endpoints/{id}"), &[], &[]).await.unwrap();
    assert_eq!(gone.json(), json!({ "id": id, "object": "webhook_endpoint", "deleted": true }));
    let listed = world.get("/v1/webhook_endpoints").await.json();
    assert_eq!(listed["data"].as_array().unwrap().len(), 1);
    let refused =
        world.post("/v1/webhook_endpoints", &[("url", "https://x.example/"), ("enabled_events[]", "*")]).await;
    assert_eq!((refused.status, refused.error().1.as_str()), (400, "url_invalid"));
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_from_the_configuration_wants_only_some_events() {
    let receiver = Receiver::start().await;
    let mut config = Config::local(KEY);
    config.webhook_endpoints.push(WebhookEndpoint {
        url: receiver.url.clone(),
        secret: SECRET.to_owned(),
        enabled_events: vec!["charge.updated".to_owned(), "checkout.session.expired".to_owned()],
        api_version: Some("2026-09-30.endive".to_owned()),
        thin: false,
        standby: false,
    });
    let world = start_with(config).await;
    let session = world.session().await;
    world.confirm(&session, "pm_card_visa").await;
    world.idle().await;
    assert_eq!(receiver.kinds(), ["charge.updated"]);
    assert_eq!(receiver.received()[0].event()["api_version"], json!("2026-09-30.endive"));
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn retries_of_a_disabled_endpoint_stop_and_go_on_when_it_is_enabled() {
    let receiver = Receiver::start().await;
    let world = world_for(&receiver).await;
    world.control("/_sandbox/deliveries/pause", "").await;
    let session = world.session().await;
    world.post(&format!("/v1/checkout/sessions/{session}/expire"), &[]).await;
    let endpoints = world.get("/v1/webhook_endpoints").await.json();
    let path = format!("/v1/webhook_endpoints/{}", endpoints["data"][0]["id"].as_str().unwrap());
    world.post(&path, &[("disabled", "true")]).await;
    world.control("/_sandbox/deliveries/resume", "").await;
    world.idle().await;
    assert!(receiver.received().is_empty());
    world.post(&path, &[("disabled", "false")]).await;
    receiver.until_kind("checkout.session.expired").await;
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_with_thin_payloads_gets_the_names_of_events_that_can_be_read() {
    let receiver = Receiver::start().await;
    let world = start_with(Config::local(KEY).with_thin_webhook(&receiver.url, SECRET)).await;
    let id = world.session().await;
    world.post(&format!("/v1/checkout/sessions/{id}/expire"), &[]).await;
    world.idle().await;
    let thin = receiver.received()[0].event();
    assert_eq!((&thin["object"], &thin["type"]), (&json!("v2.core.event"), &json!("v1.checkout.session.expired")));
    let related = json!({ "id": id, "type": "checkout.session", "url": format!("/v1/checkout/sessions/{id}") });
    assert_eq!((&thin["related_object"], &thin["data"]), (&related, &json!(null)));
    let listed = world.get("/v1/webhook_endpoints").await.json();
    assert_eq!(listed["data"], json!([]), "a destination with thin payloads is no webhook endpoint");
    assert!(thin["created"].as_str().is_some_and(|created| created.len() == 24 && created.contains('T')), "{thin}");
    let snapshot = world.get(&format!("/v1/events/{}", thin["snapshot_event"].as_str().unwrap())).await.json();
    assert_eq!(
        (&snapshot["type"], &snapshot["data"]["object"]["id"]),
        (&json!("checkout.session.expired"), &json!(id))
    );
}
