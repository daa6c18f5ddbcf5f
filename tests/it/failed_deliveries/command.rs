//! `topup webhooks …`, beside a running service.

use serde_json::{Value, json};
use topup::access::api_keys::Scope;
use topup::inbox::failed_events::FailureKind;
use topup::ports::Clock;

use super::{NOT_HANDLED, api_key, break_database, failed, failed_purchase, failure, get, record, repair_database};
use crate::on_both_databases;
use crate::support::TestApp;
use crate::support::app::settings;
use crate::support::process::{Process, Settings, free_port, run};
use crate::support::stripe::SECRET_KEY;

/// Runs `topup webhooks …` with the settings of a command.
pub(super) async fn webhooks(app: &TestApp, arguments: &[&str]) -> (bool, String, String) {
    let settings = Settings::from([
        ("DATABASE_URL", app.database.url.clone()),
        ("STRIPE_SECRET_KEY", SECRET_KEY.to_owned()),
        ("STRIPE_API_BASE", app.stripe.url.clone()),
    ]);
    run_with(settings, arguments).await
}

async fn run_with(settings: Settings, arguments: &[&str]) -> (bool, String, String) {
    let arguments: Vec<String> = ["webhooks"].iter().chain(arguments).map(|text| (*text).to_owned()).collect();
    let run = move || run(&settings, &arguments.iter().map(String::as_str).collect::<Vec<_>>());
    tokio::task::spawn_blocking(run).await.expect("no panic")
}

