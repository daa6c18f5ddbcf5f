//! An open write: a connection with a transaction on it.
//!
//! What always holds: a connection goes back to its pool only when its transaction is known to be over and the failure, if
//! there was one, says nothing against the connection. In every other case it is closed. A full disk, for example, makes
//! SQLite end the transaction by itself; whoever got that connection next could never begin another one.

use sqlx::pool::PoolConnection;
use sqlx::{Database, Executor, PgPool, Postgres, Sqlite, SqlitePool};

use crate::checkpoints;
use crate::db::StoreError;
use crate::db::database_error::{is_conflict, is_storage_failure};
use crate::db::queries::Record;
use crate::db::queries::{postgres_query, postgres_rows, sqlite_query, sqlite_rows};
use crate::db::session::Route;
use crate::db::statement::{Argument, Bulk, BulkStatement, Statement};

/// A connection that is closed unless its transaction came to a known end.
struct Session<DB: Database> {
    connection: PoolConnection<DB>,
    is_open: bool,
}

impl<DB: Database> Session<DB>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    async fn begin(connection: PoolConnection<DB>, sql: &'static str) -> Result<Self, sqlx::Error> {
        let mut session = Self { connection, is_open: true };
        let result = session.run(sql).await;
        // Another process has the lock: nothing began.
        session.is_open = result.as_ref().err().is_none_or(|error| !is_conflict(error));
        result.map(|()| session)
    }

    async fn run(&mut self, sql: &'static str) -> Result<(), sqlx::Error> {
        (&mut *self.connection).execute(sqlx::raw_sql(sql)).await.map(drop)
    }

    async fn commit(mut self) -> Result<(), sqlx::Error> {
        self.run("COMMIT").await?;
        self.is_open = false;
        Ok(())
    }

    async fn roll_back(mut self, cause: &StoreError) {
        let rolled_back = self.run("ROLLBACK").await.is_ok();
        self.is_open = !rolled_back || matches!(cause, StoreError::Database(error) if is_storage_failure(error));
    }
}

impl<DB: Database> Drop for Session<DB> {
    fn drop(&mut self) {
        if self.is_open {
            self.connection.close_on_drop();
        }
    }
}

enum Transactional {
    Sqlite(Session<Sqlite>),
    Postgres(Session<Postgres>, Route),
}

/// An open transaction. The write that has it talks to nothing else.
pub struct Tx(Transactional);

impl Tx {
    pub(crate) async fn begin_sqlite(writer: &SqlitePool) -> Result<Self, StoreError> {
        let session = Session::begin(writer.acquire().await?, "BEGIN IMMEDIATE").await?;
        Ok(Self(Transactional::Sqlite(session)))
    }

    pub(crate) async fn begin_postgres(pool: &PgPool, route: Route) -> Result<Self, StoreError> {
        let session = Session::begin(pool.acquire().await?, route.begin()).await?;
        Ok(Self(Transactional::Postgres(session, route)))
    }

    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        match self.0 {
            Transactional::Sqlite(session) => session.commit().await?,
            Transactional::Postgres(session, _) => session.commit().await?,
        }
        Ok(())
    }

    pub(crate) async fn roll_back(self, cause: &StoreError) {
        match self.0 {
            Transactional::Sqlite(session) => session.roll_back(cause).await,
            Transactional::Postgres(session, _) => session.roll_back(cause).await,
        }
    }

    /// Runs a statement; gives the number of rows it changed.
    ///
    /// # Errors
    /// When the database refuses or fails.
    pub async fn execute(&mut self, statement: &'static Statement, arguments: &[Argument]) -> Result<u64, StoreError> {
        checkpoints::reach(statement.text()).await;
        Ok(match &mut self.0 {
            Transactional::Sqlite(tx) => {
                sqlite_query(statement, arguments)?.execute(&mut *tx.connection).await?.rows_affected()
            }
            Transactional::Postgres(tx, route) => {
                postgres_query(*route, statement, arguments)?.execute(&mut *tx.connection).await?.rows_affected()
            }
        })
    }

    /// Runs a statement that gives at most one row.
    ///
    /// # Errors
    /// When the database refuses or fails, or the row is not of this type.
    pub async fn fetch_optional<T: Record>(
        &mut self,
        statement: &'static Statement,
        arguments: &[Argument],
    ) -> Result<Option<T>, StoreError> {
        checkpoints::reach(statement.text()).await;
        Ok(match &mut self.0 {
            Transactional::Sqlite(tx) => sqlite_rows(statement, arguments)?.fetch_optional(&mut *tx.connection).await?,
            Transactional::Postgres(tx, route) => {
                postgres_rows(*route, statement, arguments)?.fetch_optional(&mut *tx.connection).await?
            }
        })
    }

    /// Runs a statement that gives any number of rows, which it bounds itself.
    ///
    /// # Errors
    /// When the database refuses or fails, or a row is not of this type.
    pub async fn fetch_all<T: Record>(
        &mut self,
        statement: &'static Statement,
        arguments: &[Argument],
    ) -> Result<Vec<T>, StoreError> {
        checkpoints::reach(statement.text()).await;
        Ok(match &mut self.0 {
            Transactional::Sqlite(tx) => sqlite_rows(statement, arguments)?.fetch_all(&mut *tx.connection).await?,
            Transactional::Postgres(tx, route) => {
                postgres_rows(*route, statement, arguments)?.fetch_all(&mut *tx.connection).await?
            }
        })
    }

    /// Whether there is a bulk statement in the words of this database.
    pub(crate) const fn runs(&self, statement: &BulkStatement) -> bool {
        matches!(self.0, Transactional::Postgres(..)) || statement.json.is_some()
    }

    /// Runs a statement over many rows within this write; gives nothing if there is none for this database.
    pub(crate) async fn fetch_bulk<T: Record>(&mut self, bulk: &impl Bulk) -> Result<Vec<T>, StoreError> {
        match (&self.0, &bulk.statement().json) {
            (Transactional::Sqlite(_), Some(json)) => self.fetch_all(&json.within, &bulk.as_json()?).await,
            (Transactional::Sqlite(_), None) => Ok(Vec::new()),
            (Transactional::Postgres(..), _) => self.fetch_all(&bulk.statement().lists, &bulk.as_lists()).await,
        }
    }

    /// Remembers this moment of the write.
    pub(crate) async fn set_savepoint(&mut self) -> Result<(), StoreError> {
        self.execute(&SAVEPOINT, &[]).await.map(drop)
    }

    /// Keeps what was done since then.
    pub(crate) async fn release_savepoint(&mut self) -> Result<(), StoreError> {
        self.execute(&RELEASE, &[]).await.map(drop)
    }

    /// Undoes what was done since then.
    pub(crate) async fn undo_to_savepoint(&mut self) -> Result<(), StoreError> {
        self.execute(&ROLLBACK_TO, &[]).await?;
        self.execute(&RELEASE, &[]).await.map(drop)
    }
}

// Not among the statements that are prepared by a test: they mean nothing outside of a transaction.
static SAVEPOINT: Statement = Statement::new("SAVEPOINT one_of_a_group");
static RELEASE: Statement = Statement::new("RELEASE SAVEPOINT one_of_a_group");
static ROLLBACK_TO: Statement = Statement::new("ROLLBACK TO SAVEPOINT one_of_a_group");
