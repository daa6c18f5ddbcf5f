//! What an operator types, and what is printed back.

use crate::on_both_databases;
use crate::support::Backend;
use crate::support::app::{http_client, settings};
use crate::support::database::TestDatabase;
use crate::support::process::{Process, Settings, free_port, run};

/// An address where no Stripe is: none of these tests calls it.
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

    async fn a_key_is_shown_once_works_at_once_and_is_useless_once_revoked(backend: Backend) {
        let database = TestDatabase::migrated(backend).await;
        let settings = serve_settings(&database);
        let _process = Process::serve(&settings, None).await;
        let (well, key, said) = run(&settings, &["keys", "create", "--name", "shop", "--scope", "read,checkout", "--account", "user_1"]);
        assert!(well && key.starts_with("topup_sk_"), "{said}");
        let (_, list, _) = run(&settings, &["keys", "list"]);
        assert!(list.contains("shop") && list.contains("active") && list.contains("read,checkout") && list.contains("user_1"));
        assert!(!list.contains(key.trim()), "the secret is never shown again");

        let url = format!("http://{}/credits", settings["BIND_ADDRESS"]);
        let read = async || http_client().get(&url).header("x-api-key", key.trim()).send().await.expect("answers").status();
        assert_eq!(read().await, 200);
        let id = list.split_whitespace().next().expect("an id");
        assert!(run(&settings, &["keys", "revoke", id]).0);
        assert_eq!(read().await, 401);
        let (well, _, errors) = run(&settings, &["keys", "revoke", id]);
        assert!(!well && errors.contains("no active key"), "{errors}");
    }
}

#[test]
fn keys_need_a_known_scope_and_a_migrated_database() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite://{}", folder.path().join("none.db").display());
    let settings = Settings::from([("DATABASE_URL", url)]);
    let (well, _, errors) = run(&settings, &["keys", "create", "--name", "x", "--scope", "everything"]);
    assert!(!well && errors.contains("checkout, read, admin"), "{errors}");
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
    assert_eq!(output, topup::http::openapi::document_json().expect("a document"));
}

#[test]
fn an_unknown_database_is_named_by_its_setting() {
    let settings = Settings::from([("DATABASE_URL", "mysql://root:verysecret@localhost".to_owned())]);
    for arguments in [&["migrate"][..], &["keys", "list"], &["serve"]] {
        let (well, _, errors) = run(&settings, arguments);
        assert!(!well && errors.contains("DATABASE_URL") && !errors.contains("verysecret"), "{errors}");
    }
}
