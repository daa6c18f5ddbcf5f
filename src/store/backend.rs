//! The seam to the databases: nothing but this file and its folder names SQLite or PostgreSQL.
//!
//! Both run the same SQL text. A [`Statement`] is written once beside its row type, with `$1` placeholders, and counts
//! them, because SQLite would silently bind a missing argument as NULL. Writes go through [`Db::write`], which begins,
//! commits, rolls back and, when the database says that two writes were in each other's way, runs the closure again.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::{Query, QueryAs};
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{
    Arguments, Connection, Executor, FromRow, PgConnection, PgPool, Postgres, SqlStr, Sqlite, SqlitePool,
};

use super::StoreError;
use super::apply::{Applied, ApplyPayment};
use super::commit_counts::CommitCounts;
use super::committer::Committer;
use super::database_error::{is_hang_up, is_held_row, is_storage_failure};
use super::kept::Kept;
use super::lanes::{Lanes, Place};
use super::statement::{Bulk, Statement, Value};
use super::work::{Attempts, Next, Plain, Work, guarded, in_write_time};
use super::write_health::WriteHealth;
use crate::checkpoints;

mod connect;
mod session;
mod sqlite_file;
mod tx;

use session::Route;
#[doc(hidden)]
pub use session::{Purpose, settings as session_settings};
use sqlite_file::SqliteFile;
pub use tx::Tx;

static SQLITE_MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES_MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// How long a read may take.
const READ_TIMEOUT: Duration = Duration::from_secs(10);

/// A row type that both databases can fill; `#[derive(sqlx::FromRow)]` makes one.
pub trait Record: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin {}
impl<T> Record for T where T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin {}

fn sqlite_arguments(statement: &Statement, values: &[Value]) -> Result<SqliteArguments, StoreError> {
    statement.check(values)?;
    let mut arguments = SqliteArguments::default();
    for value in values {
        match value {
            Value::Int(value) => arguments.add(*value),
            Value::Text(value) => arguments.add(value.clone()),
            Value::Ints(_) | Value::Texts(_) => return Err(StoreError::corrupt("no lists for", statement.sql())),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

fn postgres_arguments(statement: &Statement, values: &[Value]) -> Result<PgArguments, StoreError> {
    statement.check(values)?;
    let mut arguments = PgArguments::default();
    for value in values {
        match value {
            Value::Int(value) => arguments.add(*value),
            Value::Text(value) => arguments.add(value.as_deref()),
            Value::Ints(values) => arguments.add(values.as_slice()),
            Value::Texts(values) => arguments.add(values.as_slice()),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

fn sqlite_query<'q>(statement: &Statement, values: &[Value]) -> Result<Query<'q, Sqlite, SqliteArguments>, StoreError> {
    Ok(sqlx::query_with(statement.sql(), sqlite_arguments(statement, values)?))
}

fn postgres_query<'q>(
    route: Route,
    statement: &Statement,
    values: &[Value],
) -> Result<Query<'q, Postgres, PgArguments>, StoreError> {
    let query = sqlx::query_with(statement.sql(), postgres_arguments(statement, values)?);
    Ok(query.persistent(route.keeps_statements()))
}

fn sqlite_rows<'q, T: Record>(
    statement: &Statement,
    values: &[Value],
) -> Result<QueryAs<'q, Sqlite, T, SqliteArguments>, StoreError> {
    Ok(sqlx::query_as_with(statement.sql(), sqlite_arguments(statement, values)?))
}

fn postgres_rows<'q, T: Record>(
    route: Route,
    statement: &Statement,
    values: &[Value],
) -> Result<QueryAs<'q, Postgres, T, PgArguments>, StoreError> {
    let query = sqlx::query_as_with(statement.sql(), postgres_arguments(statement, values)?);
    Ok(query.persistent(route.keeps_statements()))
}

/// The connections.
pub(super) enum Pools {
    Sqlite {
        writer: SqlitePool,
        readers: SqlitePool,
        /// Does nothing but credit, and only while the writer does nothing.
        creditor: Kept<Sqlite>,
        /// What is at the address, and whether it still is what was opened.
        file: Box<SqliteFile>,
        health: WriteHealth,
    },
    Postgres {
        pool: PgPool,
        /// Does nothing but credit.
        creditor: Kept<Postgres>,
        lanes: Lanes,
        route: Route,
        health: Arc<WriteHealth>,
    },
}

/// The database.
pub struct Db {
    pools: Arc<Pools>,
    committer: Committer,
}

impl Db {
    /// Connects. A SQLite file is created when `create` says so; the migrations are not applied.
    ///
    /// # Errors
    /// When the address is not one of a database that is known here, or it cannot be reached.
    pub async fn connect(url: &str, create: bool) -> Result<Self, StoreError> {
        let pools = Arc::new(connect::pools(url, create).await?);
        let committer = Committer::new(pools.clone());
        Ok(Self { pools, committer })
    }

