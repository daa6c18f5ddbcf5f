//! `topup reconcile` on the command line: its exit codes, its output, and that it can die at any point.

use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::app::settings;
use crate::support::process::{Process, Settings, run, topup};
use crate::support::{Backend, TestApp};

fn settings_of(app: &TestApp) -> Settings {
    settings(&app.database.url, &app.stripe.url, &[])
}

fn exit_code(settings: &Settings, arguments: &[&str]) -> Option<i32> {
    topup(settings).args(arguments).output().expect("topup runs").status.code()
}

on_both_databases! {
    async fn the_command_says_what_it_found_and_exits_with_0_only_if_nothing_is_left(backend: Backend) {
        let app = TestApp::start(backend).await;
        let settings = settings_of(&app);
        let (session, _) = app.pay_session("user_1", 250).await;
        assert_eq!(exit_code(&settings, &["reconcile", "--dry-run"]), Some(1));
        assert_eq!(app.credits("user_1").await, 0);
        let (well, said, errors) = run(&settings, &["reconcile", "--since", "7d"]);
        assert!(well && said.contains(&session) && said.contains("250 credits were missing"), "{said}{errors}");
        assert!(said.contains("Nothing is left") && errors.is_empty(), "{said}{errors}");
        assert_eq!(app.credits("user_1").await, 250);
        let (well, said, _) = run(&settings, &["reconcile", "--json"]);
        let report: Value = serde_json::from_str(&said).expect("JSON");
        assert!(well && report["missingCredits"]["count"] == 0 && report["fees"]["currencies"][0]["realMinor"] == 38, "{report:#}");

        app.app.db.execute_raw("UPDATE topups SET provider_session_id = 'cs_test_gone'").await.expect("done");
        let (well, said, _) = run(&settings, &["reconcile"]);
        assert!(!well && said.contains("cs_test_gone") && said.contains("left"), "{said}");
        app.finish().await;
    }

    async fn a_comparison_that_was_killed_anywhere_can_be_run_again(backend: Backend) {
        let app = TestApp::start(backend).await;
        let settings = settings_of(&app);
        for checkpoint in [2_u64, 5, 8, 11, 14, 17, 20, 23] {
            let account = format!("user_{checkpoint}");
            let (session, _) = app.pay_session(&account, 250).await;
            let payment = app.payment_of(&session).await;
            app.stripe.control(&format!("payment_intents/{payment}/refund"), json!({ "amount": 100 })).await;
            let mut command = topup(&settings);
            command.arg("reconcile").env("TOPUP_PAUSE_AT_CHECKPOINT", checkpoint.to_string());
            let mut process = Process::start(command);
            process.paused().await;
            process.kill();
            let (well, said, errors) = run(&settings, &["reconcile"]);
            assert!(well, "{said}{errors}");
            assert_eq!(app.credits(&account).await, 150, "killed at checkpoint {checkpoint}");
        }
        app.finish().await;
    }

    async fn a_comparison_that_is_told_to_stop_says_so_and_exits_with_1(backend: Backend) {
        let app = TestApp::start(backend).await;
        app.stripe.fault(json!({ "path": "/v1/refunds", "times": 1, "kind": "hold" })).await;
        let mut command = topup(&settings_of(&app));
        command.arg("reconcile");
        let process = Process::start(command);
        app.stripe.wait_for_holds(1).await;
        process.terminate();
        let (well, said) = process.ended().await;
        assert!(!well && said.concat().contains("stopped before its end"), "{said:?}");
        app.stripe.release().await;
        app.finish().await;
    }
}

#[tokio::test]
async fn wrong_arguments_and_wrong_settings_exit_with_2() {
    let app = TestApp::start(Backend::Sqlite).await;
    let mut settings = settings_of(&app);
    for arguments in [["--since", "30"], ["--since", "0d"], ["--since", "91d"], ["--until", "1d"]] {
        assert_eq!(exit_code(&settings, &["reconcile", arguments[0], arguments[1]]), Some(2), "{arguments:?}");
    }
    assert_eq!(exit_code(&Settings::new(), &["reconcile"]), Some(2));
    settings.insert("CREDIT_UNIT_CREDITS", "100".to_owned());
    assert_eq!(exit_code(&settings, &["reconcile"]), Some(2), "another service's database");
    app.finish().await;
}
