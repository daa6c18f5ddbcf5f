//! Stripe: the key, its permissions, the account, the clock.

use serde_json::json;

use super::{command, doctor, lack, world};
use crate::support::Backend;
use crate::support::process::Settings;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_stripe_does_not_accept_is_the_only_trouble_with_stripe() {
    let (world, mut settings) = world(Backend::Sqlite).await;
    settings.insert("STRIPE_SECRET_KEY", "sk_test_of_somebody_else_123456".to_owned());
    let report = doctor(&settings).await;
    report.says("stripe.key", "failed", "does not accept STRIPE_SECRET_KEY", "copy the key once more");
    assert!(report.all("stripe.permission.disputes").is_empty() && report.all("webhook.endpoint").is_empty());
    report.ok("stripe.clock");
    report.ok("database.migrations");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stripe_that_is_down_is_reported_once_and_the_rest_is_examined() {
    let (world, mut settings) = world(Backend::Sqlite).await;
    settings.insert("STRIPE_API_BASE", "http://127.0.0.1:9".to_owned());
    let report = doctor(&settings).await;
    report.says("stripe.key", "failed", "Stripe gives no answer", "STRIPE_API_BASE");
    for id in ["stripe.charges", "stripe.clock", "stripe.permission.events", "webhook.endpoint", "webhook.undelivered"]
    {
        assert!(report.all(id).is_empty(), "{id}");
    }
    report.ok("database.migrations");
    settings.insert("STRIPE_API_BASE", world.settings()["STRIPE_API_BASE"].clone());
    world.stripe.control("outage", json!({ "kind": "500" })).await;
    doctor(&settings).await.says("stripe.key", "failed", "500", "status.stripe.com");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_missing_permission_is_named_with_what_does_not_work_without_it() {
    let (world, settings) = world(Backend::Sqlite).await;
    for (resource, permission, state, detail, way_out) in [
        ("checkout_sessions", "rak_checkout_session_read", "failed", "nothing can be sold", "Checkout Sessions: Write"),
        ("payment_intents", "rak_payment_intent_read", "warning", "second question", "PaymentIntents: Read"),
        ("refunds", "rak_charge_read", "warning", "refunds that no webhook brought", "Charges and Refunds: Read"),
        ("disputes", "rak_dispute_read", "failed", "disputes take no credits", "Disputes: Read"),
        (
            "balance_transactions",
            "rak_balance_transaction_read",
            "warning",
            "really kept",
            "Balance transactions: Read",
        ),
        ("events", "rak_event_read", "warning", "thin payloads", "Events: Read"),
    ] {
        lack(&world, &[permission]).await;
        let report = doctor(&settings).await;
        report.ok("stripe.key");
        report.says(&format!("stripe.permission.{resource}"), state, detail, way_out);
        let missing = report.findings.iter().filter(|finding| {
            let is_permission = finding["id"].as_str().is_some_and(|id| id.starts_with("stripe.permission."));
            is_permission && finding["state"] != "ok"
        });
        assert_eq!(missing.count(), 1, "{permission}");
    }
    lack(&world, &[]).await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_that_fails_by_itself_is_asked_another_time() {
    let (world, settings) = world(Backend::Sqlite).await;
    for (path, id) in [
        ("/v1/disputes", "stripe.permission.disputes"),
        ("/v1/account", "stripe.charges"),
        ("/v1/webhook_endpoints", "webhook.endpoint"),
    ] {
        world.stripe.fault(json!({ "method": "GET", "path": path, "times": 1, "kind": "status", "status": 500 })).await;
        doctor(&settings).await.says(id, "warning", "500", "run `topup doctor` again");
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_that_may_take_no_payments_is_found() {
    let (world, settings) = world(Backend::Sqlite).await;
    doctor(&settings).await.ok("stripe.charges");
    world.stripe.control("account/standing", json!({ "charges_enabled": false })).await;
    doctor(&settings).await.says("stripe.charges", "warning", "is not activated", "Account status");
    lack(&world, &["rak_accounts_kyc_id_numbers_read"]).await;
    let report = doctor(&settings).await;
    report.says("stripe.charges", "warning", "only in its dashboard", "look there yourself");
    report.ok("stripe.key");
    lack(&world, &[]).await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_live_key_that_may_do_everything_is_a_warning() {
    let (world, mut settings) = world(Backend::Sqlite).await;
    doctor(&settings).await.says("stripe.mode", "ok", "a sandbox", "");
    settings.remove("STRIPE_API_BASE");
    // No question leaves this machine.
    settings.insert("HTTPS_PROXY", "http://127.0.0.1:9".to_owned());
    let mode = async |key: &str, settings: &Settings| {
        let mut settings = settings.clone();
        settings.insert("STRIPE_SECRET_KEY", format!("{key}_0123456789abcdef"));
        doctor(&settings).await
    };
    mode("sk_live", &settings).await.says("stripe.mode", "warning", "may do everything", "rk_live_");
    mode("rk_live", &settings).await.says("stripe.mode", "ok", "restricted", "");
    mode("sk_test", &settings).await.says("stripe.mode", "ok", "test", "");
    world.finish().await;
}

/// Without a registration Stripe says nothing and adds 0.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tax_that_would_be_nothing_everywhere_is_found() {
    let (world, mut settings) = world(Backend::Sqlite).await;
    assert!(doctor(&settings).await.all("stripe.tax").is_empty(), "nobody wants tax");
    settings.insert("TAX", "automatic".to_owned());
    let report = doctor(&settings).await;
    report.ok("stripe.tax");
    let file = tempfile::NamedTempFile::new().expect("a file");
    let plan = "[[plans]]\nid = \"pro\"\nname = \"Pro\"\ninterval = \"month\"\ncreditsPerPeriod = 100\namount = { usd = 500 }\n";
    std::fs::write(file.path(), plan).expect("written");
    let path = file.path().to_str().expect("text");
    let (well, _, errors) = command(&settings, &["plans", "apply", path]).await;
    assert!(well, "{errors}");
    doctor(&settings).await.ok("stripe.tax");
    settings.insert("TAX_BEHAVIOR", "inclusive".to_owned());
    doctor(&settings).await.says("stripe.tax", "warning", "TAX_BEHAVIOR: pro", "topup plans apply");
    settings.remove("TAX_BEHAVIOR");
    world.stripe.control("billing", json!({ "tax_registered": false })).await;
    doctor(&settings).await.says("stripe.tax", "warning", "no active registration", "Tax, Registrations");
    world.finish().await;
}