    /// Runs a write: begins, runs the closure, commits; rolls back when the closure fails. The closure runs again when
    /// the database reports a conflict, so it does nothing but talk to its `Tx` and owns what it captures.
    ///
    /// On SQLite, which has one writer anyway, it shares its commit with the writes that arrive at the same time.
    ///
    /// # Errors
    /// The closure's error, or the database's. After an error nothing of the write is there, with one exception that
    /// no database can avoid: when the connection breaks, or the time is over, during the commit, whether it happened
    /// is unknown.
    pub async fn write<T, F>(&self, closure: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<T, StoreError>> + Send + Sync + 'static,
    {
        match self.pools.as_ref() {
            Pools::Sqlite { .. } => self.committer.write(closure).await,
            // Boxed: most of what is awaited is small, and this is not.
            Pools::Postgres { .. } => Box::pin(self.pools.write(&mut Plain(closure))).await,
        }
    }

    /// Applies one payment, with those that arrive at the same time.
    pub(super) async fn commit_payment(&self, command: ApplyPayment) -> Result<Applied, StoreError> {
        self.committer.apply(command).await
    }

    /// How many writes shared how many commits so far.
    #[must_use]
    pub fn commit_counts(&self) -> CommitCounts {
        self.committer.counts()
    }

    /// Reads at most one row, outside of any transaction.
    ///
    /// # Errors
    /// When the database refuses or fails, or the row is not of this type.
    pub async fn read_optional<T: Record>(
        &self,
        statement: &Statement,
        values: &[Value],
    ) -> Result<Option<T>, StoreError> {
        self.reading(move || async move {
            Ok(match self.pools.as_ref() {
                Pools::Sqlite { readers, .. } => sqlite_rows(statement, values)?.fetch_optional(readers).await?,
                Pools::Postgres { pool, route: Route::Direct, .. } => {
                    postgres_rows(Route::Direct, statement, values)?.fetch_optional(pool).await?
                }
                // Boxed: most of what is awaited is small, and this is not.
                Pools::Postgres { .. } => Box::pin(self.pools.optional_in_transaction(statement, values)).await?,
            })
        })
        .await
    }

    /// Reads all rows of one statement, outside of any transaction. The statement bounds their number.
    ///
    /// # Errors
    /// When the database refuses or fails, or a row is not of this type.
    pub async fn read_all<T: Record>(&self, statement: &Statement, values: &[Value]) -> Result<Vec<T>, StoreError> {
        self.reading(move || async move {
            Ok(match self.pools.as_ref() {
                Pools::Sqlite { readers, .. } => sqlite_rows(statement, values)?.fetch_all(readers).await?,
                Pools::Postgres { pool, route: Route::Direct, .. } => {
                    postgres_rows(Route::Direct, statement, values)?.fetch_all(pool).await?
                }
                // Boxed: most of what is awaited is small, and this is not.
                Pools::Postgres { .. } => Box::pin(self.pools.all_in_transaction(statement, values)).await?,
            })
        })
        .await
    }

    /// Reads, and remembers when the database turns out to be damaged.
    async fn reading<T, F>(&self, read: impl Fn() -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        // Held until the end, so that the file's connections are not renewed meanwhile.
        let _opened = match self.pools.as_ref() {
            Pools::Sqlite { file, .. } => Some(file.opened().await),
            Pools::Postgres { .. } => None,
        };
        let result = reading(read).await;
        self.pools.health().saw_reading(&result);
        result
    }

    pub(super) fn pools(&self) -> &Pools {
        &self.pools
    }

    /// Asks the database whether it could run a statement. For the test that asks it of every statement there is.
    ///
    /// # Errors
    /// When it could not.
    pub async fn prepare(&self, statement: &Statement) -> Result<(), StoreError> {
        let sql = SqlStr::from_static(statement.sql());
        match self.pools.as_ref() {
            Pools::Sqlite { readers, .. } => drop(readers.acquire().await?.prepare(sql).await?),
            Pools::Postgres { pool, .. } => drop(pool.acquire().await?.prepare(sql).await?),
        }
        Ok(())
    }

    /// Runs SQL that is no statement of ours. For tests, which break things on purpose.
    ///
    /// # Errors
    /// When the database refuses or fails.
    #[doc(hidden)]
    pub async fn execute_raw(&self, sql: &'static str) -> Result<(), StoreError> {
        let sql = sqlx::raw_sql(sql);
        match self.pools.as_ref() {
            Pools::Sqlite { writer, .. } => writer.execute(sql).await.map(|_| ())?,
            Pools::Postgres { pool, .. } => pool.execute(sql).await.map(|_| ())?,
        }
        Ok(())
    }

    /// Applies the migrations that are missing.
    ///
    /// # Errors
    /// When one fails, or the database was migrated by a newer version.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        match self.pools.as_ref() {
            Pools::Sqlite { writer, .. } => SQLITE_MIGRATIONS.run(writer).await?,
            Pools::Postgres { route: Route::Pooled, .. } => return Err(StoreError::NeedsOwnSession),
            Pools::Postgres { pool, .. } => {
                // A migration takes as long as it takes.
                let mut connection = pool.acquire().await?.detach();
                connection.execute(sqlx::raw_sql("SET statement_timeout = 0; SET lock_timeout = 0")).await?;
                POSTGRES_MIGRATIONS.run(&mut connection).await?;
                connection.close().await?;
            }
        }
        Ok(())
    }

    /// Applies the migrations that are missing, and ends the connections.
    ///
    /// # Errors
    /// See [`Self::migrate`].
    pub async fn migrate_and_close(self) -> Result<(), StoreError> {
        let result = self.migrate().await;
        self.close().await;
        result
    }

    /// The numbers of the migrations that this program brings along, in order.
    #[must_use]
    pub fn known_migrations(&self) -> Vec<i64> {
        let migrations = match self.pools.as_ref() {
            Pools::Sqlite { .. } => &SQLITE_MIGRATIONS,
            Pools::Postgres { .. } => &POSTGRES_MIGRATIONS,
        };
        migrations.iter().map(|migration| migration.version).collect()
    }

    /// Ends all connections, after the statements that are running.
    pub async fn close(&self) {
        match self.pools.as_ref() {
            Pools::Sqlite { writer, readers, creditor, file, .. } => {
                readers.close().await;
                creditor.close().await;
                file.close().await;
                writer.close().await;
            }
            Pools::Postgres { pool, creditor, .. } => {
                creditor.close().await;
                pool.close().await;
            }
        }
    }
}

