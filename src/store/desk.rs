//! What everybody who writes needs: the connections, the counts, the rows that are known to be held.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::runtime::Handle;

use super::backend::Pools;
use super::commit_counts::Counters;
use super::held::HeldRows;

/// Shared by all writes of a database.
pub(super) struct Desk {
    pub(super) pools: Arc<Pools>,
    pub(super) counters: Counters,
    pub(super) held: HeldRows,
    /// The main runtime, which outlives those of the web workers.
    pub(super) runtime: Handle,
    /// How many commands are being done alone, in tasks of their own.
    alone: AtomicUsize,
}

impl Desk {
    /// For the current runtime as the main one.
    pub(super) fn new(pools: Arc<Pools>) -> Self {
        let (counters, held, alone) = (Counters::default(), HeldRows::default(), AtomicUsize::default());
        Self { pools, counters, held, runtime: Handle::current(), alone }
    }

    /// How many commands are being done alone.
    pub(super) fn count_alone(&self) -> usize {
        self.alone.load(Ordering::Relaxed)
    }

    /// Counts one more, until what is given is dropped.
    pub(super) fn begin_alone(self: &Arc<Self>) -> UnderWay {
        self.alone.fetch_add(1, Ordering::Relaxed);
        UnderWay(self.clone())
    }
}

/// A command that is being done alone.
pub(super) struct UnderWay(pub(super) Arc<Desk>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.alone.fetch_sub(1, Ordering::Relaxed);
    }
}
