//! `topup webhooks setup`: the endpoint is created or repaired, once, and nothing else is touched.

use std::path::Path;

use serde_json::{Value, json};
use topup::providers::stripe::event::EVENT_TYPES;

use super::{buy, command, doctor, endpoint, lack, serve, settings};
use crate::on_both_databases;
use crate::support::Backend;
use crate::support::process::Settings;
use crate::support::serve::World;

/// A world without an endpoint, and its settings before there is a secret.
async fn begin(backend: Backend) -> (World, Settings) {
    let world = World::without_endpoint(backend).await;
    let mut settings = settings(&world);
    settings.remove("STRIPE_WEBHOOK_SECRET");
    (world, settings)
}

async fn endpoints(world: &World) -> Vec<Value> {
    world.stripe.get("/v1/webhook_endpoints?limit=100").await["data"].as_array().expect("a list").clone()
}

/// The requests that changed endpoints.
async fn changes(world: &World) -> usize {
    let requests = world.stripe.requests().await;
    let is_change = |request: &&Value| {
        request["method"] != "GET"
            && request["path"].as_str().is_some_and(|path| path.starts_with("/v1/webhook_endpoints"))
    };
    requests.iter().filter(is_change).count()
}

on_both_databases! {
    async fn the_endpoint_that_it_makes_credits_a_purchase(backend: Backend) {
        let (world, mut settings) = begin(backend).await;
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("webhook_secret");
        let path = file.to_str().expect("text").to_owned();
        let (well, output, said) = command(&settings, &["webhooks", "setup", "--secret-file", &path]).await;
        assert!(well && output.is_empty(), "{said}");
        assert!(said.contains("Created we_") && said.contains(&format!("STRIPE_WEBHOOK_SECRET_FILE={path}")), "{said}");
        assert_private(&file);
        let secret = std::fs::read_to_string(&file).expect("text");
        assert!(secret.starts_with("whsec_") && !said.contains(secret.trim()), "{said}");

        settings.insert("STRIPE_WEBHOOK_SECRET_FILE", path);
        let process = serve(&settings).await;
        buy(&world, "user_1").await;
        let report = doctor(&settings).await;
        for id in ["webhook.endpoint", "webhook.status", "webhook.events", "webhook.version", "webhook.secret"] {
            report.ok(id);
        }
        process.terminate();
        assert!(process.ended().await.0);
        world.finish().await;
    }
}

