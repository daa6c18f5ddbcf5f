//! Warnings of a reconciliation with a restricted key: each missing permission is reported once, however many top-ups,
//! pages and rounds there are.

use serde_json::{Value, json};
use topup::reconcile::schedule::run_if_due;

use crate::support::log::Log;
use crate::support::process::{Process, topup};
use crate::support::serve::World;
use crate::support::{Backend, TestApp};

const A_DAY_AGO: &str = "UPDATE reconciliations SET started_at = started_at - 86400000";

/// Several top-ups, each with a refund and a dispute without a webhook.
async fn several_purchases(app: &TestApp) {
    for number in 0..4 {
        let (session, paid) = app.pay_session(&format!("user_{number}"), 250).await;
        if number > 0 {
            app.deliver(&paid).await.expect(200);
        }
        let payment = app.payment_of(&session).await;
        app.stripe.control(&format!("payment_intents/{payment}/refund"), json!({ "amount": 20 })).await;
        app.stripe.control(&format!("payment_intents/{payment}/dispute"), json!({ "amount": 50 })).await;
    }
}

async fn lack(app: &TestApp, missing: &[&str]) {
    app.stripe.control("permissions", json!({ "missing": missing })).await;
}

/// A scheduled reconciliation, a day after the last one. Returns its warnings.
async fn warnings_of_a_round(app: &TestApp, log: &Log) -> Vec<String> {
    app.app.db.execute_raw(A_DAY_AGO).await.expect("done");
    log.take("");
    let ended = run_if_due(&app.app, std::future::pending()).await.expect("an end");
    assert!(ended.is_some(), "it is due");
    log.take(" WARN ")
}

fn names(warning: &str, permissions: &[&str]) -> bool {
    permissions.iter().all(|permission| warning.contains(permission))
}

#[tokio::test]
async fn a_missing_permission_is_warned_of_once_in_many_rounds_and_another_one_anew() {
    let app = TestApp::start(Backend::Sqlite).await;
    several_purchases(&app).await;
    let (log, _listening) = Log::listen();
    let cases: [(&[&str], &[&str]); 5] = [
        (&["rak_dispute_read"], &["Disputes: Read"]),
        (&["rak_charge_read"], &["Charges and Refunds: Read"]),
        (&["rak_charge_read", "rak_dispute_read"], &["Charges and Refunds: Read", "Disputes: Read"]),
        (
            &["rak_checkout_session_read", "rak_payment_intent_read", "rak_balance_transaction_read"],
            &["Checkout Sessions: Write"],
        ),
        // None of these is a compared list, and the start-up warns of them.
        (&["rak_payment_intent_read", "rak_balance_transaction_read"], &[]),
    ];
    for (missing, permissions) in cases {
        lack(&app, missing).await;
        let first = warnings_of_a_round(&app, &log).await;
        assert_eq!(first.len(), usize::from(!permissions.is_empty()), "{missing:?}: {first:#?}");
        assert!(first.iter().all(|warning| names(warning, permissions)), "{missing:?}: {first:#?}");
        for _ in 0..2 {
            assert_eq!(warnings_of_a_round(&app, &log).await, Vec::<String>::new(), "{missing:?}");
        }
    }
    lack(&app, &[]).await;
    assert_eq!(warnings_of_a_round(&app, &log).await, Vec::<String>::new());
    app.finish().await;
}

#[tokio::test]
async fn a_service_that_starts_again_warns_of_what_its_comparisons_miss_no_second_time() {
    let world = World::new(Backend::Sqlite).await;
    let settings = world.settings();
    let process = Process::serve(&settings, None).await;
    for number in 0..3 {
        let (status, body) = world.try_checkout("user_1", &format!("key-{number}")).await.expect("an answer");
        assert_eq!(status, 200, "{body}");
        world.stripe.pay(body["id"].as_str().expect("an id"), "pm_card_visa").await;
    }
    process.terminate();
    assert!(process.ended().await.0);
    world.stripe.control("permissions", json!({ "missing": ["rak_dispute_read"] })).await;
    let db = world.database.connect().await;
    for (round, expected) in [("comparison with Stripe's books is not whole", 1), ("still not whole", 0)] {
        // As after hours of downtime.
        for sql in [
            A_DAY_AGO,
            "UPDATE topups SET created_at = created_at - 7200000",
            "UPDATE webhook_events SET received_at = received_at - 7200000",
        ] {
            db.execute_raw(sql).await.expect("done");
        }
        let mut command = topup(&settings);
        command.arg("serve");
        let mut process = Process::start(command);
        let mut said = process.error_line(round).await;
        process.terminate();
        let (well, rest) = process.ended().await;
        said.extend(rest);
        assert!(well, "{said:#?}");
        let warned = said.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let warned: Vec<Value> = warned.filter(|line| line["level"] == "WARN" && line["run"].is_string()).collect();
        assert_eq!(warned.len(), expected, "{warned:#?}");
        assert!(warned.iter().all(|line| line["reason"].to_string().contains("Disputes: Read")), "{warned:#?}");
    }
    db.close().await;
    world.finish().await;
}
