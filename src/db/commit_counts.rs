//! How many writes shared how many commits, for whoever watches the service.

use crate::db::StoreError;
use std::sync::atomic::{AtomicU64, Ordering};

/// What has been done so far.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    groups: AtomicU64,
    writes: AtomicU64,
    alone: AtomicU64,
    refused: AtomicU64,
    failed_groups: AtomicU64,
    largest: AtomicU64,
}

/// How many writes shared how many commits, at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommitCounts {
    /// Groups that were committed or tried.
    pub groups: u64,
    /// Writes in them.
    pub writes: u64,
    /// Writes that were done again, alone, because their group failed or they were not plain.
    pub alone: u64,
    /// Writes that were refused because the queue was full.
    pub refused: u64,
    /// Groups that failed as a whole, so that each of their writes was done again, alone.
    pub failed_groups: u64,
    /// The largest group.
    pub largest: u64,
}

impl Counters {
    pub(crate) fn read(&self) -> CommitCounts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        CommitCounts {
            groups: read(&self.groups),
            writes: read(&self.writes),
            alone: read(&self.alone),
            refused: read(&self.refused),
            failed_groups: read(&self.failed_groups),
            largest: read(&self.largest),
        }
    }

    /// Counts a group.
    pub(crate) fn group(&self, size: usize) {
        let size = u64::try_from(size).unwrap_or(u64::MAX);
        self.groups.fetch_add(1, Ordering::Relaxed);
        self.writes.fetch_add(size, Ordering::Relaxed);
        self.largest.fetch_max(size, Ordering::Relaxed);
    }

    /// Counts writes that are done alone.
    pub(crate) fn alone(&self, count: usize) {
        self.alone.fetch_add(u64::try_from(count).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Counts a group that failed, and says so where an operator looks.
    pub(crate) fn group_failed(&self, error: &StoreError, size: usize) {
        let failed_groups = self.failed_groups.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        let error = error.in_words();
        tracing::warn!(error, size, failed_groups, "writes that were to share a commit are done one by one");
    }

    /// Counts a write that is refused.
    pub(crate) fn refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }
}
