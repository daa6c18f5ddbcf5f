//! An open transaction on its connection.
//!
//! Invariant: a connection returns to its pool only if its transaction is known to be over and the failure, if any,
//! does not concern the connection. In every other case it is closed. A full disk, for example, makes SQLite end the
//! transaction by itself; the next user of that connection could never begin another one.

use sqlx::pool::PoolConnection;
use sqlx::{Database, Executor, PgPool, Postgres, Sqlite, SqlitePool};

use crate::checkpoints;
use crate::db::StoreError;
use crate::db::database_error::{is_conflict, is_storage_failure};
use crate::db::queries::Record;
use crate::db::queries::{postgres_query, postgres_rows, sqlite_query, sqlite_rows};
use crate::db::session::Route;
use crate::db::statement::{Argument, Bulk, Statement};

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
        // Another process has the lock: no transaction was begun.
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

/// An open transaction. The write that owns it talks to nothing else.
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

    /// Runs a statement. Returns the number of changed rows.
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

    /// Runs a statement that returns at most one row.
    ///
    /// # Errors
    /// When the database refuses or fails, or the row cannot be read as `T`.
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

    /// Runs a statement that returns any number of rows. The statement must limit it.
    ///
    /// # Errors
    /// When the database refuses or fails, or a row cannot be read as `T`.
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

    /// Runs a bulk statement within this transaction.
    pub(crate) async fn fetch_bulk<T: Record>(&mut self, bulk: &impl Bulk) -> Result<Vec<T>, StoreError> {
        match &self.0 {
            Transactional::Sqlite(_) => self.fetch_all(&bulk.statement().json.within, &bulk.as_json()?).await,
            Transactional::Postgres(..) => self.fetch_all(&bulk.statement().lists, &bulk.as_lists()).await,
        }
    }

    /// Sets the savepoint.
    pub(crate) async fn set_savepoint(&mut self) -> Result<(), StoreError> {
        self.execute(&SAVEPOINT, &[]).await.map(drop)
    }

    /// Keeps the changes since the savepoint.
    pub(crate) async fn release_savepoint(&mut self) -> Result<(), StoreError> {
        self.execute(&RELEASE, &[]).await.map(drop)
    }

    /// Undoes the changes since the savepoint.
    pub(crate) async fn undo_to_savepoint(&mut self) -> Result<(), StoreError> {
        self.execute(&ROLLBACK_TO, &[]).await?;
        self.execute(&RELEASE, &[]).await.map(drop)
    }
}

// Not among the statements that the test prepares: they are valid only within a transaction.
static SAVEPOINT: Statement = Statement::new("SAVEPOINT one_of_a_group");
static RELEASE: Statement = Statement::new("RELEASE SAVEPOINT one_of_a_group");
static ROLLBACK_TO: Statement = Statement::new("ROLLBACK TO SAVEPOINT one_of_a_group");
