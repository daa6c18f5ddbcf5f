//! API keys for servers: creation and revocation on the command line, and their permissions.

use std::collections::HashMap;

use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use topup::access::key_uses;

use crate::on_both_databases;
use crate::support::app::{SUCCESS_URL, http_client};
use crate::support::{Answer, Backend, TestApp, process, until};

/// Runs `topup keys …` while the service is running.
async fn keys(app: &TestApp, arguments: &[&str]) -> String {
    let settings = HashMap::from([("DATABASE_URL", app.database.url.clone())]);
    let arguments: Vec<String> = ["keys"].iter().chain(arguments).map(|text| (*text).to_owned()).collect();
    let run = move || process::run(&settings, &arguments.iter().map(String::as_str).collect::<Vec<_>>());
    let (ok, output, error) = tokio::task::spawn_blocking(run).await.expect("no panic");
    assert!(ok, "{error}");
    output
}

async fn create(app: &TestApp, arguments: &[&str]) -> String {
    let output = keys(app, &[&["create", "--name", "shop"], arguments].concat()).await;
    let secret = output.trim_end();
    assert!(secret.strip_prefix("topup_sk_").is_some_and(|digits| digits.len() == 64), "{secret}");
    secret.to_owned()
}

async fn get(app: &TestApp, key: &str, path: &str) -> Answer {
    app.send(http_client().get(format!("{}{path}", app.url)).header("x-api-key", key)).await
}

async fn checkout(app: &TestApp, key: &str, account: Option<&str>) -> Answer {
    let mut body = json!({ "credits": 250, "successUrl": SUCCESS_URL });
    if let Some(account) = account {
        body["accountId"] = account.into();
    }
    app.send(http_client().post(format!("{}/credits/sessions", app.url)).header("x-api-key", key).json(&body)).await
}

