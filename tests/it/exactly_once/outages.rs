//! The database disconnects in the middle, or another session locks it.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use sqlx::{Connection, Executor, PgConnection, SqliteConnection};
use topup::domain::account::AccountId;

use crate::support::books::{Rows, rows};
use crate::support::{Backend, Options, TestApp, until};

const PURCHASES: i64 = 12;

async fn number(connection: &mut PgConnection, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(connection).await.expect("readable")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_die_in_the_middle_of_writes_lose_nothing_and_credit_nothing_twice() {
    // Known mistakes 1 and 2.
    let app = TestApp::start_with(Backend::Postgres, Options::with_webhooks()).await;
    app.stripe.control("deliveries/pause", json!({})).await;
    for _ in 0..PURCHASES {
        let session = app.open_session("user_1", 250).await;
        assert_eq!(app.stripe.pay(&session, "pm_card_visa").await.0, 200);
    }
    let mut other = PgConnection::connect(&app.database.url).await.expect("connects");
    // Every write to the books waits, in a transaction that has already done something.
    other.execute("BEGIN; LOCK TABLE ledger_entries IN EXCLUSIVE MODE").await.expect("locks");
    app.stripe.control("deliveries/resume", json!({})).await;
    let waiting = "SELECT COUNT(*) FROM pg_locks WHERE NOT granted \
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    until("writes that wait", async || (number(&mut other, waiting).await > 0).then_some(())).await;
    let ended = "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity \
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    assert!(number(&mut other, ended).await > 0);
    // The failure is recorded as soon as there is a connection again.
    let failed = async || (rows(&app.app.db).await.failed > 0).then_some(());
    until("a recorded failure", failed).await;
    assert_eq!(rows(&app.app.db).await.entries, 0);
    // Disconnect again while deliveries arrive; then let them write.
    number(&mut other, ended).await;
    other.execute("COMMIT").await.expect("releases");
    number(&mut other, ended).await;
    let account = AccountId::parse("user_1").expect("an account");
    let all = 250 * PURCHASES;
    let balance = async || app.app.db.balance(&account).await.ok().filter(|balance| balance.remaining_credits >= all);
    assert_eq!(until("the credits", balance).await.remaining_credits, all);
    app.stripe.idle().await;
    let after = rows(&app.app.db).await;
    // One event reports the payment, another Stripe's fee.
    assert_eq!(
        after,
        Rows { events: 2 * PURCHASES, failed: after.failed, entries: PURCHASES, accounts: 1, paid: PURCHASES }
    );
    other.close().await.expect("closes");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_just_after_the_server_has_hung_up_takes_another_connection() {
    let app = TestApp::start(Backend::Postgres).await;
    let account = AccountId::parse("user_1").expect("an account");
    // Several connections that were used a moment ago.
    join_all((0..12).map(|_| app.app.db.balance(&account)))
        .await
        .into_iter()
        .for_each(|read| drop(read.expect("readable")));
    let mut other = PgConnection::connect(&app.database.url).await.expect("connects");
    let ended = "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity \
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    assert!(number(&mut other, ended).await > 1);
    assert_eq!(app.app.db.balance(&account).await.expect("readable").remaining_credits, 0);
    other.close().await.expect("closes");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delivery_waits_for_another_process_that_writes_to_the_sqlite_file_also_longer_than_sqlite_itself_waits() {
    let app = TestApp::start(Backend::Sqlite).await;
    let (_, event) = app.pay_session("user_1", 250).await;
    let mut other = SqliteConnection::connect(&app.database.url).await.expect("connects");
    other.execute("BEGIN IMMEDIATE").await.expect("locks");
    let mut delivery = Box::pin(app.deliver(&event));
    // SQLite gives up after 5 seconds with "busy"; then the write is retried.
    let early = tokio::time::timeout(Duration::from_millis(5_500), &mut delivery).await;
    assert!(early.is_err(), "it did not wait: {early:?}");
    // Reads continue meanwhile.
    assert_eq!(app.credits("user_1").await, 0);
    other.execute("COMMIT").await.expect("releases");
    delivery.await.expect(200);
    assert_eq!(app.credits("user_1").await, 250);
    assert_eq!(rows(&app.app.db).await, Rows { events: 1, failed: 0, entries: 1, accounts: 1, paid: 1 });
    other.close().await.expect("closes");
    app.finish().await;
}
