//! Connections that are kept for one user each. A pool would test one each time it comes back, which is an exchange with
//! the database after each exchange.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sqlx::pool::PoolConnection;
use sqlx::{Connection, Database, Pool};

use crate::db::StoreError;

/// After how long without use a connection is tested before it is used.
pub(crate) const TEST_AFTER: Duration = Duration::from_secs(1);

/// The connection, and the pool of one that opens it.
pub(crate) struct Kept<DB: Database> {
    pool: Pool<DB>,
    /// As long as nobody uses it: the connection, and since when.
    free: Mutex<Option<(PoolConnection<DB>, Instant)>>,
}

impl<DB: Database> Kept<DB> {
    /// Opens nothing yet.
    pub(crate) fn new(pool: Pool<DB>) -> Self {
        Self { pool, free: Mutex::default() }
    }

    /// Whether it can be used without opening or testing it.
    pub(crate) fn is_ready(&self) -> bool {
        self.free().as_ref().is_some_and(|(_, since)| since.elapsed() < TEST_AFTER)
    }

    /// Takes it, and opens it if need be.
    pub(crate) async fn take(&self) -> Result<Taken<'_, DB>, StoreError> {
        let free = self.free().take();
        if let Some((connection, since)) = free {
            let mut taken = Taken { kept: self, connection: Some(connection) };
            if since.elapsed() < TEST_AFTER || taken.get()?.ping().await.is_ok() {
                return Ok(taken);
            }
        }
        Ok(Taken { kept: self, connection: Some(self.pool.acquire().await?) })
    }

    /// Ends it; the next use opens it again.
    pub(crate) async fn end(&self) {
        let free = self.free().take();
        if let Some((connection, _)) = free {
            connection.close().await.ok();
        }
        end_all(&self.pool).await;
    }

    /// Ends it.
    pub(crate) async fn close(&self) {
        // From here on the pool says that it is closed, so what is in use ends when it is given back.
        let closing = self.pool.close();
        drop(self.free().take());
        closing.await;
    }

    fn free(&self) -> MutexGuard<'_, Option<(PoolConnection<DB>, Instant)>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Kept connections by name, each made when it is first asked for.
pub(crate) struct KeptByName<DB: Database> {
    make: Box<dyn Fn(&'static str) -> Pool<DB> + Send + Sync>,
    /// Whether all names share one, because there are few connections.
    is_shared: bool,
    kept: Mutex<Named<DB>>,
}

/// The connections that were asked for, and whether no more are opened.
struct Named<DB: Database> {
    by_name: BTreeMap<&'static str, Arc<Kept<DB>>>,
    is_closed: bool,
}

impl<DB: Database> KeptByName<DB> {
    pub(crate) fn new(is_shared: bool, make: impl Fn(&'static str) -> Pool<DB> + Send + Sync + 'static) -> Self {
        let kept = Mutex::new(Named { by_name: BTreeMap::new(), is_closed: false });
        Self { make: Box::new(make), is_shared, kept }
    }

    /// Whether all names share one.
    pub(crate) const fn is_shared(&self) -> bool {
        self.is_shared
    }

    /// The one with a name.
    ///
    /// # Errors
    /// When they are closed.
    pub(crate) fn of(&self, name: &'static str) -> Result<Arc<Kept<DB>>, StoreError> {
        let name = if self.is_shared { "commands" } else { name };
        let mut kept = self.kept();
        if kept.is_closed {
            return Err(StoreError::Closed);
        }
        let kept = kept.by_name.entry(name).or_insert_with(|| Arc::new(Kept::new((self.make)(name))));
        Ok(kept.clone())
    }

    /// Ends all.
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

    fn kept(&self) -> MutexGuard<'_, Named<DB>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends every connection of a pool that nobody uses at the moment; one that is on its way back is waited for.
pub(crate) async fn end_all<DB: Database>(pool: &Pool<DB>) {
    while pool.size() > 0 {
        let Ok(connection) = pool.acquire().await else { return };
        connection.close().await.ok();
    }
}

/// The connection in use. If it is not given back, it ends: nobody knows what it was in the middle of.
pub(crate) struct Taken<'k, DB: Database> {
    kept: &'k Kept<DB>,
    connection: Option<PoolConnection<DB>>,
}

impl<DB: Database> Taken<'_, DB> {
    pub(crate) fn get(&mut self) -> Result<&mut DB::Connection, StoreError> {
        self.connection.as_deref_mut().ok_or(StoreError::Closed)
    }

    pub(crate) fn give_back(mut self) {
        let connection = self.connection.take();
        let mut free = self.kept.free();
        // A closed pool waits for its connections: one that is kept would never come back.
        *free = connection.filter(|_| !self.kept.pool.is_closed()).map(|connection| (connection, Instant::now()));
    }
}

impl<DB: Database> Drop for Taken<'_, DB> {
    fn drop(&mut self) {
        if let Some(connection) = &mut self.connection {
            connection.close_on_drop();
        }
    }
}
