//! The border to the databases: only this folder names SQLite or PostgreSQL.
//!
//! Both run the same SQL text. A [`Statement`] is written once beside its row type, with named arguments; a missing or
//! unknown argument is an error, because SQLite would silently bind NULL. Writes go through [`Db::write`], which
//! begins, commits, rolls back, and retries the write when the database reports a conflict.

use std::sync::Arc;
use std::time::{Duration, Instant};

use backon::{ConstantBuilder, Retryable};
use sqlx::migrate::Migrator;
use sqlx::{Connection, Executor, SqlStr};
use tracing::Instrument;

use crate::db::StoreError;
use crate::db::command::Command;
use crate::db::commit_counts::CommitCounts;
use crate::db::connect;
use crate::db::database_error::{is_hang_up, is_held_row};
use crate::db::pools::Pools;
use crate::db::queries::{Record, postgres_rows, sqlite_rows};
use crate::db::queues::Queues;
use crate::db::session::Route;
use crate::db::statement::{Argument, Statement};
use crate::db::work::SingleWrite;
use crate::db::write::Write;
use crate::db::write_context::WriteContext;
use crate::measure;
use crate::traces;

pub(crate) static SQLITE_MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES_MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// How long a read may take.
const READ_TIMEOUT: Duration = Duration::from_secs(10);

/// The database.
pub struct Db {
    pools: Arc<Pools>,
    context: Arc<WriteContext>,
    queues: Queues,
}

impl Db {
    /// Connects. Creates a missing SQLite file if `create` is set; does not apply migrations.
    ///
    /// # Errors
    /// When the URL is not of a supported database, or the database cannot be reached.
    pub async fn connect(url: &str, create: bool) -> Result<Self, StoreError> {
        let pools = Arc::new(connect::pools(url, create).await?);
        let context = Arc::new(WriteContext::new(pools.clone()));
        let queues = Queues::new(&context);
        Ok(Self { pools, context, queues })
    }

    /// Connects to look only: nothing can be written through it. A SQLite file must exist.
    ///
    /// # Errors
    /// When the URL is not of a supported database, or the database cannot be reached.
    pub async fn connect_to_read(url: &str) -> Result<Self, StoreError> {
        let pools = Arc::new(connect::pools_to_read(url).await?);
        let context = Arc::new(WriteContext::new(pools.clone()));
        let queues = Queues::new(&context);
        Ok(Self { pools, context, queues })
    }

    /// Runs a write in a transaction and commits it, or rolls it back when it fails. When the database reports a
    /// conflict, the write runs again.
    ///
    /// On SQLite, which has a single writer, it shares its commit with the writes that arrive at the same time.
    ///
    /// # Errors
    /// The write's own error, or the database's. After an error nothing of the write is stored, with one exception: if
    /// the connection breaks or the time runs out during the commit, it is unknown whether the commit happened.
    pub async fn write<W: Write>(&self, write: W) -> Result<W::Output, StoreError> {
        let span = traces::database(short_name::<W>(), self.system(), None);
        match self.pools.as_ref() {
            Pools::Sqlite { .. } => self.queues.shared().write(write).instrument(span).await,
            // Boxed: this future is large, and most of the others here are small.
            Pools::Postgres { .. } => Box::pin(self.pools.write(&mut SingleWrite(write)).instrument(span)).await,
        }
    }

    /// Runs a command, together with the commands of its type that arrive at the same time.
    ///
    /// # Errors
    /// The command's own error, or the database's. Then nothing of it is stored, with the exception described at
    /// [`Self::write`].
    pub async fn submit<C: Command>(&self, command: C) -> Result<C::Output, StoreError> {
        let span = traces::database(C::NAME, self.system(), None);
        self.queues.of::<C>(&self.context).submit(command).instrument(span).await
    }

