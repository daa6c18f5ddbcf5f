//! The webhook endpoint: missing, elsewhere, disabled, with other events, in another version, twice, with another
//! secret.

use serde_json::Value;

use super::{buy, command, doctor, endpoint, lack, serve, world};
use crate::on_both_databases;
use crate::support::app::http_client;
use crate::support::process::Settings;
use crate::support::serve::World;
use crate::support::stripe::SECRET_KEY;
use crate::support::{Backend, until};

const SETUP: &str = "topup webhooks setup";

/// Changes the endpoint at the sandbox.
async fn change(world: &World, form: &[(&str, &str)]) {
    let id = endpoint(world).await["id"].as_str().expect("an id").to_owned();
    let (status, body) = world.stripe.post(&format!("/v1/webhook_endpoints/{id}"), form).await;
    assert_eq!(status, 200, "{body}");
}

async fn remove(world: &World) {
    let id = endpoint(world).await["id"].as_str().expect("an id").to_owned();
    let url = format!("{}/v1/webhook_endpoints/{id}", world.stripe.url);
    let response = http_client().delete(url).bearer_auth(SECRET_KEY).send().await.expect("answers");
    assert!(response.status().is_success());
}

async fn add(world: &World, form: &[(&str, &str)]) -> Value {
    let (status, body) = world.stripe.post("/v1/webhook_endpoints", form).await;
    assert_eq!(status, 200, "{body}");
    body
}

