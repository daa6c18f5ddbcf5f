//! No table can be forgotten: a new one has no row here until this file fills it, and is compared like the others.

use std::collections::BTreeMap;

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row, SqliteConnection};

use crate::conformance::plans::fill;
use crate::on_both_databases;
use crate::support::Backend;
use crate::support::database::TestDatabase;

/// One row for each table that `fill` leaves out.
const OTHERS: &str = "
    INSERT INTO instance (id, livemode, provider, credit_unit_credits, credit_display_decimals, created_at,
        seal_key) VALUES (1, 0, 'stripe', 1, 0, 5, 'Schlüssel: ja, für ''immer''');
    INSERT INTO attention (account_id, since) VALUES ('user_1', 5);
    INSERT INTO accepted_events (provider_event_id, provider, topup_id, outcome, credits, agreed_amount, charged_amount,
        tax_amount, reason, accepted_by, accepted_at) VALUES ('evt_1', 'stripe', 'topup_1', 'credited', 5, 5, 6, 1, 'why', 'me', 5);
    INSERT INTO api_keys (id, name, key_hash, scopes, created_at) VALUES ('key_1', 'shop', 'hash', 'read', 5);
    INSERT INTO console_sessions (token_hash, key_id, created_at, expires_at) VALUES ('hash', 'key_1', 5, 6);
    INSERT INTO ledger_days (day, kind, credits, entries) VALUES (5, 'topup', 250, 1);
    INSERT INTO webhook_refusals (provider, refusals, last_at) VALUES ('stripe', 5, 5);
    INSERT INTO reconciliations (id, cause, dry_run, since, state, started_at) VALUES ('run_1', 'command', 0, 5, 'finished', 5);
    INSERT INTO leases (name, holder, lease_until) VALUES ('work', 'me', 5);
    INSERT INTO portal_configurations (provider, provider_configuration_id, content_hash, updated_at) VALUES ('stripe', 'bpc_1', 'hash', 5);
    UPDATE outbox SET signing_key = 'a key', since = 7
";

/// How many rows most tables have: more than a page.
const ROWS: u32 = 1_203;

/// A database in which every table has rows.
pub async fn filled(backend: Backend) -> TestDatabase {
    let database = TestDatabase::migrated(backend).await;
    let sql = AssertSqlSafe(format!("{};{OTHERS}", fill(1, ROWS)));
    match backend {
        Backend::Sqlite => {
            let mut other = SqliteConnection::connect(&database.url).await.expect("connects");
            other.execute(sqlx::raw_sql(sql)).await.expect("filled");
            other.close().await.expect("closes");
        }
        Backend::Postgres => {
            let mut other = PgConnection::connect(&database.url).await.expect("connects");
            other.execute(sqlx::raw_sql(sql)).await.expect("filled");
            other.close().await.expect("closes");
        }
    }
    database
}

/// Every table with all its rows as text, in an order of their own.
pub async fn contents(url: &str) -> BTreeMap<String, Vec<String>> {
    let shape = |columns: &[String]| {
        let parts = columns.iter().map(|name| format!("COALESCE(CAST({name} AS TEXT), '-')"));
        parts.collect::<Vec<_>>().join(" || '|' || ")
    };
    let mut found = BTreeMap::new();
    if url.starts_with("sqlite:") {
        let Ok(mut other) = SqliteConnection::connect(url).await else { return found };
        let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE '\\_sqlx%' ESCAPE '\\'";
        let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&mut other).await.expect("readable");
        for table in tables {
            let columns = AssertSqlSafe(format!("SELECT name FROM pragma_table_info('{table}') ORDER BY name"));
            let columns: Vec<String> = sqlx::query_scalar(columns).fetch_all(&mut other).await.expect("readable");
            let sql = AssertSqlSafe(format!("SELECT {} FROM {table}", shape(&columns)));
            let mut rows: Vec<String> = sqlx::query_scalar(sql).fetch_all(&mut other).await.expect("readable");
            rows.sort();
            found.insert(table, rows);
        }
        other.close().await.expect("closes");
        return found;
    }
    let mut other = PgConnection::connect(url).await.expect("connects");
    let tables =
        "SELECT tablename::TEXT FROM pg_tables WHERE schemaname = 'public' AND tablename <> '_sqlx_migrations'";
    let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&mut other).await.expect("readable");
    for table in tables {
        let columns = "SELECT column_name::TEXT FROM information_schema.columns WHERE table_name = $1 ORDER BY column_name COLLATE \"C\"";
        let columns: Vec<String> =
            sqlx::query_scalar(columns).bind(&table).fetch_all(&mut other).await.expect("readable");
        let sql = AssertSqlSafe(format!("SELECT {} FROM {table}", shape(&columns)));
        let mut rows: Vec<String> = sqlx::query_scalar(sql).fetch_all(&mut other).await.expect("readable");
        rows.sort();
        found.insert(table, rows);
    }
    other.close().await.expect("closes");
    found
}

on_both_databases! {
    async fn every_table_is_filled_here_so_that_none_is_copied_unseen(backend: Backend) {
        let database = filled(backend).await;
        let found = contents(&database.url).await;
        assert!(found.len() > 30, "{:?}", found.keys());
        let empty: Vec<&String> = found.iter().filter(|(_, rows)| rows.is_empty()).map(|(table, _)| table).collect();
        assert!(empty.is_empty(), "give these tables rows in OTHERS or in `fill`: {empty:?}");
    }
}

/// Messages are numbered by the database itself: after a copy it goes on, and gives no number out twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_that_the_database_gives_go_on_after_a_copy() {
    let write = "INSERT INTO messages (id, type, account_id, cause, created_at) VALUES ('new', 'topup.paid', 'a', 'b', 5) RETURNING number";
    for (from, to) in [(Backend::Sqlite, Backend::Postgres), (Backend::Postgres, Backend::Sqlite)] {
        let source = filled(from).await;
        // The last message was deleted since.
        let delete = "DELETE FROM delivery_attempts WHERE message_number > 1200; DELETE FROM deliveries WHERE message_number > 1200; \
            DELETE FROM messages WHERE number > 1200";
        if from == Backend::Postgres {
            let mut other = PgConnection::connect(&source.url).await.expect("connects");
            other.execute("SELECT setval(pg_get_serial_sequence('messages', 'number'), 1203)").await.expect("done");
            other.execute(sqlx::raw_sql(delete)).await.expect("deleted");
            other.close().await.expect("closes");
        } else {
            let mut other = SqliteConnection::connect(&source.url).await.expect("connects");
            other.execute(sqlx::raw_sql(delete)).await.expect("deleted");
            other.close().await.expect("closes");
        }
        let target = TestDatabase::empty(to).await;
        let arguments = ["db", "copy", "--from", &source.url, "--to", &target.url];
        let (_, said, errors) = crate::support::process::run(&crate::support::process::Settings::new(), &arguments);
        assert!(said.contains("Every row was copied"), "{said}{errors}");
        let number: i64 = if to == Backend::Postgres {
            let mut other = PgConnection::connect(&target.url).await.expect("connects");
            other.fetch_one(write).await.expect("written").get(0)
        } else {
            let mut other = SqliteConnection::connect(&target.url).await.expect("connects");
            other.fetch_one(write).await.expect("written").get(0)
        };
        assert_eq!(number, 1_204, "{from:?}");
    }
}
