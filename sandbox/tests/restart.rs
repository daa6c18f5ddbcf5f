//! The state file: everything that was answered survives a restart, and pending deliveries continue.

use std::time::Duration;

use serde_json::json;
use stripe_sandbox::{Config, RetryPolicy, Sandbox, StartError};

use crate::support::{
    KEY, SESSION,
    receiver::{Receiver, Reply},
    start_with,
};

#[tokio::test(flavor = "multi_thread")]
async fn sessions_keys_and_pending_webhooks_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let receiver = Receiver::start().await;
    receiver.will(&[Reply::Status(500)]);
    let mut config = Config::local(KEY).with_webhook(&receiver.url, "whsec_old");
    config.state_file = Some(folder.path().join("sandbox.json"));
    config.retry = RetryPolicy { initial: Duration::from_millis(300), max: Duration::from_secs(1), attempts: 9 };
    let world = start_with(config.clone()).await;
    let made = world.post_with_key("/v1/checkout/sessions", SESSION, "key-1").await;
    let id = made.json()["id"].as_str().unwrap().to_owned();
    world.post(&format!("/v1/checkout/sessions/{id}/expire"), &[]).await;
    receiver.until(|received| received.len() == 1).await;
    let events = world.event_types().await;
    world.sandbox.stop().await;

    config.webhook_endpoints[0].secret = "whsec_new".to_owned();
    let world = start_with(config.clone()).await;
    assert_eq!(world.event_types().await, events);
    let again = world.post_with_key("/v1/checkout/sessions", SESSION, "key-1").await;
    assert_eq!((again.text.as_str(), again.header("idempotent-replayed")), (made.text.as_str(), "true"));
    let webhooks = receiver.until(|webhooks| webhooks.len() == 2).await;
    assert_eq!(webhooks[0].raw, webhooks[1].raw, "the same event");
    let time: i64 = webhooks[1].signature[2..].split(',').next().unwrap().parse().unwrap();
    let signature = stripe_sandbox::sign("whsec_new", time, &webhooks[1].raw);
    assert_eq!(webhooks[1].signature, signature, "the secret was refreshed");
    let endpoints = world.get("/v1/webhook_endpoints").await.json();
    assert_eq!(endpoints["data"].as_array().unwrap().len(), 1, "the same URL is not added twice");
    world.sandbox.stop().await;
}

/// Saved cards, setups, prices and transfers are in the journal too: the sandbox is dropped, not stopped.
#[tokio::test(flavor = "multi_thread")]
async fn customers_and_their_cards_survive_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::local(KEY);
    config.state_file = Some(folder.path().join("sandbox.json"));
    let world = start_with(config.clone()).await;
    let ada = world.customer().await;
    let card = world.attached(&ada, "pm_card_visa").await;
    let default = [("invoice_settings[default_payment_method]", card.as_str())];
    let mut paths = vec![format!("/v1/customers/{ada}"), format!("/v1/payment_methods/{card}")];
    world.made(&paths[0], &default).await;
    let product = world.made("/v1/products", &[("name", "Pro")]).await["id"].as_str().unwrap().to_owned();
    let account = world.made("/v1/accounts", &[]).await["id"].as_str().unwrap().to_owned();
    let money = [("currency", "usd"), ("amount", "1000")];
    for (path, params) in [
        ("/v1/setup_intents", vec![("customer", ada.as_str())]),
        ("/v1/prices", vec![("product", product.as_str()), money[0], ("unit_amount", "100"), ("lookup_key", "pro")]),
        ("/v1/transfers", vec![money[0], money[1], ("destination", account.as_str())]),
        ("/v1/payouts", money.to_vec()),
    ] {
        let made = world.made(path, &params).await;
        paths.push(format!("{path}/{}", made["id"].as_str().unwrap()));
    }
    let mut before = Vec::new();
    for path in &paths {
        before.push(world.get(path).await.json());
    }
    drop(world);
    let world = start_with(config).await;
    for (path, before) in paths.iter().zip(&before) {
        assert_eq!(world.get(path).await.json(), *before, "{path}");
    }
    let pay = [money[0], money[1], ("customer", ada.as_str()), ("payment_method", card.as_str()), ("confirm", "true")];
    assert_eq!(world.made("/v1/payment_intents", &pay).await["status"], json!("succeeded"));
    world.sandbox.stop().await;
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn only_its_owner_can_read_the_state_file() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sandbox.json");
    let leftover = folder.path().join("sandbox.json.tmp");
    std::fs::write(&leftover, "{").unwrap();
    std::fs::set_permissions(&leftover, std::fs::Permissions::from_mode(0o644)).unwrap();
    let mut config = Config::local(KEY);
    config.state_file = Some(file.clone());
    let world = start_with(config).await;
    world.session().await;
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.file_name());
    }
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_in_the_file_before_it_is_given() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sandbox.json");
    let mut config = Config::local(KEY);
    let journal = folder.path().join("sandbox.json.journal");
    config.state_file = Some(file.clone());
    let world = start_with(config).await;
    for _ in 0..10 {
        let id = world.session().await;
        let written = [&file, &journal].map(|path| std::fs::read_to_string(path).unwrap()).concat();
        assert!(written.contains(&id), "{id} was answered but not written");
    }
    world.sandbox.stop().await;
    let names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["sandbox.json"], "no journal and no temporary file is left");
}

#[tokio::test(flavor = "multi_thread")]
async fn starts_that_cannot_work_say_why() {
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("broken.json");
    std::fs::write(&broken, "{").unwrap();
    let mut file = Config::local(KEY);
    file.state_file = Some(broken);
    let mut folderless = Config::local(KEY);
    folderless.state_file = Some(folder.path().join("nowhere/sandbox.json"));
    let mut public = Config::local(KEY);
    public.bind = ([0, 0, 0, 0], 0).into();
    for (config, words) in [
        (Config::local("sk_live_1"), "sk_test_"),
        (Config::local("sk_test_"), "sk_test_"),
        (public, "loopback only"),
        (file, "cannot use the state file"),
        (folderless, "cannot use the state file"),
        (Config::local(KEY).with_webhook("https://example.com", "whsec_1"), "http URL"),
        (Config::local(KEY).with_webhook("http://127.0.0.1:1", " "), "secret"),
    ] {
        let error = Sandbox::start(config).await.err().expect(words);
        assert!(error.to_string().contains(words), "{error}");
    }
    let first = start_with(Config::local("rk_test_1")).await;
    let mut second = Config::local(KEY);
    second.bind = first.sandbox.address();
    assert!(matches!(Sandbox::start(second).await, Err(StartError::PortInUse(_))));
    assert_eq!(first.get("/").await.status, 200);
    assert_eq!(json!(first.sandbox.url()), json!(format!("http://{}", first.sandbox.address())));
    first.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seed_is_refused_together_with_a_state_file_whose_ids_would_come_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = stripe_sandbox::Config::local(crate::support::KEY);
    config.seed = Some(1);
    config.state_file = Some(folder.path().join("state.json"));
    let refused = stripe_sandbox::Sandbox::start(config).await.err().unwrap();
    assert_eq!(refused.to_string(), "a seed cannot be used together with a state file");
}
