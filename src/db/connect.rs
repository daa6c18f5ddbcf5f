//! Opens the connections to each database: their settings, and how many there are for what.

use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection};

use crate::database_url::DatabaseUrl;
use crate::db::StoreError;
use crate::db::lanes::Lanes;
use crate::db::old_log;
use crate::db::pools::Pools;
use crate::db::reserved::{ReservedByName, ReservedConnection, TEST_AFTER};
use crate::db::session::{Purpose, Route};
use crate::db::sqlite_file::{SqliteFile, beside, create_private};
use crate::db::work::WRITE_TIMEOUT;
use crate::db::write_health::WriteHealth;

/// How long to wait for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long SQLite waits for a write of another process, such as `topup keys create`.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How many pages SQLite's write-ahead log may hold before a commit runs a checkpoint, which costs two waits for the
/// disk. With 2,000 pages more deliveries are credited per second, but a delivery that meets a checkpoint waits 20 ms
/// instead of 8 (docs/PERFORMANCE.md).
const SQLITE_LOG_PAGES: &str = "200";
const SQLITE_READERS: u32 = 4;
/// PostgreSQL connections for everything except bulk statements.
pub(crate) const POSTGRES_CONNECTIONS: u32 = 12;
/// PostgreSQL connections for bulk statements, one for each kind of command.
pub const BULK_CONNECTIONS: u32 = 6;
/// With fewer connections than this, all kinds of commands share one queue and one connection, so that more connections
/// remain for the rest than writes use at once.
const MIN_FOR_A_QUEUE_EACH: u32 = 15;
/// The longest wait for a connection that the address may set. A request has 30 seconds.
const MAX_WAIT_SECONDS: u64 = 30;

/// Opens the connection pools for a database URL.
pub(crate) async fn pools(url: &str, create: bool) -> Result<Pools, StoreError> {
    if url.starts_with("sqlite:") {
        return sqlite(url, create).await;
    }
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        return Err(StoreError::UnknownDatabase);
    }
    postgres(url, &[]).await
}

/// Opens connection pools that cannot write.
pub(crate) async fn pools_to_read(url: &str) -> Result<Pools, StoreError> {
    if url.starts_with("sqlite:") {
        return sqlite_to_read(url).await;
    }
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        return Err(StoreError::UnknownDatabase);
    }
    postgres(url, &[("default_transaction_read_only", "on")]).await
}

/// `settings` are those of each session. Through a pooler, which does not pass them on, they have no effect.
async fn postgres(url: &str, settings: &[(&'static str, &'static str)]) -> Result<Pools, StoreError> {
    // Statements are not logged: their arguments are personal data, and a failure is logged where it is handled.
    let url = DatabaseUrl::parse(url).map_err(|_| StoreError::UnknownDatabase)?;
    let options = PgConnectOptions::from_str(url.address())?.application_name("topup").disable_statement_logging();
    // We use no floats, and PgBouncer refuses parameters that it does not know.
    let options = options.extra_float_digits(None);
    let route = greet(&url, &options).await?;
    let health = Arc::new(WriteHealth::default());
    let of_session = match route {
        Route::Direct => route.options(&options, Purpose::All).options(settings.iter().copied()),
        Route::Pooled => route.options(&options, Purpose::All),
    };
    let pool = pool_of(&url, &health).connect_with(of_session);
    let bulk = route.options(&options, Purpose::Bulk);
    let bulk_health = health.clone();
    let has_few = url.connection_limit.is_some_and(|limit| limit < MIN_FOR_A_QUEUE_EACH);
    let kept = ReservedByName::new(has_few, move |name| {
        let options = bulk.clone().application_name(&format!("topup {name}"));
        postgres_pool(1, &bulk_health).connect_lazy_with(options)
    });
    Ok(Pools::Postgres { pool: pool.await?, kept, lanes: Lanes::default(), route, health })
}

/// Finds out how the server is reached. Done before there is a pool, because a pool hides the server's error messages.
async fn greet(url: &DatabaseUrl, options: &PgConnectOptions) -> Result<Route, StoreError> {
    let server = match options.get_socket() {
        Some(socket) => socket.display().to_string(),
        None => format!("{}:{}", options.get_host(), options.get_port()),
    };
    let found = tokio::time::timeout(ACQUIRE_TIMEOUT, Route::find(url.through_pooler, options)).await;
    match found.unwrap_or_else(|_| Err(sqlx::Error::from(std::io::Error::from(std::io::ErrorKind::TimedOut)).into())) {
        Err(StoreError::Database(source)) => Err(StoreError::Server { server, source }),
        found => found,
    }
}

/// Creates a new file that only its owner can read, and warns about an existing one that others can read.
fn keep_private(file: &Path, create: bool) {
    if create && !file.exists() {
        // If this fails, opening the file reports the reason.
        create_private(file).map(drop).ok();
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let is_readable =
            |file: &Path| std::fs::metadata(file).is_ok_and(|file| file.permissions().mode() & 0o044 != 0);
        if ["", "-wal", "-shm"].iter().any(|end| is_readable(&beside(file, end))) {
            // `chmod` must reach the log last: `old_log` treats a file that changed after its log as another file.
            let way_out = format!("chmod 600 {}*", file.display());
            tracing::warn!(way_out, "other users of this machine can read the books");
        }
    }
}

