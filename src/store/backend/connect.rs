//! How the databases are connected to: with which settings, and with how many connections for what.

use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Executor};

use super::Pools;
use crate::store::StoreError;
use crate::store::credit;
use crate::store::kept::{Kept, TEST_AFTER};
use crate::store::lanes::Lanes;
use crate::store::work::WRITE_TIMEOUT;

/// How long to wait for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long SQLite waits for a write of another process, such as `topup keys create`.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// What each session of PostgreSQL is opened with, unless `options` in the address says otherwise. Limits first: without
/// them a process that dies without a goodbye, or a network that does, would hold an account's row until the server
/// notices, which can take hours. A lock that is not to be had soon is waited for without the connection (`store/lanes.rs`).
///
/// Then the planner. Statistics may be missing, or made when the tables were empty, and no statement may read a growing
/// table from end to end because of them; each has an index for what it looks up. Compiling would only cost time.
const SESSION: [(&str, &str); 5] = [
    ("statement_timeout", "15s"),
    ("lock_timeout", "250ms"),
    ("idle_in_transaction_session_timeout", "15s"),
    ("enable_seqscan", "off"),
    ("jit", "off"),
];
/// Statements of all kinds are planned for the sizes that the tables have at that moment, and join by looking up row by
/// row: none gives many rows.
const PLANNED_EACH_TIME: [(&str, &str); 3] =
    [("plan_cache_mode", "force_custom_plan"), ("enable_hashjoin", "off"), ("enable_mergejoin", "off")];
/// The one that credits is planned once: planning it takes longer than running it. Its text leaves the planner no choice
/// about the tables (`store/credit/lists.sql`); the rows of the group, which have no index, are joined by hashing.
const PLANNED_ONCE: [(&str, &str); 2] = [("plan_cache_mode", "force_generic_plan"), ("enable_nestloop", "off")];
/// How many pages SQLite's log may have before a commit writes them to their places, which costs two waits for the disk.
/// With 2,000 pages more deliveries are credited per second, but whoever comes at such a moment waits 20 ms instead of 8
/// (docs/PERFORMANCE.md).
const SQLITE_LOG_PAGES: &str = "200";
const SQLITE_READERS: u32 = 4;
/// How many connections to PostgreSQL do everything but credit.
pub(super) const POSTGRES_CONNECTIONS: u32 = 16;

/// The connections to the database with this address.
pub(super) async fn pools(url: &str, create: bool) -> Result<Pools, StoreError> {
    if url.starts_with("sqlite:") {
        return sqlite(url, create).await;
    }
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        return Err(StoreError::UnknownDatabase);
    }
    postgres(url).await
}

async fn postgres(url: &str) -> Result<Pools, StoreError> {
    // A statement is not logged: its arguments are personal data, and its failure is logged where it is handled.
    let options = PgConnectOptions::from_str(url)?.application_name("topup").disable_statement_logging();
    // We have no floats, and PgBouncer refuses a parameter that it does not know.
    let options = options.extra_float_digits(None);
    let pool = postgres_pool(POSTGRES_CONNECTIONS).connect_with(session(&options, &PLANNED_EACH_TIME));
    let creditor = session(&options, &PLANNED_ONCE).application_name("topup credit");
    let creditor = Kept::new(postgres_pool(1).connect_lazy_with(creditor));
    Ok(Pools::Postgres { pool: pool.await?, creditor, lanes: Lanes::default() })
}

/// Sessions with these settings, as far as the address does not have them.
fn session(options: &PgConnectOptions, more: &[(&str, &str)]) -> PgConnectOptions {
    let given = options.get_options().unwrap_or_default().to_owned();
    let settings = SESSION.iter().chain(more).filter(|(name, _)| !given.contains(name));
    options.clone().options(settings.copied())
}

async fn sqlite(url: &str, create: bool) -> Result<Pools, StoreError> {
    let options = SqliteConnectOptions::from_str(url)?
        .create_if_missing(create)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        // What is erased is personal data: it shall not stay readable in the file's free space.
        .pragma("secure_delete", "ON")
        .pragma("temp_store", "MEMORY")
        .pragma("wal_autocheckpoint", SQLITE_LOG_PAGES)
        .disable_statement_logging();
    // One writer: SQLite has one anyway, and waiting in our queue is fairer than polling its lock.
    let pool = |size| {
        let options = SqlitePoolOptions::new().max_connections(size).acquire_timeout(ACQUIRE_TIMEOUT);
        // A file does not hang up.
        options.test_before_acquire(false)
    };
    let writer = pool(1).acquire_timeout(WRITE_TIMEOUT).after_connect(|connection, _| {
        Box::pin(async move { connection.execute(sqlx::raw_sql(credit::TEMPORARY)).await.map(drop) })
    });
    let creditor = Kept::new(writer.clone().connect_lazy_with(options.clone()));
    let writer = writer.connect_with(options.clone()).await?;
    let readers = pool(SQLITE_READERS).connect_lazy_with(options.create_if_missing(false).read_only(true));
    Ok(Pools::Sqlite { writer, readers, creditor })
}

fn postgres_pool(size: u32) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(size)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire(false)
        .before_acquire(|connection, used| {
            Box::pin(async move {
                if used.idle_for > TEST_AFTER {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
}
