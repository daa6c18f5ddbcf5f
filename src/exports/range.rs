//! The times that are exported, and the ids of ledger entries that belong to them.
//!
//! The ledger has no index of times. An entry's id begins with the time at which it was drawn, which is that of its
//! entry but for the pace of clocks; so entries are looked up by their ids, with a margin, and chosen by their times.

use crate::books::entry_times::DISORDER_MS;
use crate::domain::ids::LedgerEntryId;

/// From one time to before another, in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeRange {
    /// The beginning.
    pub from_ms: i64,
    /// The end, which does not belong to it.
    pub to_ms: i64,
}

/// The time before which nothing is written any more: a request that is under way carries the time at which it came.
#[must_use]
pub const fn settled_before_ms(now_ms: i64) -> i64 {
    now_ms.saturating_sub(DISORDER_MS)
}

impl TimeRange {
    /// Whether a time belongs to it.
    #[must_use]
    pub const fn contains(self, time_ms: i64) -> bool {
        self.from_ms <= time_ms && time_ms < self.to_ms
    }

    /// The least id of an entry of this time, and an id after all of them.
    pub(crate) fn entry_ids(self) -> (LedgerEntryId, LedgerEntryId) {
        let first = LedgerEntryId::first_at(self.from_ms.saturating_sub(DISORDER_MS));
        (first, LedgerEntryId::first_at(self.to_ms.saturating_add(DISORDER_MS)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ids_of_a_range_are_between_those_of_its_ends_at_the_ends_of_time_too() {
        let drawn = LedgerEntryId::from_bits((1_795_521_600_000_u128 << 80) | 7);
        let (first, end) = TimeRange { from_ms: 1_795_521_600_000, to_ms: 1_795_521_600_001 }.entry_ids();
        assert!(first < drawn && drawn < end);
        let (first, end) = TimeRange { from_ms: i64::MIN, to_ms: i64::MAX }.entry_ids();
        assert_eq!(first, LedgerEntryId::from_bits(0));
        assert!(end > drawn);
    }
}
