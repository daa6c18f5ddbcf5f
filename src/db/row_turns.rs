//! Commands of this process that need the same row, and run individually, take turns. Otherwise each of them would wait
//! for the row's lock on a connection of its own, and many at once would be refused although each is done in a moment.
//!
//! The wait is bounded in time, and so is the number of those who wait for one row.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex as Turn, OwnedMutexGuard};

use crate::db::StoreError;

/// How many may wait for one row: as many as may wait in all. Beyond it the caller gets an error at once.
const MAX_WAITING: usize = 1_024;
/// How long one may wait: longer than the one who has the turn waits for the row's lock.
const PATIENCE: Duration = Duration::from_secs(10);

type Rows = BTreeMap<String, Arc<Turn<()>>>;

/// The rows whose turn somebody has or waits for.
#[derive(Debug)]
pub(crate) struct RowTurns {
    rows: Mutex<Rows>,
    patience: Duration,
}

impl Default for RowTurns {
    fn default() -> Self {
        Self { rows: Mutex::default(), patience: PATIENCE }
    }
}

/// The turn at a row. The next one has it when this is dropped.
#[derive(Debug)]
pub(crate) struct RowTurn<'r> {
    rows: &'r RowTurns,
    name: String,
    turn: Option<OwnedMutexGuard<()>>,
}

impl RowTurns {
    /// Waits for the turn at a row.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when too many wait, or it takes too long.
    pub(crate) async fn take(&self, name: &str) -> Result<RowTurn<'_>, StoreError> {
        let turn = {
            let mut rows = self.rows();
            let turn = rows.entry(name.to_owned()).or_default();
            if Arc::strong_count(turn) > MAX_WAITING {
                return Err(StoreError::Locked);
            }
            turn.clone()
        };
        // Made first, so that the row is forgotten if this future is dropped while it waits.
        let mut taken = RowTurn { rows: self, name: name.to_owned(), turn: None };
        let turn = tokio::time::timeout(self.patience, turn.lock_owned()).await.map_err(|_| StoreError::Locked)?;
        taken.turn = Some(turn);
        Ok(taken)
    }

    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for RowTurn<'_> {
    fn drop(&mut self) {
        let mut rows = self.rows.rows();
        drop(self.turn.take());
        if rows.get(&self.name).is_some_and(|turn| Arc::strong_count(turn) == 1) {
            rows.remove(&self.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use futures_util::future::join_all;

    use super::*;

    #[tokio::test]
    async fn one_has_the_turn_and_a_bounded_number_wait() {
        let rows = RowTurns::default();
        let first = rows.take("user_1").await.expect("a turn");
        assert!(rows.take("user_2").now_or_never().is_some_and(|turn| turn.is_ok()), "another row is free");
        let mut waiting: Vec<_> = (1..MAX_WAITING).map(|_| Box::pin(rows.take("user_1"))).collect();
        assert!(waiting.iter_mut().all(|turn| turn.now_or_never().is_none()));
        assert!(matches!(rows.take("user_1").now_or_never(), Some(Err(StoreError::Locked))));
        drop(first);
        let turns = join_all(waiting.into_iter().map(async |turn| turn.await.map(drop))).await;
        assert!(turns.iter().all(Result::is_ok));
        assert!(rows.rows().is_empty(), "nothing is kept of rows that nobody waits for");
    }

    #[tokio::test]
    async fn the_wait_is_bounded() {
        let rows = RowTurns { patience: Duration::ZERO, ..RowTurns::default() };
        let first = rows.take("user_1").await.expect("a turn");
        assert!(matches!(rows.take("user_1").await, Err(StoreError::Locked)));
        drop(first);
        assert!(rows.rows().is_empty());
    }
}
