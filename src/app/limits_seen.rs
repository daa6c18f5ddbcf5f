//! Remembers whether accounts with limits spend here: then groups are decided by the statement that knows limits.

use std::sync::atomic::{AtomicI64, Ordering};

/// For how long it is remembered, in milliseconds.
const KEPT_MS: i64 = 60_000;

/// When an account with limits spent last. Only a hint: without it such an account's command takes two exchanges.
#[derive(Debug)]
pub struct LimitsSeen(AtomicI64);

impl Default for LimitsSeen {
    fn default() -> Self {
        Self(AtomicI64::new(i64::MIN))
    }
}

impl LimitsSeen {
    /// Notes that an account with limits spends.
    pub(crate) fn note(&self, now_ms: i64) {
        self.0.store(now_ms, Ordering::Relaxed);
    }

    /// Whether one did lately.
    pub(crate) fn is_recent(&self, now_ms: i64) -> bool {
        now_ms.saturating_sub(self.0.load(Ordering::Relaxed)) < KEPT_MS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_forgotten_after_a_minute() {
        let seen = LimitsSeen::default();
        assert!(!seen.is_recent(1_800_000_000_000));
        seen.note(1_800_000_000_000);
        assert!(seen.is_recent(1_800_000_059_999) && !seen.is_recent(1_800_000_060_000));
    }
}
