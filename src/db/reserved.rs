//! Connections reserved for one user each. A pool would test a connection each time it is returned, which adds a round
//! trip after each use.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sqlx::pool::PoolConnection;
use sqlx::{Connection, Database, Pool};

use crate::db::StoreError;

/// An unused connection is tested before use after this time.
pub(crate) const TEST_AFTER: Duration = Duration::from_secs(1);

/// A reserved connection, with the pool of one that opens it.
pub(crate) struct ReservedConnection<DB: Database> {
    pool: Pool<DB>,
    /// The connection while it is not in use, and since when.
    free: Mutex<Option<(PoolConnection<DB>, Instant)>>,
}

impl<DB: Database> ReservedConnection<DB> {
    /// Creates the slot without opening a connection.
    pub(crate) fn new(pool: Pool<DB>) -> Self {
        Self { pool, free: Mutex::default() }
    }

    /// Whether the connection can be used without opening or testing it.
    pub(crate) fn is_ready(&self) -> bool {
        self.free().as_ref().is_some_and(|(_, since)| since.elapsed() < TEST_AFTER)
    }

    /// Takes the connection, and opens it if necessary.
    pub(crate) async fn take(&self) -> Result<BorrowedConnection<'_, DB>, StoreError> {
        let free = self.free().take();
        if let Some((connection, since)) = free {
            let mut taken = BorrowedConnection { kept: self, connection: Some(connection) };
            if since.elapsed() < TEST_AFTER || taken.get()?.ping().await.is_ok() {
                return Ok(taken);
            }
        }
        Ok(BorrowedConnection { kept: self, connection: Some(self.pool.acquire().await?) })
    }

    /// Closes the connection; the next use opens a new one.
    pub(crate) async fn end(&self) {
        let free = self.free().take();
        if let Some((connection, _)) = free {
            connection.close().await.ok();
        }
        end_all(&self.pool).await;
    }

    /// Closes the connection for good.
    pub(crate) async fn close(&self) {
        // From here on the pool counts as closed, so a connection in use is closed when it is returned.
        let closing = self.pool.close();
        drop(self.free().take());
        closing.await;
    }

    fn free(&self) -> MutexGuard<'_, Option<(PoolConnection<DB>, Instant)>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reserved connections by name, each created when it is first requested.
pub(crate) struct ReservedByName<DB: Database> {
    make: Box<dyn Fn(&'static str) -> Pool<DB> + Send + Sync>,
    /// Whether all names share one connection, because there are few.
    is_shared: bool,
    kept: Mutex<ByName<DB>>,
}

/// The connections created so far, and whether this is closed.
struct ByName<DB: Database> {
    by_name: BTreeMap<&'static str, Arc<ReservedConnection<DB>>>,
    is_closed: bool,
}

impl<DB: Database> ReservedByName<DB> {
    pub(crate) fn new(is_shared: bool, make: impl Fn(&'static str) -> Pool<DB> + Send + Sync + 'static) -> Self {
        let kept = Mutex::new(ByName { by_name: BTreeMap::new(), is_closed: false });
        Self { make: Box::new(make), is_shared, kept }
    }

    /// Whether all names share one connection.
    pub(crate) const fn is_shared(&self) -> bool {
        self.is_shared
    }

    /// The connection with this name.
    ///
    /// # Errors
    /// [`StoreError::Closed`] after [`Self::close`].
    pub(crate) fn of(&self, name: &'static str) -> Result<Arc<ReservedConnection<DB>>, StoreError> {
        let name = if self.is_shared { "commands" } else { name };
        let mut kept = self.kept();
        if kept.is_closed {
            return Err(StoreError::Closed);
        }
        let kept = kept.by_name.entry(name).or_insert_with(|| Arc::new(ReservedConnection::new((self.make)(name))));
        Ok(kept.clone())
    }

    /// Closes all connections.
    pub(crate) async fn close(&self) {
        let all: Vec<_> = {
            let mut kept = self.kept();
            kept.is_closed = true;
            kept.by_name.values().cloned().collect()
        };
        for kept in all {
            kept.close().await;
        }
    }

    fn kept(&self) -> MutexGuard<'_, ByName<DB>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes every idle connection of a pool, and waits for one that is being returned.
pub(crate) async fn end_all<DB: Database>(pool: &Pool<DB>) {
    while pool.size() > 0 {
        let Ok(connection) = pool.acquire().await else { return };
        connection.close().await.ok();
    }
}

/// A connection in use. If it is not given back, it is closed, because its state is unknown.
pub(crate) struct BorrowedConnection<'k, DB: Database> {
    kept: &'k ReservedConnection<DB>,
    connection: Option<PoolConnection<DB>>,
}

impl<DB: Database> BorrowedConnection<'_, DB> {
    pub(crate) fn get(&mut self) -> Result<&mut DB::Connection, StoreError> {
        self.connection.as_deref_mut().ok_or(StoreError::Closed)
    }

    pub(crate) fn give_back(mut self) {
        let connection = self.connection.take();
        let mut free = self.kept.free();
        // A closed pool waits for its connections; one kept here would never be returned.
        *free = connection.filter(|_| !self.kept.pool.is_closed()).map(|connection| (connection, Instant::now()));
    }
}

impl<DB: Database> Drop for BorrowedConnection<'_, DB> {
    fn drop(&mut self) {
        if let Some(connection) = &mut self.connection {
            connection.close_on_drop();
        }
    }
}