/// Explains why SQLite cannot open a file.
fn opening_failed(path: &Path, source: sqlx::Error) -> StoreError {
    let code = source.as_database_error().and_then(sqlx::error::DatabaseError::code).unwrap_or_default().into_owned();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let reason = match folder {
        Some(folder) if !folder.is_dir() => format!("there is no folder {}; make it first", folder.display()),
        _ if path.is_dir() => "it is a folder; DATABASE_URL must name a file".to_owned(),
        _ if !path.exists() => "there is no such file; `topup migrate` makes it".to_owned(),
        _ if code == "26" => "it is not a SQLite database; DATABASE_URL must name another file".to_owned(),
        _ if code == "11" => "it is damaged; restore a backup with `topup db restore`".to_owned(),
        _ => match std::fs::OpenOptions::new().append(true).open(path) {
            Err(error) => format!("{error}; the file and its folder must be writable for this user"),
            Ok(_) => "SQLite cannot open it; its folder must be writable for this user, and not full".to_owned(),
        },
    };
    StoreError::File { path: path.to_owned(), reason, source }
}

async fn sqlite(url: &str, create: bool) -> Result<Pools, StoreError> {
    let options = SqliteConnectOptions::from_str(url)?
        .create_if_missing(create)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        // Erased data is personal: it must not stay readable in the file's free pages.
        .pragma("secure_delete", "ON")
        .pragma("temp_store", "MEMORY")
        .pragma("wal_autocheckpoint", SQLITE_LOG_PAGES)
        .disable_statement_logging();
    let path = options.get_filename().to_owned();
    keep_private(&path, create);
    old_log::refuse(&path)?;
    // SQLite has one writer anyway, and waiting in our queue is fairer than polling its lock.
    let pool = |size| {
        let options = SqlitePoolOptions::new().max_connections(size).acquire_timeout(ACQUIRE_TIMEOUT);
        // A file does not drop its connections, and SQLite's log stays valid only while connections are open.
        options.test_before_acquire(false).idle_timeout(None).max_lifetime(None)
    };
    let writer = pool(1).acquire_timeout(WRITE_TIMEOUT);
    let creditor = ReservedConnection::new(writer.clone().connect_lazy_with(options.clone()));
    let writer = writer.connect_with(options.clone()).await.map_err(|error| opening_failed(&path, error))?;
    let options = options.create_if_missing(false).read_only(true);
    let readers = pool(SQLITE_READERS).connect_lazy_with(options.clone());
    let file = Box::new(SqliteFile::open(options).await?);
    Ok(Pools::Sqlite { writer, readers, creditor, file, health: WriteHealth::default() })
}

/// Does not set up the file as [`sqlite`] does, and leaves the check of its log to that.
async fn sqlite_to_read(url: &str) -> Result<Pools, StoreError> {
    let options = SqliteConnectOptions::from_str(url)?.create_if_missing(false).read_only(true);
    let options = options.busy_timeout(BUSY_TIMEOUT).pragma("temp_store", "MEMORY").disable_statement_logging();
    let path = options.get_filename().to_owned();
    let pool = |size| SqlitePoolOptions::new().max_connections(size).acquire_timeout(ACQUIRE_TIMEOUT);
    let writer = pool(1).connect_lazy_with(options.clone());
    let creditor = ReservedConnection::new(pool(1).connect_lazy_with(options.clone()));
    let readers = pool(SQLITE_READERS).connect_with(options.clone()).await;
    let readers = readers.map_err(|error| opening_failed(&path, error))?;
    let file = SqliteFile::open(options).await.map_err(|error| match error {
        StoreError::Database(source) => opening_failed(&path, source),
        other => other,
    });
    let file = Box::new(file?);
    Ok(Pools::Sqlite { writer, readers, creditor, file, health: WriteHealth::default() })
}

/// The pool for everything except bulk statements, with the size and the timeout from the database URL.
fn pool_of(url: &DatabaseUrl, health: &Arc<WriteHealth>) -> PgPoolOptions {
    // With fewer than two connections, a write would wait for its own reads.
    let size = url.connection_limit.map_or(POSTGRES_CONNECTIONS, |all| {
        let for_bulk = if all < MIN_FOR_A_QUEUE_EACH { 1 } else { BULK_CONNECTIONS };
        all.saturating_sub(for_bulk).clamp(2, POSTGRES_CONNECTIONS)
    });
    let pool = postgres_pool(size, health);
    match url.pool_timeout_seconds {
        Some(seconds) => pool.acquire_timeout(Duration::from_secs(seconds.min(MAX_WAIT_SECONDS))),
        None => pool,
    }
}

fn postgres_pool(size: u32, health: &Arc<WriteHealth>) -> PgPoolOptions {
    let health = health.clone();
    PgPoolOptions::new()
        .max_connections(size)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire(false)
        .before_acquire(move |connection, used| {
            // After a failover, or when the address leads to another server, older sessions do not notice.
            let is_distrusted = health.distrusts(used.age);
            Box::pin(async move {
                if is_distrusted {
                    return Ok(false);
                }
                if used.idle_for > TEST_AFTER {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
}
