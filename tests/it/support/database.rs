//! A database for one test.

use sqlx::{Connection, Executor, PgConnection, SqliteConnection};
use tempfile::TempDir;
use topup::db::Db;

use super::postgres;

/// The database a test runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// A file in a temporary folder.
    Sqlite,
    /// A database on the run's PostgreSQL.
    Postgres,
}

/// A database used by one test only.
pub struct TestDatabase {
    /// Its URL.
    pub url: String,
    // Removes it when the test ends: a thousand databases take ten gigabytes.
    _place: Place,
}

/// Where a database is. It is removed with this value.
enum Place {
    Folder { _folder: TempDir },
    Server { _created: postgres::Created },
}

impl TestDatabase {
    /// Creates a migrated database.
    pub async fn migrated(backend: Backend) -> Self {
        let database = Self::create(backend, true).await;
        if backend == Backend::Sqlite {
            let db = Db::connect(&database.url, true).await.expect("connects");
            db.migrate_and_close().await.expect("migrates");
        }
        database
    }

    /// Creates a database without migrations; a SQLite file does not exist yet.
    pub async fn empty(backend: Backend) -> Self {
        Self::create(backend, false).await
    }

    async fn create(backend: Backend, migrated: bool) -> Self {
        match backend {
            Backend::Postgres => {
                let created = postgres::create_database(migrated).await;
                Self { url: created.url(), _place: Place::Server { _created: created } }
            }
            Backend::Sqlite => {
                let folder = tempfile::tempdir().expect("a folder");
                let url = format!("sqlite://{}", folder.path().join("topup.db").display());
                Self { url, _place: Place::Folder { _folder: folder } }
            }
        }
    }

    /// Copies it while it is in use, as a backup that an operator restores.
    pub async fn back_up(&self) -> Self {
        if self.url.starts_with("sqlite:") {
            let copy = Self::create(Backend::Sqlite, false).await;
            let mut other = SqliteConnection::connect(&self.url).await.expect("connects");
            let vacuum = format!("VACUUM INTO '{}'", copy.url.trim_start_matches("sqlite://"));
            other.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(vacuum))).await.expect("copies");
            return copy;
        }
        let copy = Self::create(Backend::Postgres, false).await;
        postgres::dump(&self.url, &copy.url);
        copy
    }

    /// Connects to it.
    pub async fn connect(&self) -> Db {
        Db::connect(&self.url, false).await.expect("connects")
    }

    /// Connects to it with sessions that wait for a lock for as long as the test holds it.
    pub async fn connect_patiently(&self) -> Db {
        let url = match self.url.strip_prefix("sqlite:") {
            Some(_) => self.url.clone(),
            None => format!("{}&options=-c%20lock_timeout%3D10s", self.url),
        };
        Db::connect(&url, false).await.expect("connects")
    }

    /// Blocks all writes to the ledger until released.
    pub async fn hold_writes(&self) -> Held {
        if self.url.starts_with("sqlite:") {
            let mut other = SqliteConnection::connect(&self.url).await.expect("connects");
            other.execute("BEGIN IMMEDIATE").await.expect("locks");
            return Held::Sqlite(other);
        }
        let mut other = PgConnection::connect(&self.url).await.expect("connects");
        other.execute("BEGIN; LOCK TABLE ledger_entries IN EXCLUSIVE MODE").await.expect("locks");
        Held::Postgres(other)
    }
}

/// Another program's open transaction.
pub enum Held {
    /// Holds the file's write lock.
    Sqlite(SqliteConnection),
    /// Holds a lock on the ledger table.
    Postgres(PgConnection),
}

impl Held {
    /// Releases the lock.
    pub async fn release(self) {
        match self {
            Self::Sqlite(mut other) => {
                other.execute("COMMIT").await.expect("releases");
                other.close().await.expect("closes");
            }
            Self::Postgres(mut other) => {
                other.execute("COMMIT").await.expect("releases");
                other.close().await.expect("closes");
            }
        }
    }
}
