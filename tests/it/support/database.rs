//! A database for one test.

use tempfile::TempDir;
use topup::store::Db;

use super::postgres;

/// Which database a test runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// A file in a temporary folder.
    Sqlite,
    /// A database on the run's PostgreSQL.
    Postgres,
}

/// A database that nobody else uses.
pub struct TestDatabase {
    /// Its address.
    pub url: String,
    // Its folder, which goes when the test ends.
    _folder: Option<TempDir>,
}

impl TestDatabase {
    /// A migrated one.
    pub async fn migrated(backend: Backend) -> Self {
        let database = Self::create(backend, true).await;
        if backend == Backend::Sqlite {
            let db = Db::connect(&database.url, true).await.expect("connects");
            db.migrate_and_close().await.expect("migrates");
        }
        database
    }

    /// One that was never migrated; a SQLite file does not exist yet.
    pub async fn empty(backend: Backend) -> Self {
        Self::create(backend, false).await
    }

    async fn create(backend: Backend, migrated: bool) -> Self {
        match backend {
            Backend::Postgres => Self { url: postgres::create_database(migrated).await, _folder: None },
            Backend::Sqlite => {
                let folder = tempfile::tempdir().expect("a folder");
                let url = format!("sqlite://{}", folder.path().join("topup.db").display());
                Self { url, _folder: Some(folder) }
            }
        }
    }

    /// Connects to it.
    pub async fn connect(&self) -> Db {
        Db::connect(&self.url, false).await.expect("connects")
    }
}