impl Pools {
    /// Whether writes share a transaction. Where many can write at once, each has its own.
    pub(super) const fn has_one_writer(&self) -> bool {
        matches!(self, Self::Sqlite { .. })
    }

    /// Whether a payment can be credited without opening or testing a connection.
    pub(super) fn is_connected(&self) -> bool {
        match self {
            // Its connections belong to threads of their own.
            Self::Sqlite { .. } => true,
            Self::Postgres { creditor, .. } => creditor.is_ready(),
        }
    }

    /// Does work in a transaction of its own, again when the database reports a conflict, and for a while when another
    /// transaction holds a row.
    pub(super) async fn write<W: Work + ?Sized>(&self, work: &mut W) -> Result<W::Output, StoreError> {
        let (mut attempts, mut place) = (Attempts::default(), Place::new(self.lanes()));
        if work.expects_held_row() {
            place.step_aside()?;
        }
        loop {
            let result = self.watched(async {
                let _turn = place.turn().await;
                self.write_once(work).await
            });
            let result = result.await;
            match attempts.next(&result) {
                Next::Stop => return result,
                Next::Again(pause) => tokio::time::sleep(pause).await,
                Next::AgainAside(pause) => {
                    work.met_held_row();
                    place.step_aside()?;
                    tokio::time::sleep(pause).await;
                }
            }
        }
    }

    /// Runs a statement over many rows and commits it, in one exchange; again when the database reports a conflict. A row
    /// that another transaction holds is a failure at once: the others shall not wait for it.
    pub(super) async fn write_bulk<T: Record>(&self, bulk: &impl Bulk) -> Result<Vec<T>, StoreError> {
        let mut attempts = Attempts::default();
        loop {
            let result = self.watched(self.write_bulk_once(bulk)).await;
            match attempts.next(&result) {
                Next::Again(pause) => tokio::time::sleep(pause).await,
                Next::Stop | Next::AgainAside(_) => return result,
            }
        }
    }

    const fn lanes(&self) -> Option<&Lanes> {
        match self {
            Self::Sqlite { .. } => None,
            Self::Postgres { lanes, .. } => Some(lanes),
        }
    }