/// Puts the endpoint right.
async fn set_up(settings: &Settings) {
    let (well, _, said) = command(settings, &["webhooks", "setup"]).await;
    assert!(well, "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endpoint_that_is_missing_or_elsewhere_is_found_and_set_up() {
    let (world, settings) = world(Backend::Sqlite).await;
    let elsewhere = format!("{}/stripe/webhooks", world.url());
    change(&world, &[("url", &elsewhere)]).await;
    let report = doctor(&settings).await;
    report.says("webhook.endpoint", "failed", &elsewhere, SETUP);
    assert!(report.all("webhook.events").is_empty() && report.all("webhook.status").is_empty());
    remove(&world).await;
    doctor(&settings).await.says("webhook.endpoint", "failed", "no webhook endpoint delivers to", SETUP);
    set_up(&settings).await;
    let report = doctor(&settings).await;
    for id in ["webhook.endpoint", "webhook.status", "webhook.events", "webhook.version"] {
        report.ok(id);
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endpoint_that_is_disabled_is_found_and_enabled() {
    let (world, settings) = world(Backend::Sqlite).await;
    change(&world, &[("disabled", "true")]).await;
    doctor(&settings).await.says("webhook.status", "failed", "is disabled", SETUP);
    set_up(&settings).await;
    doctor(&settings).await.ok("webhook.status");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn event_types_that_are_missing_or_too_many_are_named() {
    let (world, settings) = world(Backend::Sqlite).await;
    let missing = "checkout.session.completed";
    change(&world, &[("enabled_events[]", "charge.updated"), ("enabled_events[]", "refund.created")]).await;
    doctor(&settings).await.says("webhook.events", "failed", missing, SETUP);
    change(&world, &[("enabled_events[]", "*")]).await;
    doctor(&settings).await.says("webhook.events", "warning", "all types of events", SETUP);
    set_up(&settings).await;
    let mut form: Vec<(&str, &str)> = Vec::new();
    form.extend(topup::providers::stripe::event::EVENT_TYPES.map(|event_type| ("enabled_events[]", event_type)));
    form.push(("enabled_events[]", "customer.created"));
    change(&world, &form).await;
    doctor(&settings).await.says("webhook.events", "warning", "customer.created, which nothing here handles", SETUP);
    set_up(&settings).await;
    doctor(&settings).await.ok("webhook.events");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_that_was_never_tried_is_named() {
    let (world, settings) = world(Backend::Sqlite).await;
    let url = format!("{}/webhooks/stripe", world.url());
    for (version, detail, way_out) in [
        ("2019-12-03", "older than the versions", SETUP),
        ("2031-01-29.oak", "newer than the versions", "a newer topup"),
    ] {
        remove(&world).await;
        let created = add(&world, &[("url", url.as_str()), ("enabled_events[]", "*"), ("api_version", version)]).await;
        assert_eq!(created["api_version"], version);
        doctor(&settings).await.says("webhook.version", "warning", detail, way_out);
    }
    world.finish().await;
}

/// The versions that are called tested are those that the tests of webhooks go through.
#[test]
fn the_tested_versions_are_those_of_the_sandbox() {
    use topup::providers::stripe::gateway::endpoints::{NEWEST_TESTED, OLDEST_TESTED};
    let versions = stripe_sandbox::API_VERSIONS;
    assert_eq!((versions.first(), versions.last()), (Some(&OLDEST_TESTED), Some(&NEWEST_TESTED)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_endpoints_with_one_url_are_one_too_many() {
    let (world, settings) = world(Backend::Sqlite).await;
    let url = format!("{}/webhooks/stripe", world.url());
    let second = add(&world, &[("url", url.as_str()), ("enabled_events[]", "*")]).await;
    let report = doctor(&settings).await;
    report.says("webhook.endpoint", "warning", "2 endpoints deliver to", "delete all but one");
    report.says("webhook.endpoint", "warning", "", second["id"].as_str().expect("an id"));
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_may_not_list_endpoints_is_told_what_to_look_for() {
    let (world, settings) = world(Backend::Sqlite).await;
    lack(&world, &["rak_webhook_read"]).await;
    let report = doctor(&settings).await;
    report.says("webhook.endpoint", "warning", "may not list", "Webhook Endpoints: Read");
    report.says("webhook.endpoint", "warning", "", &format!("{}/webhooks/stripe", world.url()));
    lack(&world, &[]).await;
    world.finish().await;
}

on_both_databases! {
    async fn a_wrong_secret_is_found_by_the_deliveries_that_it_refuses(backend: Backend) {
        let (world, mut settings) = world(backend).await;
        doctor(&settings).await.says("webhook.secret", "warning", "no delivery has come yet", "buy credits once");
        let right = settings.insert("STRIPE_WEBHOOK_SECRET", "whsec_of_another_endpoint_0123".to_owned()).expect("one");
        let process = serve(&settings).await;
        let (status, body) = world.try_checkout("user_1", "first").await.expect("an answer");
        assert_eq!(status, 200, "{body}");
        assert_eq!(world.stripe.pay(body["id"].as_str().expect("an id"), "pm_card_visa").await.0, 200);
        let way_out = "set STRIPE_WEBHOOK_SECRET to the signing secret of the endpoint";
        let refused = until("a refusal", async || {
            let report = doctor(&settings).await;
            (report.one("webhook.secret")["state"] == "failed").then_some(report)
        });
        refused.await.says("webhook.secret", "failed", "were signed with another secret", way_out);

        process.terminate();
        assert!(process.ended().await.0);
        settings.insert("STRIPE_WEBHOOK_SECRET", right);
        let process = serve(&settings).await;
        until("the credits", async || (world.credits("user_1").await? == 250).then_some(())).await;
        doctor(&settings).await.says("webhook.secret", "ok", "a delivery was signed with it", "");
        process.terminate();
        assert!(process.ended().await.0);
        world.finish().await;
    }

    /// Anyone can send deliveries with a wrong signature.
    async fn a_stranger_does_not_make_the_secret_look_wrong(backend: Backend) {
        let (world, settings) = world(backend).await;
        let process = serve(&settings).await;
        buy(&world, "user_1").await;
        world.stripe.idle().await;
        let body = br#"{"id":"evt_1","object":"event","type":"charge.updated"}"#;
        let now = topup::ports::Clock::now_ms(&topup::system::SystemClock) / 1_000;
        for _ in 0..3 {
            let header = stripe_sandbox::sign("whsec_of_a_stranger", now, body);
            let request = http_client().post(format!("{}/webhooks/stripe", world.url()));
            let response = request.header("stripe-signature", header).body(body.to_vec()).send().await.expect("answers");
            assert_eq!(response.status(), 400);
        }
        let report = doctor(&settings).await;
        report.says("webhook.secret", "warning", "3 deliveries were signed with another secret", "nothing, unless");
        report.ok("webhook.undelivered");
        process.terminate();
        assert!(process.ended().await.0);
        world.finish().await;
    }

    async fn events_that_stripe_cannot_deliver_are_found(backend: Backend) {
        let (world, settings) = world(backend).await;
        let process = serve(&settings).await;
        buy(&world, "user_1").await;
        doctor(&settings).await.ok("webhook.undelivered");
        world.stripe.control("deliveries/pause", Value::Null).await;
        let (_, body) = world.try_checkout("user_2", "second").await.expect("an answer");
        assert_eq!(world.stripe.pay(body["id"].as_str().expect("an id"), "pm_card_visa").await.0, 200);
        let mut later = settings.clone();
        later.insert("TOPUP_CLOCK_OFFSET_MS", "90000".to_owned());
        let report = doctor(&later).await;
        report.says("webhook.undelivered", "failed", "have not arrived", "topup reconcile");
        assert!(command(&settings, &["reconcile"]).await.0);
        assert_eq!(world.credits("user_2").await, Some(250));
        lack(&world, &["rak_event_read"]).await;
        assert!(doctor(&later).await.all("webhook.undelivered").is_empty(), "it is not known");
        lack(&world, &[]).await;
        process.terminate();
        assert!(process.ended().await.0);
        world.finish().await;
    }
}

/// Stripe does not list destinations with thin payloads, so deliveries that arrive are believed more than the list.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endpoint_that_is_not_listed_and_delivers_is_a_warning() {
    let (world, settings) = world(Backend::Sqlite).await;
    let process = serve(&settings).await;
    buy(&world, "user_1").await;
    world.stripe.idle().await;
    remove(&world).await;
    doctor(&settings).await.says("webhook.endpoint", "warning", "but events arrive", SETUP);
    process.terminate();
    assert!(process.ended().await.0);
    world.finish().await;
}
