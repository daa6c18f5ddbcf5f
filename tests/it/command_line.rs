//! The operator's commands and their output.

use crate::on_both_databases;
use crate::support::app::{http_client, settings};
use crate::support::database::TestDatabase;
use crate::support::process::{Process, Settings, free_port, run, topup};
use crate::support::{Backend, TestApp, until};

/// An address without a Stripe server: none of these tests calls it.
const NO_STRIPE: &str = "http://127.0.0.1:9";

fn serve_settings(database: &TestDatabase) -> Settings {
    settings(&database.url, NO_STRIPE, &[("BIND_ADDRESS", format!("127.0.0.1:{}", free_port()))])
}

#[test]
fn serve_without_settings_names_all_that_is_missing_and_fails() {
    let (well, _, errors) = run(&Settings::new(), &["serve"]);
    assert!(!well);
    for setting in ["STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET", "ALLOWED_ORIGINS"] {
        assert!(errors.contains(&format!("{setting}: is not set")), "{errors}");
    }
    assert!(!errors.contains("panicked"), "{errors}");
}

on_both_databases! {
    async fn serve_refuses_a_database_that_is_not_migrated_and_migrate_repairs_it(backend: Backend) {
        let database = TestDatabase::empty(backend).await;
        let settings = serve_settings(&database);
        let (well, _, errors) = run(&settings, &["serve"]);
        assert!(!well && errors.contains("run `topup migrate`"), "{errors}");
        for _ in 0..2 {
            let (well, _, errors) = run(&settings, &["migrate"]);
            assert!(well, "{errors}");
        }
        let process = Process::serve(&settings, None).await;
        process.terminate();
        assert!(process.ended().await.0);
    }

    async fn a_key_is_shown_once_works_at_once_and_ends_within_ten_seconds_of_its_revocation(backend: Backend) {
        let database = TestDatabase::migrated(backend).await;
        let settings = serve_settings(&database);
        let _process = Process::serve(&settings, None).await;
        let (well, key, said) = run(&settings, &["keys", "create", "--name", "shop", "--scope", "read,checkout", "--account", "user_1"]);
        assert!(well && key.starts_with("topup_sk_"), "{said}");
        let (_, list, _) = run(&settings, &["keys", "list"]);
        assert!(list.contains("shop") && list.contains("active") && list.contains("read,checkout") && list.contains("user_1"));
        assert!(!list.contains(key.trim()), "the secret is never shown again");
        let (_, listed, _) = run(&settings, &["keys", "list", "--json"]);
        let listed: serde_json::Value = serde_json::from_str(&listed).expect("JSON");
        let members = ["id", "name", "scopes", "accountId", "createdAt", "lastUsedAt", "revokedAt"];
        let shown = listed["data"][0].as_object().expect("a key");
        assert!(shown.len() == members.len() && members.iter().all(|member| shown.contains_key(*member)), "{listed}");
        assert_eq!((&listed["data"][0]["name"], &listed["data"][0]["accountId"]), (&"shop".into(), &"user_1".into()));

        let url = format!("http://{}/credits", settings["BIND_ADDRESS"]);
        let read = async || http_client().get(&url).header("x-api-key", key.trim()).send().await.expect("answers").status();
        assert_eq!(read().await, 200);
        let id = list.split_whitespace().next().expect("an id");
        let (_, made, said) = run(&settings, &["keys", "create", "--name", "till", "--scope", "spend", "--json"]);
        let made: serde_json::Value = serde_json::from_str(&made).expect("JSON");
        assert!(made["key"].as_str().is_some_and(|key| key.starts_with("topup_sk_")) && said.is_empty(), "{made} {said}");
        let (_, gone, _) = run(&settings, &["keys", "revoke", made["id"].as_str().expect("an id"), "--json"]);
        let gone: serde_json::Value = serde_json::from_str(&gone).expect("JSON");
        assert!(gone["name"] == "till" && gone["revokedAt"].as_str().is_some_and(|at| at.ends_with('Z')), "{gone}");
        assert!(run(&settings, &["keys", "revoke", id]).0);
        let revoked = std::time::Instant::now();
        until("401", async || (read().await == 401).then_some(())).await;
        assert!(revoked.elapsed() <= std::time::Duration::from_secs(10), "{:?}", revoked.elapsed());
        let (well, _, errors) = run(&settings, &["keys", "revoke", id]);
        assert!(!well && errors.contains("no active key"), "{errors}");
    }
}