    fn system(&self) -> &'static str {
        match self.pools.as_ref() {
            Pools::Sqlite { .. } => "sqlite",
            Pools::Postgres { .. } => "postgresql",
        }
    }

    /// How many writes shared how many commits so far.
    #[must_use]
    pub fn commit_counts(&self) -> CommitCounts {
        self.context.counters.read()
    }

    /// How many writes wait for a commit.
    #[must_use]
    pub fn waiting_writes(&self) -> usize {
        self.queues.waiting()
    }

    /// How many connections are open, and how many of them nothing uses.
    #[must_use]
    pub fn connections(&self) -> (u32, u32) {
        let (open, idle) = match self.pools.as_ref() {
            Pools::Sqlite { writer, readers, .. } => {
                (writer.size().saturating_add(readers.size()), writer.num_idle().saturating_add(readers.num_idle()))
            }
            Pools::Postgres { pool, .. } => (pool.size(), pool.num_idle()),
        };
        (open, u32::try_from(idle).unwrap_or(u32::MAX))
    }

    /// Reads at most one row, outside a transaction.
    ///
    /// # Errors
    /// When the database refuses or fails, or the row cannot be read as `T`.
    pub async fn read_optional<T: Record>(
        &self,
        statement: &'static Statement,
        arguments: &[Argument],
    ) -> Result<Option<T>, StoreError> {
        let read = move || async move {
            Ok(match self.pools.as_ref() {
                Pools::Sqlite { readers, .. } => sqlite_rows(statement, arguments)?.fetch_optional(readers).await?,
                Pools::Postgres { pool, route: Route::Direct, .. } => {
                    postgres_rows(Route::Direct, statement, arguments)?.fetch_optional(pool).await?
                }
                // Boxed: this future is large, and most of the others here are small.
                Pools::Postgres { .. } => Box::pin(self.pools.optional_in_transaction(statement, arguments)).await?,
            })
        };
        let span = traces::database("read", self.system(), Some(statement.sql()));
        self.reading(read).instrument(span).await
    }

    /// Reads all rows of one statement, outside a transaction. The statement must limit their number.
    ///
    /// # Errors
    /// When the database refuses or fails, or a row cannot be read as `T`.
    pub async fn read_all<T: Record>(
        &self,
        statement: &'static Statement,
        arguments: &[Argument],
    ) -> Result<Vec<T>, StoreError> {
        let read = move || async move {
            Ok(match self.pools.as_ref() {
                Pools::Sqlite { readers, .. } => sqlite_rows(statement, arguments)?.fetch_all(readers).await?,
                Pools::Postgres { pool, route: Route::Direct, .. } => {
                    postgres_rows(Route::Direct, statement, arguments)?.fetch_all(pool).await?
                }
                // Boxed: this future is large, and most of the others here are small.
                Pools::Postgres { .. } => Box::pin(self.pools.all_in_transaction(statement, arguments)).await?,
            })
        };
        let span = traces::database("read", self.system(), Some(statement.sql()));
        self.reading(read).instrument(span).await
    }

    /// Runs a read, and records damage that it reports.
    async fn reading<T, F>(&self, read: impl Fn() -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        // Held until the end, so that the file's connections are not reopened meanwhile.
        let _opened = match self.pools.as_ref() {
            Pools::Sqlite { file, .. } => Some(file.opened().await),
            Pools::Postgres { .. } => None,
        };
        let started = Instant::now();
        let result = reading(read).await;
        measure::database("read", started.elapsed());
        self.pools.health().saw_reading(&result);
        result
    }

    pub(crate) fn pools(&self) -> &Pools {
        &self.pools
    }

    /// Asks the database to prepare a statement. Used by the test that prepares every statement.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn prepare(&self, statement: &'static Statement) -> Result<(), StoreError> {
        let sql = SqlStr::from_static(statement.sql());
        match self.pools.as_ref() {
            Pools::Sqlite { readers, .. } => drop(readers.acquire().await?.prepare(sql).await?),
            Pools::Postgres { pool, .. } => drop(pool.acquire().await?.prepare(sql).await?),
        }
        Ok(())
    }

    /// Runs arbitrary SQL, for tests that break things on purpose.
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

    /// Like `execute_raw`, on SQLite's connection for bulk statements. Not to be called while a bulk statement runs.
    ///
    /// # Errors
    /// When the database refuses or fails.
    #[doc(hidden)]
    pub async fn execute_raw_by_creditor(&self, sql: &'static str) -> Result<(), StoreError> {
        let Pools::Sqlite { creditor, .. } = self.pools.as_ref() else { return Ok(()) };
        let mut connection = creditor.take().await?;
        connection.get()?.execute(sqlx::raw_sql(sql)).await?;
        connection.give_back();
        Ok(())
    }

    /// Checks a SQLite file for damage. Does nothing on PostgreSQL.
    ///
    /// # Errors
    /// When the file is damaged or cannot be read.
    pub async fn look_for_damage(&self) -> Result<(), StoreError> {
        let Pools::Sqlite { readers, .. } = self.pools.as_ref() else { return Ok(()) };
        let said: String = sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(readers).await?;
        if said == "ok" {
            return Ok(());
        }
        tracing::error!(said, "SQLite finds the database damaged");
        Err(StoreError::Damaged)
    }

    /// Applies the missing migrations.
    ///
    /// # Errors
    /// When one fails, or the database was migrated by a newer version.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        match self.pools.as_ref() {
            Pools::Sqlite { writer, .. } => {
                self.look_for_damage().await?;
                SQLITE_MIGRATIONS.run(writer).await?;
            }
            Pools::Postgres { route: Route::Pooled, .. } => return Err(StoreError::NeedsOwnSession),
            Pools::Postgres { pool, .. } => {
                // A migration has no time limit.
                let mut connection = pool.acquire().await?.detach();
                connection.execute(sqlx::raw_sql("SET statement_timeout = 0; SET lock_timeout = 0")).await?;
                POSTGRES_MIGRATIONS.run(&mut connection).await?;
                connection.close().await?;
            }
        }
        Ok(())
    }

    /// Applies the missing migrations and closes the connections.
    ///
    /// # Errors
    /// See [`Self::migrate`].
    pub async fn migrate_and_close(self) -> Result<(), StoreError> {
        let result = self.migrate().await;
        self.close().await;
        result
    }

    /// The numbers of this version's migrations, in order.
    #[must_use]
    pub fn known_migrations(&self) -> Vec<i64> {
        let migrations = match self.pools.as_ref() {
            Pools::Sqlite { .. } => &SQLITE_MIGRATIONS,
            Pools::Postgres { .. } => &POSTGRES_MIGRATIONS,
        };
        migrations.iter().map(|migration| migration.version).collect()
    }

    /// Closes all connections after the running statements.
    pub async fn close(&self) {
        match self.pools.as_ref() {
            Pools::Sqlite { writer, readers, creditor, file, .. } => {
                readers.close().await;
                creditor.close().await;
                file.close().await;
                writer.close().await;
            }
            Pools::Postgres { pool, kept, .. } => {
                kept.close().await;
                pool.close().await;
            }
        }
    }
}

/// The name of a type without its path and its parameters.
fn short_name<T>() -> &'static str {
    let path = std::any::type_name::<T>().split('<').next().unwrap_or_default();
    path.rsplit("::").next().unwrap_or_default()
}

/// Runs a read within its time limit. A recently used connection is not tested first, so a restarted server is noticed
/// here; the read is then retried until no connection from before the restart can be left. Also waits for a table that
/// a migration has locked.
async fn reading<T, F>(read: impl Fn() -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let passes =
        |error: &StoreError| matches!(error, StoreError::Database(error) if is_hang_up(error) || is_held_row(error));
    let connections = usize::try_from(connect::POSTGRES_CONNECTIONS).unwrap_or(usize::MAX);
    let at_once = ConstantBuilder::new().with_delay(Duration::ZERO).with_max_times(connections);
    let read = read.retry(at_once).when(passes);
    tokio::time::timeout(READ_TIMEOUT, read).await.unwrap_or(Err(StoreError::TimedOut))
}
