//! Signatures by the Standard Webhooks specification, verified by its official libraries, and the rotation of secrets.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};
use topup::outbox::deliver::{Deliverer, SLOTS};
use topup::outbox::sender::{Lookup, Sender, SystemLookup};

use super::receiver::{Received, Receiver};
use super::{ACCOUNT, Product, text};
use crate::on_both_databases;
use crate::support::Options;
use crate::support::until;

/// What the official library for Python says: the message, or `refused: …`.
fn python(secret: &str, message: &Received, body: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/standard_webhooks/python");
    let site = folder.join("site");
    let missing =
        "pip install --target tests/standard_webhooks/python/site -r tests/standard_webhooks/python/requirements.txt";
    assert!(site.join("standardwebhooks").is_dir(), "{missing}");
    let mut command = Command::new("python3");
    command.arg("-B").arg(folder.join("verify.py")).env("PYTHONPATH", site);
    ask(command, secret, message, body)
}

/// What the official library for Node says.
fn node(secret: &str, message: &Received, body: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/standard_webhooks/node");
    let missing = "npm ci --prefix tests/standard_webhooks/node";
    assert!(folder.join("node_modules/standardwebhooks").is_dir(), "{missing}");
    let mut command = Command::new("node");
    command.arg(folder.join("verify.mjs"));
    ask(command, secret, message, body)
}

fn ask(mut command: Command, secret: &str, message: &Received, body: &str) -> String {
    let names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
    let headers: serde_json::Map<String, Value> =
        names.into_iter().map(|name| (name.to_owned(), json!(message.headers[name]))).collect();
    let given = json!({ "secret": secret, "headers": headers, "body": body }).to_string();
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it is installed");
    child.stdin.take().expect("piped").write_all(given.as_bytes()).expect("listens");
    let output = child.wait_with_output().expect("ends");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("text").trim().to_owned()
}

fn assert_verified(secret: &str, message: &Received) {
    for said in [python(secret, message, &message.text), node(secret, message, &message.text)] {
        assert_eq!(serde_json::from_str::<Value>(&said).ok(), Some(message.body.clone()), "{said}");
    }
}

fn assert_refused(secret: &str, message: &Received, body: &str) {
    for said in [python(secret, message, body), node(secret, message, body)] {
        assert_eq!(said.to_lowercase(), "refused: no matching signature found");
    }
}

on_both_databases! {
    async fn the_official_libraries_verify_a_message(backend: Backend) {
        let product = Product::open(backend).await;
        let (one, other) = (Receiver::start().await, Receiver::start().await);
        let (id, secret) = product.add(&one).await;
        let (_, other_secret) = product.add(&other).await;
        assert!(secret.starts_with("whsec_") && secret != other_secret);
        product.buy("Jürgen & Zoë", 250).await;
        let (paid, same) = (one.wait_for("topup.paid").await, other.wait_for("topup.paid").await);
        assert_eq!((paid.id(), &paid.text), (same.id(), &same.text));
        assert_verified(&secret, &paid);
        assert_verified(&other_secret, &same);
        assert_refused(&other_secret, &paid, &paid.text);
        assert_refused(&secret, &paid, &paid.text.replacen("250", "251", 1));
        product.post(&format!("/admin/endpoints/{id}/test"), json!({})).await.expect(200);
        assert_verified(&secret, &one.wait_for("endpoint.test").await);
        assert!(!other.events().contains(&"endpoint.test".to_owned()), "a test is for one endpoint");
        product.finish().await;
    }

    async fn both_secrets_sign_for_a_day_after_a_rotation(backend: Backend) {
        let (product, receiver) = (Product::open(backend).await, Receiver::start().await);
        let (id, old) = product.add(&receiver).await;
        let rotated = product.post(&format!("/admin/endpoints/{id}/rotate"), json!({})).await.expect(200);
        let new = text(&rotated["secret"]);
        assert_ne!(old, new);
        product.buy(ACCOUNT, 250).await;
        let paid = receiver.wait_for("topup.paid").await;
        assert_eq!(paid.headers["webhook-signature"].split(' ').count(), 2);
        assert_verified(&old, &paid);
        assert_verified(&new, &paid);
        let shown = product.get(&format!("/admin/endpoints/{id}")).await.expect(200);
        assert_eq!(shown["oldSecretUntil"], rotated["oldSecretUntil"]);
        assert_eq!(shown["secret"], Value::Null);
        product.after_seconds(24 * 60 * 60);
        product.post(&format!("/admin/endpoints/{id}/test"), json!({})).await.expect(200);
        let test = receiver.wait_for("endpoint.test").await;
        assert_eq!(test.headers["webhook-signature"].split(' ').count(), 1);
        let shown = product.get(&format!("/admin/endpoints/{id}")).await.expect(200);
        assert_eq!(shown["oldSecretUntil"], Value::Null);
        product.finish().await;
    }

    async fn the_key_of_the_settings_decides_and_another_one_is_refused(backend: Backend) {
        let key = "a key of the settings, 32 bytes and more";
        let with_key = |key: &str| Options::default().setting("WEBHOOK_SIGNING_KEY", key);
        let (product, receiver) = (Product::open_with(backend, with_key(key)).await, Receiver::start().await);
        let (id, secret) = product.add(&receiver).await;
        product.buy(ACCOUNT, 250).await;
        assert_verified(&secret, &receiver.wait_for("topup.paid").await);
        let settings = topup::domain::outbox_settings::OutboxSettings {
            signing_key: Some(secrecy::SecretString::from("another key, also 32 bytes and more".to_owned())),
            ..product.app.app.outbox.clone()
        };
        let db = &product.app.app.db;
        assert!(topup::outbox::job::is_right_key(db, &product.app.app.outbox).await.expect("readable"));
        assert!(!topup::outbox::job::is_right_key(db, &settings).await.expect("readable"), "it does not start with it");
        let without = topup::domain::outbox_settings::OutboxSettings { signing_key: None, ..settings.clone() };
        assert!(!topup::outbox::job::is_right_key(db, &without).await.expect("readable"), "nor without one");
        product.ask(Method::DELETE, &format!("/admin/endpoints/{id}"), None).await.expect(204);
        assert!(topup::outbox::job::is_right_key(db, &settings).await.expect("readable"), "no secret follows from it");
        product.finish().await;
    }

    async fn two_processes_deliver_each_message_once(backend: Backend) {
        let (product, receiver) = (Product::open(backend).await, Receiver::start().await);
        product.add_for(&receiver, &["topup.paid"]).await;
        let other = product.app.start_replica_with(product.app.clock.clone()).await;
        let lookup: Arc<dyn Lookup> = Arc::new(SystemLookup);
        let sender = Sender::new(&product.app.app.outbox.allowed_networks, &lookup);
        let deliverer = Deliverer::new(Box::new(sender.expect("a client")), SLOTS);
        let stop = tokio_util::sync::CancellationToken::new();
        for number in 0..10 {
            product.buy(&format!("user_{}", number % 3), 250).await;
            topup::outbox::fan_out::fan_out(&other).await.expect("the database works");
            for task in deliverer.start_due(&other, &stop).await.expect("the database works") {
                task.await.expect("no panic");
            }
        }
        let taken = receiver.wait_for_taken(10).await;
        let mut ids: Vec<&str> = taken.iter().map(Received::id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!((taken.len(), ids.len()), (10, 10));
        until("recorded", async || Some(other.db.endpoints().await.expect("readable")).filter(|all| all.len() == 1))
            .await;
        other.db.close().await;
        product.finish().await;
    }
}
