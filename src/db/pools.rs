//! Runs writes on the pools: in a transaction, again on a conflict, in a separate lane while a row is locked. Records
//! whether other writes would succeed.

use std::sync::Arc;
use std::time::Instant;

use backon::Retryable;
use sqlx::postgres::PgArguments;
use sqlx::query::QueryAs;
use sqlx::{Connection, PgConnection, PgPool, Postgres, Sqlite, SqlitePool};

use crate::checkpoints;
use crate::db::StoreError;
use crate::db::database_error::is_storage_failure;
use crate::db::lanes::{Lanes, Place};
use crate::db::queries::{Record, postgres_rows, sqlite_rows};
use crate::db::reserved::{ReservedByName, ReservedConnection};
use crate::db::session::Route;
use crate::db::sqlite_file::SqliteFile;
use crate::db::statement::{Argument, Bulk, Statement};
use crate::db::tx::Tx;
use crate::db::work::{CONFLICTS, Work, WriteRetries, guarded, in_write_time};
use crate::db::write_health::WriteHealth;
use crate::measure;

/// The connection pools.
pub(crate) enum Pools {
    Sqlite {
        writer: SqlitePool,
        readers: SqlitePool,
        /// Runs only bulk statements, and only while the writer is idle.
        creditor: ReservedConnection<Sqlite>,
        /// The files at the path, and whether they are still the ones that were opened.
        file: Box<SqliteFile>,
        health: WriteHealth,
    },
    Postgres {
        pool: PgPool,
        /// One connection for each bulk statement.
        kept: ReservedByName<Postgres>,
        lanes: Lanes,
        route: Route,
        health: Arc<WriteHealth>,
    },
}

impl Pools {
    /// Whether the database has a single writer, so that writes share a transaction. With several, each write has its
    /// own.
    pub(crate) const fn has_one_writer(&self) -> bool {
        matches!(self, Self::Sqlite { .. })
    }

    /// Whether each kind of command can have a queue and a connection of its own.
    pub(crate) const fn has_room_for_queues(&self) -> bool {
        match self {
            Self::Sqlite { .. } => false,
            Self::Postgres { kept, .. } => !kept.is_shared(),
        }
    }

    /// Whether the bulk statement of this name can run without opening or testing a connection.
    pub(crate) fn is_connected(&self, name: &'static str) -> bool {
        match self {
            // SQLite's connections have threads of their own.
            Self::Sqlite { .. } => true,
            Self::Postgres { kept, .. } => kept.of(name).is_ok_and(|kept| kept.is_ready()),
        }
    }

    /// Runs work in a transaction of its own. Retries when the database reports a conflict, and for a limited time
    /// while another transaction holds a row lock.
    pub(crate) async fn write<W: Work + ?Sized>(&self, work: &mut W) -> Result<W::Output, StoreError> {
        let mut place = Place::new(self.lanes());
        if work.expects_held_row() {
            place.step_aside()?;
        }
        let mut retries = WriteRetries::new();
        loop {
            let started = Instant::now();
            let result = self.watched(async {
                let _turn = place.turn().await;
                self.write_once(work).await
            });
            let result = result.await;
            measure::database("write", started.elapsed());
            let error = match result {
                Ok(output) => return Ok(output),
                Err(error) => error,
            };
            if error.is_held_row() {
                work.met_held_row();
                place.step_aside()?;
            }
            let Some(pause) = retries.pause_after(&error) else { return Err(error) };
            tokio::time::sleep(pause).await;
        }
    }

    /// Runs a bulk statement, which commits by itself, in one round trip. Retries when the database reports a conflict.
    /// A row lock held by another transaction is an error at once, so that the other rows do not wait for it.
    pub(crate) async fn write_bulk<T: Record>(
        &self,
        name: &'static str,
        bulk: &impl Bulk,
    ) -> Result<Vec<T>, StoreError> {
        let started = Instant::now();
        let write = || self.watched(self.write_bulk_once(name, bulk));
        let result = write.retry(CONFLICTS).when(StoreError::is_conflict).await;
        measure::database("bulk", started.elapsed());
        result
    }

    const fn lanes(&self) -> Option<&Lanes> {
        match self {
            Self::Sqlite { .. } => None,
            Self::Postgres { lanes, .. } => Some(lanes),
        }
    }

    async fn write_bulk_once<T: Record>(&self, name: &'static str, bulk: &impl Bulk) -> Result<Vec<T>, StoreError> {
        checkpoints::reach("commit in one exchange").await;
        let rows = match self {
            Self::Sqlite { creditor, file, .. } => {
                let query = sqlite_rows(&bulk.statement().json.with_commit, &bulk.as_json()?)?;
                let _opened = file.before_write().await?;
                let mut connection = creditor.take().await?;
                // The SQL text opens a transaction; after a failure it is still open, and closing the connection ends
                // it.
                let rows = query.fetch_all(connection.get()?).await?;
                connection.give_back();
                file.after_commit()?;
                rows
            }
            Self::Postgres { kept, route, .. } => {
                let query = postgres_rows(*route, &bulk.statement().lists, &bulk.as_lists())?;
                let kept = kept.of(name)?;
                let mut connection = kept.take().await?;
                let result = match route.begin_bulk() {
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

    pub(crate) async fn optional_in_transaction<T: Record>(
        &self,
        statement: &'static Statement,
        arguments: &[Argument],
    ) -> Result<Option<T>, StoreError> {
        let mut tx = self.begin().await?;
        let row = tx.fetch_optional(statement, arguments).await?;
        tx.commit().await?;
        Ok(row)
    }

    pub(crate) async fn all_in_transaction<T: Record>(
        &self,
        statement: &'static Statement,
        arguments: &[Argument],
    ) -> Result<Vec<T>, StoreError> {
        let mut tx = self.begin().await?;
        let rows = tx.fetch_all(statement, arguments).await?;
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
        // Held until the end, so that the file's connections are not reopened meanwhile.
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

    /// Runs a write within its time limit, and records whether other writes would succeed.
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
    pub(crate) fn health(&self) -> &WriteHealth {
        match self {
            Self::Sqlite { health, .. } => health,
            Self::Postgres { health, .. } => health,
        }
    }

    /// Whether the files at the path are still the ones that are open.
    pub(crate) fn check_files(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite { file, .. } => file.check(),
            Self::Postgres { .. } => Ok(()),
        }
    }
}

/// Whether a session can be reused after a self-committing statement failed: the server has reported the error and
/// waits for the next statement. Not if the session takes no writes, nor if an explicit transaction was begun, which
/// may still be open.
fn says_so_and_goes_on(route: Route, error: &sqlx::Error) -> bool {
    route.keeps_statements() && matches!(error, sqlx::Error::Database(_)) && !is_storage_failure(error)
}

/// Runs a query in a transaction that starts with the given statement.
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