#[cfg(unix)]
fn assert_private(file: &Path) {
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(std::fs::metadata(file).expect("a file").permissions().mode() & 0o777, 0o600);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_secret_is_printed_once_and_a_repetition_changes_nothing() {
    let (world, settings) = begin(Backend::Sqlite).await;
    let (well, secret, said) = command(&settings, &["webhooks", "setup"]).await;
    assert!(well, "{said}");
    assert!(secret.starts_with("whsec_") && secret.lines().count() == 1, "only the secret is on standard output");
    assert!(said.contains("shown this once") && !said.contains(secret.trim()), "{said}");
    let made = endpoint(&world).await;
    assert_eq!(made["url"], format!("{}/webhooks/stripe", world.url()));
    assert_eq!((&made["enabled_events"], &made["status"]), (&json!(EVENT_TYPES[..]), &json!("enabled")));
    assert_eq!(made["api_version"], "2026-09-30.endive", "the version that this program's requests have");
    for _ in 0..2 {
        let (well, output, said) = command(&settings, &["webhooks", "setup"]).await;
        assert!(well && output.is_empty() && said.contains("nothing was changed"), "{said}");
        assert!(said.contains("Signing secret); set STRIPE_WEBHOOK_SECRET"), "{said}");
    }
    assert_eq!((endpoints(&world).await, changes(&world).await), (vec![made], 1));
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endpoint_is_repaired_and_others_are_not_touched() {
    let (world, settings) = begin(Backend::Sqlite).await;
    let url = format!("{}/webhooks/stripe", world.url());
    let other =
        [("url", "http://127.0.0.1:9/hook"), ("enabled_events[]", "customer.created"), ("description", "billing")];
    assert_eq!(world.stripe.post("/v1/webhook_endpoints", &other).await.0, 200);
    let ours =
        [("url", url.as_str()), ("enabled_events[]", "charge.updated"), ("enabled_events[]", "customer.created")];
    let (_, ours) = world.stripe.post("/v1/webhook_endpoints", &ours).await;
    let id = ours["id"].as_str().expect("an id");
    assert_eq!(world.stripe.post(&format!("/v1/webhook_endpoints/{id}"), &[("disabled", "true")]).await.0, 200);
    let before = endpoints(&world).await;

    let (well, output, said) = command(&settings, &["webhooks", "setup"]).await;
    assert!(well && output.is_empty(), "{said}");
    for part in [
        id,
        "it is enabled",
        "it is subscribed to checkout.session.completed",
        "no longer subscribed to customer.created",
    ] {
        assert!(said.contains(part), "{part} in {said}");
    }
    let after = endpoints(&world).await;
    assert_eq!(after.len(), 2);
    assert_eq!((&after[0]["status"], &after[0]["enabled_events"]), (&json!("enabled"), &json!(EVENT_TYPES[..])));
    assert_eq!((&after[0]["url"], &after[0]["api_version"]), (&before[0]["url"], &before[0]["api_version"]));
    assert_eq!(after[1], before[1], "not touched");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_with_one_url_the_other_is_named_and_left() {
    let (world, settings) = begin(Backend::Sqlite).await;
    let json = async || {
        let (well, output, said) = command(&settings, &["webhooks", "setup", "--json"]).await;
        assert!(well, "{said}");
        serde_json::from_str::<Value>(&output).expect("JSON")
    };
    let made = json().await;
    assert_eq!((&made["outcome"], &made["types"]), (&json!("created"), &json!(EVENT_TYPES[..])));
    assert!(made["secret"].as_str().is_some_and(|secret| secret.starts_with("whsec_")), "{made}");
    let again = json().await;
    assert_eq!((&again["outcome"], &again["id"], &again["secret"]), (&json!("unchanged"), &made["id"], &Value::Null));
    let url = format!("{}/webhooks/stripe", world.url());
    let (_, second) =
        world.stripe.post("/v1/webhook_endpoints", &[("url", url.as_str()), ("enabled_events[]", "*")]).await;
    let before = endpoints(&world).await;
    let (well, _, said) = command(&settings, &["webhooks", "setup"]).await;
    assert!(well && said.contains("have the same URL and were not touched"), "{said}");
    let after = endpoints(&world).await;
    let changed = before.iter().zip(&after).filter(|(before, after)| before != after).count();
    assert_eq!((after.len(), changed), (2, 1), "{second} was newer");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_url_is_given_by_the_command_or_the_settings() {
    let (world, mut settings) = begin(Backend::Sqlite).await;
    settings.remove("PUBLIC_URL");
    let (well, _, said) = command(&settings, &["webhooks", "setup"]).await;
    assert!(!well && said.contains("Set PUBLIC_URL, or give --url"), "{said}");
    for (url, part) in
        [("credits.example.com", "is not a URL"), ("http://a.example.com/?a=1", "no user name, query or fragment")]
    {
        let (well, _, said) = command(&settings, &["webhooks", "setup", "--url", url]).await;
        assert!(!well && said.contains(part), "{said}");
    }
    let (well, _, said) = command(&settings, &["webhooks", "setup", "--url", "http://127.0.0.1:9/credits/"]).await;
    assert!(well, "{said}");
    assert_eq!(endpoint(&world).await["url"], "http://127.0.0.1:9/credits/webhooks/stripe");
    world.finish().await;
}

/// These refuse before anything is asked, so they need no network.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_stripe_cannot_deliver_to_is_refused() {
    let (world, mut settings) = begin(Backend::Sqlite).await;
    settings.remove("STRIPE_API_BASE");
    settings.insert("HTTPS_PROXY", "http://127.0.0.1:9".to_owned());
    for (key, url, part) in [
        ("rk_test", "https://localhost:8080", "stripe listen --forward-to https://localhost:8080/webhooks/stripe"),
        ("rk_live", "https://10.0.0.1", "Stripe cannot reach"),
        ("rk_live", "http://credits.example.com", "only delivered to https"),
    ] {
        settings.insert("STRIPE_SECRET_KEY", format!("{key}_0123456789abcdef"));
        let (well, _, said) = command(&settings, &["webhooks", "setup", "--url", url]).await;
        assert!(!well && said.contains(part), "{said}");
    }
    assert_eq!(changes(&world).await, 0);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_without_the_permission_is_told_what_to_do() {
    let (world, settings) = begin(Backend::Sqlite).await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("secret");
    for missing in ["rak_webhook_read", "rak_webhook_write"] {
        lack(&world, &[missing]).await;
        let (well, output, said) =
            command(&settings, &["webhooks", "setup", "--secret-file", file.to_str().expect("text")]).await;
        assert!(!well && output.is_empty(), "{said}");
        for part in ["Webhook Endpoints: Write", "/webhooks/stripe", "checkout.session.completed"] {
            assert!(said.contains(part), "{part} in {said}");
        }
        assert!(!file.exists(), "an empty file would look like a secret");
    }
    lack(&world, &[]).await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_there_is_not_overwritten_and_no_endpoint_is_made() {
    let (world, settings) = begin(Backend::Sqlite).await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("secret");
    std::fs::write(&file, "precious").expect("written");
    let arguments = ["webhooks", "setup", "--secret-file", file.to_str().expect("text")];
    let (well, _, said) = command(&settings, &arguments).await;
    assert!(!well && said.contains("is not overwritten"), "{said}");
    assert_eq!(changes(&world).await, 0);
    std::fs::remove_file(&file).expect("removed");
    assert!(command(&settings, &arguments).await.0);
    assert!(command(&settings, &arguments).await.0, "the file of the first run is left as it is");
    std::fs::remove_file(&file).expect("removed");
    let (well, output, said) = command(&settings, &arguments).await;
    assert!(!well && output.is_empty() && said.contains("its secret cannot be written"), "{said}");
    assert!(!file.exists());
    world.finish().await;
}

/// The first answer is lost after Stripe has made the endpoint.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_answer_loses_no_secret_and_makes_no_second_endpoint() {
    let (world, settings) = begin(Backend::Sqlite).await;
    let fault =
        json!({ "method": "POST", "path": "/v1/webhook_endpoints", "times": 1, "when": "after", "kind": "disconnect" });
    world.stripe.fault(fault).await;
    let (well, secret, said) = command(&settings, &["webhooks", "setup"]).await;
    assert!(well && secret.starts_with("whsec_"), "{said}");
    assert_eq!((endpoints(&world).await.len(), changes(&world).await), (1, 2));
    world.finish().await;
}
