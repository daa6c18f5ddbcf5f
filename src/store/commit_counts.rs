//! How many writes shared how many commits, for whoever watches the service.

use std::sync::atomic::{AtomicU64, Ordering};

/// What has been done so far.
#[derive(Debug, Default)]
pub(super) struct Counters {
    groups: AtomicU64,
    writes: AtomicU64,
    alone: AtomicU64,
    refused: AtomicU64,
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
    /// The largest group.
    pub largest: u64,
}

impl Counters {
    pub(super) fn read(&self) -> CommitCounts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        CommitCounts {
            groups: read(&self.groups),
            writes: read(&self.writes),
            alone: read(&self.alone),
            refused: read(&self.refused),
            largest: read(&self.largest),
        }
    }

    /// Counts a group.
    pub(super) fn group(&self, size: usize) {
        let size = u64::try_from(size).unwrap_or(u64::MAX);
        self.groups.fetch_add(1, Ordering::Relaxed);
        self.writes.fetch_add(size, Ordering::Relaxed);
        self.largest.fetch_max(size, Ordering::Relaxed);
    }

    /// Counts writes that are done alone.
    pub(super) fn alone(&self, count: usize) {
        self.alone.fetch_add(u64::try_from(count).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Counts a write that is refused.
    pub(super) fn refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }
}
