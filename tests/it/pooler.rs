//! The service behind `PgBouncer` in transaction mode: it works, and other clients of the same sessions are not
//! affected.

use std::collections::BTreeMap;

use serde_json::json;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, Executor, PgConnection, Row};
use topup::db::{Db, StoreError};

use crate::support::books::{Books, apply, topup_of};
use crate::support::database::TestDatabase;
use crate::support::pooler::{Pooler, SESSIONS};
use crate::support::{Backend, Options, TestApp, until};

/// The settings and prepared statements of all sessions behind the pooler, read at the same time.
async fn sessions(url: &str) -> Vec<BTreeMap<String, String>> {
    let mut clients = Vec::new();
    let mut all = Vec::new();
    for _ in 0..SESSIONS {
        let mut client = client(url).await;
        client.execute(sqlx::raw_sql("BEGIN")).await.expect("begins");
        // `application_name` and the like are set by the pooler for each client.
        let sql = "SELECT name, setting FROM pg_settings WHERE name <> 'application_name' \
            UNION ALL SELECT 'prepared ' || name, statement FROM pg_prepared_statements";
        let rows = client.fetch_all(sqlx::raw_sql(sql)).await.expect("readable");
        all.push(rows.iter().map(|row| (row.get(0), row.get(1))).collect());
        clients.push(client);
    }
    for mut client in clients {
        client.execute(sqlx::raw_sql("COMMIT")).await.expect("ends");
        client.close().await.expect("closes");
    }
    all
}

/// Another client. sqlx would send a setting that `PgBouncer` does not know.
async fn client(url: &str) -> PgConnection {
    let options: PgConnectOptions = url.parse().expect("an address");
    options.extra_float_digits(None).connect().await.expect("connects")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn purchases_go_through_pgbouncer_and_its_sessions_stay_as_they_were() {
    let app = TestApp::start_with(Backend::Postgres, Options { pooler: true, ..Options::with_webhooks() }).await;
    let url = app.pooler_url.clone().expect("a pooler");
    let mut fresh = PgConnection::connect(&app.database.url).await.expect("connects");
    let sql = "SELECT name, setting FROM pg_settings";
    let rows = fresh.fetch_all(sqlx::raw_sql(sql)).await.expect("readable");
    let untouched: BTreeMap<String, String> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    for number in 0..6 {
        let account = format!("user_{}", number % 2);
        let key = format!("key-{number}");
        let body = json!({ "credits": 250, "successUrl": crate::support::app::SUCCESS_URL });
        let checkout = app.checkout_with(&account, Some(&key), body.clone()).await.expect(200);
        let again = app.checkout_with(&account, Some(&key), body).await.expect(200);
        assert_eq!(checkout["id"], again["id"]);
        let session = checkout["id"].as_str().expect("an id");
        assert_eq!(app.stripe.pay(session, "pm_card_visa").await.0, 200);
    }
    until("the credits", async || {
        (app.credits("user_0").await == 750 && app.credits("user_1").await == 750).then_some(())
    })
    .await;
    for session in sessions(&url).await {
        assert!(!session.keys().any(|name| name.starts_with("prepared ")), "{session:?}");
        for name in
            ["lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout", "plan_cache_mode", "jit"]
                .into_iter()
                .chain(["enable_seqscan", "enable_hashjoin", "enable_mergejoin", "enable_material", "enable_nestloop"])
        {
            assert_eq!(session.get(name), untouched.get(name), "{name}");
        }
    }
    fresh.close().await.expect("closes");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pooler_is_recognised_or_named_and_many_payments_are_credited_through_it() {
    let books = Books::open(Backend::Postgres).await;
    let pooler = Pooler::start(&books.database.url);
    let through = pooler.url(&books.database.url);
    let mut reports = Vec::new();
    for number in 1..=60_u128 {
        reports.push(books.opened_as(topup_of(number, &format!("user_{}", number % 7), 250)).await);
    }
    // Detected; configured; and configured although there is no pooler, which does no harm.
    let addresses =
        [through.clone(), format!("{through}&pgbouncer=true"), format!("{}&pgbouncer=true", books.database.url)];
    for (url, some) in addresses.iter().zip(reports.chunks(20)) {
        let db = Db::connect(url, false).await.expect("connects");
        let outcomes = futures_util::future::join_all(some.iter().map(|report| apply(&db, report.clone()))).await;
        assert!(outcomes.iter().all(Result::is_ok), "{url}: {outcomes:?}");
        assert!(matches!(db.migrate().await, Err(StoreError::NeedsOwnSession)));
        db.close().await;
    }
    assert_eq!(books.rows().await.paid, 60);
    books.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn migrating_through_a_pooler_is_refused_with_the_way_out() {
    let database = TestDatabase::empty(Backend::Postgres).await;
    let pooler = Pooler::start(&database.url);
    let db = Db::connect(&pooler.url(&database.url), false).await.expect("connects");
    let error = db.migrate().await.expect_err("needs a session of its own");
    assert!(error.to_string().contains("topup migrate") && error.to_string().contains("pooler"), "{error}");
    db.close().await;
}
