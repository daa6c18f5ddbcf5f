//! Counts how many writes share how many commits, for monitoring.

use crate::db::StoreError;
use std::sync::atomic::{AtomicU64, Ordering};

/// The running totals.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    groups: AtomicU64,
    writes: AtomicU64,
    in_bulk: AtomicU64,
    alone: AtomicU64,
    refused: AtomicU64,
    failed_groups: AtomicU64,
    largest: AtomicU64,
}

/// How many writes shared how many commits, as a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommitCounts {
    /// Groups that were committed or attempted.
    pub groups: u64,
    /// Writes in them.
    pub writes: u64,
    /// Writes that bulk statements handled.
    pub in_bulk: u64,
    /// Writes of shared groups that ran in transactions of their own, because the group failed or the bulk statement
    /// did not cover them.
    pub alone: u64,
    /// Writes that were refused because the queue was full.
    pub refused: u64,
    /// Groups that failed as a whole; each of their writes was then retried individually.
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
            in_bulk: read(&self.in_bulk),
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

    /// Counts writes that a bulk statement handled.
    pub(crate) fn in_bulk(&self, count: usize) {
        self.in_bulk.fetch_add(u64::try_from(count).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Counts writes that run individually.
    pub(crate) fn alone(&self, count: usize) {
        self.alone.fetch_add(u64::try_from(count).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Counts a failed group and logs a warning.
    pub(crate) fn group_failed(&self, error: &StoreError, size: usize) {
        let failed_groups = self.failed_groups.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        let error = error.in_words();
        tracing::warn!(error, size, failed_groups, "writes that were to share a commit are done one by one");
    }

    /// Counts a refused write.
    pub(crate) fn refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }
}
