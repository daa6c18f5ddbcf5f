//! What every write needs: the connections, the counters, the rows known to be locked.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::runtime::Handle;

use crate::db::commit_counts::Counters;
use crate::db::held::HeldRows;
use crate::db::pools::Pools;
use crate::db::row_turns::RowTurns;

/// Shared by all writes of a database.
pub(crate) struct WriteContext {
    pub(crate) pools: Arc<Pools>,
    pub(crate) counters: Counters,
    pub(crate) held: HeldRows,
    pub(crate) turns: RowTurns,
    /// The main runtime, which outlives those of the web workers.
    pub(crate) runtime: Handle,
    /// How many commands are running individually, in tasks of their own.
    alone: AtomicUsize,
}

impl WriteContext {
    /// Creates the context, with the current runtime as the main one.
    pub(crate) fn new(pools: Arc<Pools>) -> Self {
        let (counters, held, alone) = (Counters::default(), HeldRows::default(), AtomicUsize::default());
        Self { pools, counters, held, turns: RowTurns::default(), runtime: Handle::current(), alone }
    }

    /// How many commands are running individually.
    pub(crate) fn count_alone(&self) -> usize {
        self.alone.load(Ordering::Relaxed)
    }

    /// Counts one more, until the returned guard is dropped.
    pub(crate) fn begin_alone(self: &Arc<Self>) -> UnderWay {
        self.alone.fetch_add(1, Ordering::Relaxed);
        UnderWay(self.clone())
    }
}

/// A guard for a command that is running individually.
pub(crate) struct UnderWay(pub(crate) Arc<WriteContext>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.alone.fetch_sub(1, Ordering::Relaxed);
    }
}