on_both_databases! {
    async fn accounts_are_found_by_a_part_of_their_id_page_by_page(backend: Backend) {
        let app = TestApp::start(backend).await;
        let database = TestDatabase::migrated(backend).await;
        let (well, _, said) = run(&settings(&database.url, NO_STRIPE, &[]), &["accounts", "list"]);
        assert!(well && said.trim() == "No accounts yet.", "{said}");
        for account in ["anna@example.com", "bert@example.com", "100%_sure"] {
            let (_, event) = app.pay_session(account, 250).await;
            app.deliver(&event).await.expect(200);
        }
        let settings = settings(&app.database.url, NO_STRIPE, &[]);
        let list = async |arguments: &[&str]| {
            let (settings, arguments) = (settings.clone(), [&["accounts", "list"][..], arguments].concat());
            let arguments: Vec<String> = arguments.into_iter().map(str::to_owned).collect();
            let run = move || run(&settings, &arguments.iter().map(String::as_str).collect::<Vec<_>>());
            let (well, output, said) = tokio::task::spawn_blocking(run).await.expect("no panic");
            assert!(well, "{said}");
            (output, said)
        };
        for (search, found) in [("@example", 2), ("anna", 1), ("%_", 1), ("", 3), ("Anna", 0), ("'", 0)] {
            let (output, _) = list(&["--search", search]).await;
            assert_eq!(output.lines().count(), found, "{search}: {output}");
        }
        for (arguments, words) in [
            (&["--search", "nobody"][..], "No account has this in its id."),
            (&["--cursor", "zoe"], "No further accounts."),
        ] {
            assert_eq!(list(arguments).await.1.trim(), words);
        }
        let (output, said) = list(&["--search", "@example", "--limit", "1"]).await;
        assert!(output.starts_with("anna@example.com  250 credits, 0 held  changed 20"), "{output}");
        assert!(said.contains("--cursor 'anna@example.com'"), "{said}");
        let page = ["--search", "@example", "--limit", "1", "--json", "--cursor", "anna@example.com"];
        let page: serde_json::Value = serde_json::from_str(&list(&page).await.0).expect("JSON");
        assert_eq!(page["nextCursor"], serde_json::Value::Null);
        let account = &page["data"][0];
        assert!(account["updatedAt"].as_str().is_some_and(|at| topup::domain::timestamp::parse(at).is_some()), "{account}");
        let erase = settings.clone();
        let erased = tokio::task::spawn_blocking(move || run(&erase, &["accounts", "erase", "bert@example.com", "--json"]));
        let erased: serde_json::Value = serde_json::from_str(&erased.await.expect("no panic").1).expect("JSON");
        assert_eq!(erased["accountId"], "bert@example.com");
        assert_eq!((&account["accountId"], &account["remainingCredits"]), (&"bert@example.com".into(), &250.into()));
        assert_eq!((&account["heldCredits"], &account["owedCredits"], &account["blocked"]), (&0.into(), &0.into(), &false.into()));
        app.finish().await;
    }
}

#[test]
fn keys_need_a_known_scope_and_a_migrated_database() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite://{}", folder.path().join("none.db").display());
    let settings = Settings::from([("DATABASE_URL", url)]);
    let (well, _, errors) = run(&settings, &["keys", "create", "--name", "x", "--scope", "everything"]);
    assert!(!well && errors.contains("checkout, read, spend, support, admin"), "{errors}");
    let (well, _, errors) = run(&settings, &["keys", "list"]);
    assert!(!well && errors.contains("topup migrate"), "{errors}");
}