    async fn write_bulk_once<T: Record>(&self, bulk: &impl Bulk) -> Result<Vec<T>, StoreError> {
        checkpoints::reach("commit in one exchange").await;
        let rows = match self {
            Self::Sqlite { creditor, file, .. } => {
                let query = sqlite_rows(&bulk.statement().json_and_commit, &bulk.as_json()?)?;
                let _opened = file.before_write().await?;
                let mut connection = creditor.take().await?;
                // A failure leaves the text's transaction open, and the connection ends with it.
                let rows = query.fetch_all(connection.get()?).await?;
                connection.give_back();
                file.after_commit()?;
                rows
            }
            Self::Postgres { creditor, route, .. } => {
                let query = postgres_rows(*route, &bulk.statement().lists, &bulk.as_lists())?;
                let mut connection = creditor.take().await?;
                let result = match route.begin_credit() {
                    None => query.fetch_all(connection.get()?).await,
                    Some(begin) => fetch_between(query, connection.get()?, begin).await,
                };
                if result.as_ref().map_or_else(|error| says_so_and_goes_on(*route, error), |_| true) {
                    connection.give_back();
                }
                result?
            }
        };
        checkpoints::reach("committed").await;
        Ok(rows)
    }

    async fn optional_in_transaction<T: Record>(
        &self,
        statement: &Statement,
        values: &[Value],
    ) -> Result<Option<T>, StoreError> {
        let mut tx = self.begin().await?;
        let row = tx.fetch_optional(statement, values).await?;
        tx.commit().await?;
        Ok(row)
    }

    async fn all_in_transaction<T: Record>(
        &self,
        statement: &Statement,
        values: &[Value],
    ) -> Result<Vec<T>, StoreError> {
        let mut tx = self.begin().await?;
        let rows = tx.fetch_all(statement, values).await?;
        tx.commit().await?;
        Ok(rows)
    }

    async fn begin(&self) -> Result<Tx, StoreError> {
        match self {
            Self::Sqlite { writer, .. } => Tx::begin_sqlite(writer).await,
            Self::Postgres { pool, route, .. } => Tx::begin_postgres(pool, *route).await,
        }
    }

    async fn write_once<W: Work + ?Sized>(&self, work: &mut W) -> Result<W::Output, StoreError> {
        checkpoints::reach("begin").await;
        // Held until the end, so that the file's connections are not renewed meanwhile.
        let _opened = match self {
            Self::Sqlite { file, .. } => Some(file.before_write().await?),
            Self::Postgres { .. } => None,
        };
        let mut tx = self.begin().await?;
        let value = match guarded(work.run(&mut tx)).await {
            Ok(value) => value,
            Err(error) => {
                tx.roll_back(&error).await;
                return Err(error);
            }
        };
        checkpoints::reach("commit").await;
        tx.commit().await?;
        if let Self::Sqlite { file, .. } = self {
            file.after_commit()?;
        }
        checkpoints::reach("committed").await;
        Ok(value)
    }

    /// Does a write in time, and remembers what it says about whether others would succeed.
    async fn watched<T>(&self, write: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        let health = self.health();
        health.refuse_damaged()?;
        let result = in_write_time(write).await;
        health.saw(&result);
        if let (Self::Sqlite { writer, readers, creditor, file, .. }, Err(error)) = (self, &result)
            && error.is_of_the_file()
        {
            file.renew(writer, readers, creditor).await;
        }
        result
    }

    /// What is known about whether writes succeed.
    pub(super) fn health(&self) -> &WriteHealth {
        match self {
            Self::Sqlite { health, .. } => health,
            Self::Postgres { health, .. } => health,
        }
    }

    /// Whether the files at the address are still the ones that are open.
    pub(super) fn check_files(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite { file, .. } => file.check(),
            Self::Postgres { .. } => Ok(()),
        }
    }
}

/// Whether a session may be used again after a statement that committed by itself failed: the server has said what it
/// thinks of it and waits for the next one. Not one that takes no writes; and not in a transaction that began before, which
/// may wait for its end.
fn says_so_and_goes_on(route: Route, error: &sqlx::Error) -> bool {
    route.keeps_statements() && matches!(error, sqlx::Error::Database(_)) && !is_storage_failure(error)
}

/// Runs a query in a transaction that begins like this.
async fn fetch_between<T: Record>(
    query: QueryAs<'_, Postgres, T, PgArguments>,
    connection: &mut PgConnection,
    begin: &'static str,
) -> Result<Vec<T>, sqlx::Error> {
    let mut tx = connection.begin_with(begin).await?;
    let rows = query.fetch_all(&mut *tx).await?;
    tx.commit().await?;
    Ok(rows)
}

/// Reads in time. A connection that was used a moment ago is not tested before, so a server that was restarted meanwhile
/// is noticed here: then another one is taken, until none of those from before can be left. And a table that a migration
/// holds is waited for.
async fn reading<T, F>(read: impl Fn() -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let read = async {
        for _ in 0..connect::POSTGRES_CONNECTIONS {
            match read().await {
                Err(StoreError::Database(error)) if is_hang_up(&error) || is_held_row(&error) => {}
                result => return result,
            }
        }
        read().await
    };
    tokio::time::timeout(READ_TIMEOUT, read).await.unwrap_or(Err(StoreError::TimedOut))
}