on_both_databases! {
    async fn a_key_may_do_what_its_scopes_say_and_no_more(backend: Backend) {
        let app = TestApp::start(backend).await;
        let session = app.open_session("user_1", 250).await;
        // As a newer version may create it, with a scope unknown to this one.
        let (db, ids, clock) = (&app.app.db, app.app.ids.as_ref(), app.app.clock.as_ref());
        let nothing = topup::access::api_keys::create(db, ids, clock, "shop", &[], None).await.expect("a key");
        for (key, may_open, may_read, may_see) in [
            (nothing.secret.expose_secret().to_owned(), false, false, false),
            (create(&app, &["--scope", "checkout"]).await, true, false, true),
            (create(&app, &["--scope", "read"]).await, false, true, true),
            (create(&app, &["--scope", "checkout,read"]).await, true, true, true),
            (create(&app, &["--scope", "admin"]).await, true, true, true),
        ] {
            for (answer, may) in [
                (checkout(&app, &key, Some("user_1")).await, may_open),
                (get(&app, &key, "/accounts/user_1/credits").await, may_read),
                (get(&app, &key, "/accounts/user_1/credits/transactions").await, may_read),
                (get(&app, &key, &format!("/credits/sessions/{session}")).await, may_see),
            ] {
                if may { answer.expect(200) } else { answer.expect_problem(403, "scope_missing") };
            }
        }
        app.finish().await;
    }

    async fn a_key_for_one_account_cannot_touch_another(backend: Backend) {
        let app = TestApp::start(backend).await;
        let (own, foreign) = (app.open_session("user_1", 250).await, app.open_session("user_2", 250).await);
        for scopes in ["checkout,read", "admin"] {
            let key = create(&app, &["--scope", scopes, "--account", "user_1"]).await;
            assert_eq!(get(&app, &key, "/credits").await.expect(200)["accountId"], "user_1");
            get(&app, &key, "/accounts/user_1/credits").await.expect(200);
            checkout(&app, &key, None).await.expect(200);
            checkout(&app, &key, Some("user_1")).await.expect(200);
            checkout(&app, &key, Some("user_2")).await.expect_problem(403, "account_forbidden");
            for path in ["/accounts/user_2/credits", "/accounts/user_2/credits/transactions"] {
                get(&app, &key, path).await.expect_problem(403, "account_forbidden");
            }
            get(&app, &key, &format!("/credits/sessions/{own}")).await.expect(200);
            get(&app, &key, &format!("/credits/sessions/{foreign}")).await.expect_problem(404, "not_found");
        }
        app.finish().await;
    }

    async fn a_key_for_all_accounts_must_name_the_account(backend: Backend) {
        let app = TestApp::start(backend).await;
        let key = create(&app, &["--scope", "checkout", "--scope", "read"]).await;
        let unnamed = [
            get(&app, &key, "/credits").await,
            get(&app, &key, "/credits/transactions").await,
            checkout(&app, &key, None).await,
        ];
        for answer in unnamed {
            let problem = answer.expect_problem(400, "invalid_request");
            assert_eq!(problem["errors"][0]["field"], "accountId");
        }
        assert_eq!(app.stripe.requests().await, Vec::<Value>::new());
        let id = checkout(&app, &key, Some("user_7")).await.expect(200)["id"].as_str().expect("an id").to_owned();
        assert_eq!(get(&app, &key, &format!("/credits/sessions/{id}")).await.expect(200)["accountId"], "user_7");
        assert_eq!(app.session_state("user_7", &id).await, "open", "the customer sees the server's checkout");
        app.finish().await;
    }

    async fn a_revoked_key_is_refused_within_ten_seconds(backend: Backend) {
        let app = TestApp::start(backend).await;
        let key = create(&app, &["--scope", "read", "--account", "user_1"]).await;
        let other = create(&app, &["--scope", "read", "--account", "user_1"]).await;
        get(&app, &key, "/credits").await.expect(200);
        let listed = keys(&app, &["list"]).await;
        assert!(!listed.contains(&key) && !listed.contains(&key[9..]), "a secret is shown once");
        let first = listed.lines().next().expect("a line").split(' ').next().expect("an id").to_owned();
        keys(&app, &["revoke", &first]).await;
        app.clock.advance_ms(8_000);
        let answer = get(&app, &key, "/credits").await;
        assert_eq!(answer.headers.get("www-authenticate").map(String::as_str), Some("Bearer"));
        answer.expect_problem(401, "invalid_api_key");
        get(&app, &other, "/credits").await.expect(200);
        assert!(keys(&app, &["list"]).await.contains("revoked"));
        app.finish().await;
    }

    async fn a_key_that_is_revoked_while_its_body_trickles_in_does_nothing(backend: Backend) {
        let app = TestApp::start(backend).await;
        let key = create(&app, &["--scope", "admin"]).await;
        let body = r#"{"credits":250,"reason":"a gift","create":true}"#;
        let address = app.url.trim_start_matches("http://");
        let mut stream = tokio::net::TcpStream::connect(address).await.expect("connects");
        let head = format!(
            "POST /admin/accounts/user_1/adjustments HTTP/1.1\r\nhost: x\r\nx-api-key: {key}\r\nidempotency-key: one\r\n\
             content-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).await.expect("is sent");
        until("the key is found good", async || {
            key_uses::write_down(&app.app).await.expect("written");
            let uses = app.app.db.api_key_uses().await.expect("readable");
            uses.first().and_then(|used| used.last_used_at)
        })
        .await;
        let first = keys(&app, &["list"]).await.split(' ').next().expect("an id").to_owned();
        keys(&app, &["revoke", &first]).await;
        app.clock.advance_ms(9_000);
        stream.write_all(body.as_bytes()).await.expect("is sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("is answered");
        assert!(answer.starts_with("HTTP/1.1 401 ") && answer.contains("invalid_api_key"), "{answer}");
        assert_eq!(app.credits("user_1").await, 0);
        app.finish().await;
    }
}

#[tokio::test]
async fn what_is_no_key_is_refused() {
    let app = TestApp::start(Backend::Sqlite).await;
    let key = create(&app, &["--scope", "read", "--account", "user_1"]).await;
    let digits = key.strip_prefix("topup_sk_").expect("the prefix");
    for wrong in [
        String::new(),
        "topup_sk_".to_owned(),
        digits.to_owned(),
        format!("topup_sk_{}", "0".repeat(64)),
        format!("topup_sk_{}", &digits[1..]),
        format!("{key}0"),
        format!("TOPUP_SK_{digits}"),
        format!("topup_sk_{}", digits.to_uppercase()),
        format!("topup_sk_{digits},{key}"),
        format!("Bearer {key}"),
        format!("topup_sk_' OR '1'='1{}", "x".repeat(50)),
        "x".repeat(7_000),
    ] {
        get(&app, &wrong, "/credits").await.expect_problem(401, "invalid_api_key");
    }
    let bytes = reqwest::header::HeaderValue::from_bytes(b"topup_sk_\xff").expect("a header");
    let request = http_client().get(format!("{}/credits", app.url)).header("x-api-key", bytes);
    app.send(request).await.expect_problem(401, "invalid_api_key");
    let as_token = http_client().get(format!("{}/credits", app.url)).bearer_auth(&key);
    app.send(as_token).await.expect_problem(401, "invalid_token");
    get(&app, &key, "/credits").await.expect(200);
    app.finish().await;
}

#[tokio::test]
async fn the_database_holds_no_key_that_could_be_used() {
    let app = TestApp::start(Backend::Sqlite).await;
    let key = create(&app, &["--scope", "read"]).await;
    let file = app.database.url.strip_prefix("sqlite://").expect("a file");
    let digits = key.strip_prefix("topup_sk_").expect("the prefix");
    let mut found_something = false;
    for file in [file.to_owned(), format!("{file}-wal")] {
        let bytes = std::fs::read(&file).unwrap_or_default();
        found_something |= bytes.windows(7).any(|window| window == b"apikey_" || window == b"api_key");
        assert!(!bytes.windows(digits.len()).any(|window| window == digits.as_bytes()), "{file}");
    }
    assert!(found_something, "the files are not the database's");
    app.finish().await;
}

on_both_databases! {
    async fn when_a_key_was_made_and_last_used_is_listed(backend: Backend) {
        let app = TestApp::start(backend).await;
        let settings = crate::support::app::settings(&app.database.url, &app.stripe.url, &[]);
        let (well, key, said) = crate::support::process::run(&settings, &["keys", "create", "--name", "shop", "--scope", "read"]);
        assert!(well, "{said}");
        let list = || crate::support::process::run(&settings, &["keys", "list"]).1;
        assert!(list().contains("last used never") && list().contains("created 20"), "{}", list());
        let request = crate::support::app::http_client().get(format!("{}/accounts/user_1/credits", app.url));
        app.send(request.header("x-api-key", key.trim())).await.expect(200);
        topup::access::key_uses::write_down(&app.app).await.expect("written");
        assert!(list().contains("last used 20"), "{}", list());
        app.finish().await;
    }
}