#[tokio::test]
async fn a_port_in_use_is_one_clear_sentence() {
    let database = TestDatabase::migrated(Backend::Sqlite).await;
    let mut settings = serve_settings(&database);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    settings.insert("BIND_ADDRESS", taken.local_addr().expect("an address").to_string());
    let (well, _, errors) = run(&settings, &["serve"]);
    assert!(!well && errors.contains("the port is in use"), "{errors}");
    assert_eq!(errors.lines().count(), 1, "{errors}");
}

#[test]
fn openapi_prints_the_document() {
    let (well, output, _) = run(&Settings::new(), &["openapi"]);
    assert!(well);
    assert_eq!(output, topup::http::documentation::document_json().expect("a document"));
}

#[test]
fn an_unknown_database_is_named_by_its_setting() {
    let settings = Settings::from([("DATABASE_URL", "mysql://root:verysecret@localhost".to_owned())]);
    for arguments in [&["migrate"][..], &["keys", "list"], &["serve"]] {
        let (well, _, errors) = run(&settings, arguments);
        assert!(!well && errors.contains("DATABASE_URL") && !errors.contains("verysecret"), "{errors}");
    }
}

/// A folder with this `.env`, to run the program in.
fn folder_with(env_file: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join(".env"), env_file).expect("written");
    folder
}

#[test]
fn a_misspelt_setting_or_flag_stops_every_command_with_the_right_name() {
    // Known mistake 29.
    let commands: [&[&str]; 7] = [
        &["serve"],
        &["migrate"],
        &["keys", "list"],
        &["webhooks", "failed"],
        &["webhooks", "purge"],
        &["reconcile"],
        &["audit"],
    ];
    for arguments in commands {
        let settings = Settings::from([("FEE_RATE_PERCENTAGE", "3.9".to_owned())]);
        let (well, _, errors) = run(&settings, arguments);
        assert!(!well && errors.contains("did you mean FEE_RATE_PERCENT?"), "{arguments:?}: {errors}");
        let folder = folder_with("LOG=info\nFEE_RATE_PERCENTAGE=3.9\n");
        let output = topup(&Settings::new()).args(arguments).current_dir(&folder).output().expect("runs");
        let errors = String::from_utf8(output.stderr).expect("text");
        assert!(
            !output.status.success() && errors.contains("(line 2 of .env); did you mean"),
            "{arguments:?}: {errors}"
        );
    }
    for (arguments, right) in
        [(&["dev", "--freshh"][..], "--fresh"), (&["keys", "create", "--scopes", "read"], "--scope")]
    {
        let (well, _, errors) = run(&Settings::new(), arguments);
        assert!(!well && errors.contains(&format!("'{right}'")), "{errors}");
    }
}

#[test]
fn a_mistake_in_the_env_file_says_line_and_name_and_never_the_value() {
    for (text, place) in [
        ("LOG=info\nSTRIPE_SECRET_KEY='sk_test_hunter2\n", "line 2, STRIPE_SECRET_KEY:"),
        ("STRIPE_WEBHOOK_SECRET=whsec_$hunter2\n", "line 1, STRIPE_WEBHOOK_SECRET:"),
        ("\nsk_live_hunter2\n", "line 2: is not NAME=value"),
        ("JWT_SECRET='hunter2'hunter2", "line 1, JWT_SECRET:"),
    ] {
        let folder = folder_with(text);
        for arguments in [&["serve"][..], &["migrate"]] {
            let output = topup(&Settings::new()).args(arguments).current_dir(&folder).output().expect("runs");
            let errors = String::from_utf8(output.stderr).expect("text");
            assert!(!output.status.success() && errors.contains(place), "{errors}");
            assert!(!errors.contains("hunter2"), "{errors}");
        }
    }
}

#[test]
fn an_unknown_log_filter_is_refused_also_in_dev() {
    let settings = Settings::from([("LOG", "verbose".to_owned())]);
    for arguments in [&["serve"][..], &["dev"]] {
        let (well, _, errors) = run(&settings, arguments);
        assert!(!well && errors.contains("LOG: \"verbose\" is no level; did you mean debug?"), "{errors}");
    }
}