on_both_databases! {
    async fn failures_are_listed_shown_and_replayed(backend: Backend) {
        let app = TestApp::start(backend).await;
        let (well, output, said) = webhooks(&app, &["failed"]).await;
        assert!(well && output.is_empty() && said.contains("No failed deliveries"), "{said}");
        let (event, id) = failed_purchase(&app, "user_1").await;
        let (well, output, said) = webhooks(&app, &["failed"]).await;
        assert!(well, "{said}");
        let line = output.lines().next().expect("a line");
        for part in [&id, "open", "transient", "1x", "checkout.session.completed", "the database failed"] {
            assert!(line.contains(part), "{part} in {line}");
        }
        let (_, output, _) = webhooks(&app, &["failed", "--json"]).await;
        let listed: Value = serde_json::from_str(&output).expect("JSON");
        assert_eq!((&listed["data"][0]["id"], &listed["data"][0]["payloadState"]), (&json!(id), &json!("kept")));
        assert_eq!(listed["nextCursor"], Value::Null, "the shape of the API");
        let (_, output, _) = webhooks(&app, &["show", &id]).await;
        assert!(output.contains(&event["data"]["object"]["id"].to_string()), "{output}");
        let (_, output, _) = webhooks(&app, &["show", &id, "--json"]).await;
        let shown: Value = serde_json::from_str(&output).expect("JSON");
        let payload = shown["payload"].as_str().expect("a text");
        assert_eq!(serde_json::from_str::<Value>(payload).expect("JSON"), event);

        let (well, output, said) = webhooks(&app, &["replay", &id]).await;
        assert!(well && output.contains("decided  credited"), "{output} {said}");
        assert_eq!(app.credits("user_1").await, 250);
        assert_eq!(webhooks(&app, &["failed"]).await.1, "");
        let (_, output, _) = webhooks(&app, &["failed", "--all"]).await;
        assert!(output.contains(&id) && output.contains("resolved"), "{output}");
        for arguments in [["show", "evt_unknown"], ["replay", "evt_unknown"]] {
            let (well, _, said) = webhooks(&app, &arguments).await;
            assert!(!well && said.contains("no delivery of evt_unknown failed"), "{said}");
        }
        app.finish().await;
    }

    async fn a_failure_is_closed_with_a_reason_and_stays_closed(backend: Backend) {
        let app = TestApp::start(backend).await;
        for (event, at) in [("evt_1", 1), ("evt_2", 2), ("evt_3", 3)] {
            record(&app.app.db, failure(event, FailureKind::Permanent, Some(NOT_HANDLED), at)).await;
        }
        let (_, output, _) = webhooks(&app, &["failed", "--json", "--limit", "2"]).await;
        let page: Value = serde_json::from_str(&output).expect("JSON");
        let cursor = page["nextCursor"].as_str().expect("another page");
        let (_, output, _) = webhooks(&app, &["failed", "--json", "--cursor", cursor]).await;
        let rest: Value = serde_json::from_str(&output).expect("JSON");
        assert_eq!((&rest["data"][0]["id"], &rest["nextCursor"]), (&json!("evt_1"), &Value::Null));
        let close = ["close", "evt_2", "--reason", "given back in the dashboard"];
        let (well, output, said) = webhooks(&app, &close).await;
        assert!(well && output.contains("evt_2 is closed"), "{output} {said}");
        assert!(!webhooks(&app, &close).await.0, "once");
        assert!(!webhooks(&app, &["close", "evt_1"]).await.0, "a reason is needed");
        assert!(!webhooks(&app, &["close", "evt_1", "--reason", " "]).await.0);
        assert!(!webhooks(&app, &["close", "evt_unknown", "--reason", "why"]).await.0);
        assert!(!webhooks(&app, &["failed"]).await.1.contains("evt_2"));
        let (_, output, _) = webhooks(&app, &["show", "evt_2"]).await;
        assert!(output.contains("by command line: given back in the dashboard"), "{output}");
        // Stripe delivers it again.
        record(&app.app.db, failure("evt_2", FailureKind::Permanent, None, 9)).await;
        assert!(!webhooks(&app, &["failed"]).await.1.contains("evt_2"));
        assert_eq!(app.app.db.open_failures().await.expect("readable").permanent, 2);
        app.finish().await;
    }

    async fn a_replay_of_all_succeeds_only_if_nothing_is_left_failed(backend: Backend) {
        let app = TestApp::start(backend).await;
        let (_, one) = failed_purchase(&app, "user_1").await;
        let (_, two) = failed_purchase(&app, "user_2").await;
        record(&app.app.db, failure("evt_foreign", FailureKind::Transient, Some(NOT_HANDLED), app.clock.now_ms())).await;
        record(&app.app.db, failure("evt_permanent", FailureKind::Permanent, Some(NOT_HANDLED), 1)).await;
        break_database(&app).await;
        let (well, output, said) = webhooks(&app, &["replay", "--all"]).await;
        assert!(!well, "{output}");
        assert!(output.contains(&format!("{one}  failed")) && output.contains(&format!("{two}  failed")), "{output}");
        assert!(output.contains("evt_foreign  foreign") && !output.contains("evt_permanent"), "{output}");
        assert!(said.contains("1 resolved, 2 still failing; 1 open that a person has to look at"), "{said}");
        repair_database(&app).await;
        let (well, output, said) = webhooks(&app, &["replay", "--all"]).await;
        assert!(well && output.lines().count() == 2, "{output} {said}");
        assert_eq!((app.credits("user_1").await, app.credits("user_2").await), (250, 250));
        app.finish().await;
    }

    async fn old_payloads_are_purged_by_hand_and_only_stripe_can_send_them_again(backend: Backend) {
        let app = TestApp::start(backend).await;
        record(&app.app.db, failure("evt_old", FailureKind::Transient, Some(NOT_HANDLED), 1)).await;
        record(&app.app.db, failure("evt_new", FailureKind::Transient, Some(NOT_HANDLED), app.clock.now_ms())).await;
        let database = Settings::from([("DATABASE_URL", app.database.url.clone())]);
        let (well, output, said) = run_with(database.clone(), &["purge"]).await;
        assert!(well && output.contains("of 1 failed") && output.contains("30 days"), "{output} {said}");
        assert!(webhooks(&app, &["show", "evt_old"]).await.1.contains("was erased"));
        let (well, output, _) = webhooks(&app, &["replay", "evt_old"]).await;
        assert!(!well && output.contains("resend the event from Stripe's dashboard"), "{output}");
        let mut at_once = database;
        at_once.insert("WEBHOOK_PAYLOAD_DAYS", "0".to_owned());
        assert!(run_with(at_once, &["purge"]).await.0);
        assert_eq!(failed(&app.app.db, "evt_new").await.has_payload, 0);
        app.finish().await;
    }

    async fn a_replay_says_what_it_lacks_and_never_mixes_modes(backend: Backend) {
        let app = TestApp::start(backend).await;
        let (_, id) = failed_purchase(&app, "user_1").await;
        let database = Settings::from([("DATABASE_URL", app.database.url.clone())]);
        let (well, _, said) = run_with(database.clone(), &["replay", &id]).await;
        assert!(!well && said.contains("STRIPE_SECRET_KEY: is not set"), "{said}");
        assert!(!said.contains("STRIPE_WEBHOOK_SECRET") && !said.contains("ALLOWED_ORIGINS"), "{said}");
        // Known mistake 22.
        let mut live = database;
        live.insert("STRIPE_SECRET_KEY", "sk_live_0123456789abcdef".to_owned());
        let (well, _, said) = run_with(live, &["replay", &id]).await;
        assert!(!well && said.contains("belongs to a service in test mode"), "{said}");
        assert_eq!(failed(&app.app.db, &id).await.resolved_at, None);
        for arguments in [&["replay"][..], &["replay", &id, "--all"]] {
            let (well, _, said) = webhooks(&app, arguments).await;
            assert!(!well && said.contains("--all"), "{said}");
        }
        app.finish().await;
    }

    async fn what_was_done_is_printed_as_the_api_answers(backend: Backend) {
        let app = TestApp::start(backend).await;
        let key = api_key(&app, Scope::Admin, None).await;
        let (_, one) = failed_purchase(&app, "user_1").await;
        let (_, two) = failed_purchase(&app, "user_2").await;
        record(&app.app.db, failure("evt_1", FailureKind::Permanent, Some(NOT_HANDLED), 1)).await;
        let json = async |arguments: &[&str]| -> Value {
            let (well, output, said) = webhooks(&app, &[arguments, &["--json"]].concat()).await;
            assert!(well, "{output} {said}");
            serde_json::from_str(&output).expect("JSON")
        };
        let stored = async |id: &str| get(&app, &key, &format!("/admin/webhook-events/{id}")).await.expect(200)["event"].clone();
        let replayed = json(&["replay", &one]).await;
        assert_eq!((&replayed["outcome"], &replayed["detail"]), (&json!("decided"), &json!("credited")));
        assert_eq!(replayed["event"], stored(&one).await);
        let all = json(&["replay", "--all"]).await;
        assert_eq!((&all["data"][0]["outcome"], &all["data"][0]["event"]), (&json!("decided"), &stored(&two).await));
        assert_eq!(all["data"].as_array().map(Vec::len), Some(1));
        let closed = json(&["close", "evt_1", "--reason", "given back"]).await;
        assert_eq!((&closed["state"], &closed), (&json!("closed"), &stored("evt_1").await));
        assert_eq!(json(&["purge"]).await, json!({ "erased": 1, "olderThanDays": 30 }));
        app.finish().await;
    }

    async fn serve_says_at_its_start_how_many_failures_are_open(backend: Backend) {
        let app = TestApp::start(backend).await;
        for (event, kind) in
            [("evt_1", FailureKind::Transient), ("evt_2", FailureKind::Transient), ("evt_3", FailureKind::Permanent)]
        {
            record(&app.app.db, failure(event, kind, None, 1)).await;
        }
        let address = format!("127.0.0.1:{}", free_port());
        let settings = settings(&app.database.url, &app.stripe.url, &[("BIND_ADDRESS", address)]);
        let mut command = crate::support::process::topup(&settings);
        command.arg("serve");
        let mut process = Process::start(command);
        let lines = process.error_line("have failed and are open").await;
        let line: Value = serde_json::from_str(lines.last().expect("a line")).expect("JSON");
        assert_eq!((&line["transient"], &line["permanent"], &line["level"]), (&json!(2), &json!(1), &json!("WARN")));
        process.error_line("\"serving\"").await;
        process.terminate();
        assert!(process.ended().await.0);
        app.finish().await;
    }
}
