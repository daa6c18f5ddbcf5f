//! Mistakes in the settings: all at once, and what can be examined without them is examined.

use super::{doctor, world};
use crate::on_both_databases;
use crate::support::Backend;
use crate::support::process::{Settings, topup};

on_both_databases! {
    async fn all_mistakes_are_named_and_the_rest_is_examined(backend: Backend) {
        let (world, mut settings) = world(backend).await;
        settings.insert("FEE_MODE", "free".to_owned());
        settings.insert("LOG_FORMAT", "xml".to_owned());
        settings.insert("RATE_LIMIT_PER_MINUT", "5".to_owned());
        let report = doctor(&settings).await;
        let mistakes = report.all("settings");
        assert_eq!(mistakes.len(), 3, "{mistakes:#?}");
        for (name, said) in [("FEE_MODE", "gross_up"), ("LOG_FORMAT", "pretty"), ("RATE_LIMIT_PER_MINUT", "did you mean")] {
            let is_it = |finding: &&&serde_json::Value| {
                finding["detail"].as_str().is_some_and(|detail| detail.starts_with(&format!("{name}: ")) && detail.contains(said))
            };
            let found = mistakes.iter().find(is_it).expect(name);
            assert_eq!(found["state"], "failed");
            assert!(found["wayOut"].as_str().is_some_and(|way_out| way_out.contains(".env.example")), "{found:#}");
        }
        for id in ["database.migrations", "stripe.key", "webhook.endpoint"] {
            report.ok(id);
        }
        world.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_wrong_group_leaves_the_others() {
    let (world, mut settings) = world(Backend::Sqlite).await;
    settings.insert("STRIPE_SECRET_KEY", "pk_test_1234567890".to_owned());
    let report = doctor(&settings).await;
    report.says("settings", "failed", "STRIPE_SECRET_KEY: is a publishable key", ".env");
    report.ok("database.migrations");
    assert!(report.all("stripe.key").is_empty() && report.all("webhook.endpoint").is_empty());
    settings.insert("STRIPE_SECRET_KEY", world.settings()["STRIPE_SECRET_KEY"].clone());
    settings.insert("DATABASE_URL", "mysql://root@localhost/x".to_owned());
    let report = doctor(&settings).await;
    report.says("settings", "failed", "DATABASE_URL: ", ".env");
    report.ok("stripe.key");
    assert!(report.all("database.reachable").is_empty() && report.all("events.last").is_empty());
    world.finish().await;
}

#[test]
fn an_env_file_that_cannot_be_read_is_the_only_finding() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join(".env"), "LOG=info\nhunter2\n").expect("written");
    let mut command = topup(&Settings::new());
    let output = command.args(["doctor"]).current_dir(&folder).output().expect("runs");
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(text.contains("✗ Settings: the file .env is not right") && text.contains("line 2"), "{text}");
    assert!(text.contains("→ correct the file") && text.contains("1 checks: 1 failed"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_that_work_and_surprise_are_warnings() {
    let (world, mut settings) = world(Backend::Sqlite).await;
    settings.insert("WEBHOOK_PAYLOAD_DAYS", "0".to_owned());
    settings.insert("RECONCILE_EVERY_HOURS", "0".to_owned());
    settings.insert("PUBLIC_URL", "https://topup.invalid".to_owned());
    let report = doctor(&settings).await;
    report.says("settings.hint", "warning", "JWT_SECRET: without JWT_ISSUER and JWT_AUDIENCE", "docs/settings.md");
    report.says("settings.payloads", "warning", "cannot be replayed", "WEBHOOK_PAYLOAD_DAYS");
    report.says("settings.proxies", "warning", "TRUSTED_PROXIES is not set", "10.0.0.0/8");
    report.says("reconciliation.schedule", "warning", "RECONCILE_EVERY_HOURS=0", "topup reconcile");
    settings.insert("TRUSTED_PROXIES", "10.0.0.0/8".to_owned());
    assert!(doctor(&settings).await.all("settings.proxies").is_empty());
    world.finish().await;
}
