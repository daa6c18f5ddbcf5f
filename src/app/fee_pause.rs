//! Pauses fee look-ups at Stripe while Stripe fails.

use std::sync::{Mutex, PoisonError};

/// The pause after the first failed run; each further one is twice as long.
const FIRST_PAUSE_MS: i64 = 10_000;
const LONGEST_PAUSE_MS: i64 = 900_000;

/// The current pause.
#[derive(Debug, Default)]
pub struct FeePause(Mutex<Paused>);

#[derive(Debug, Clone, Copy, Default)]
struct Paused {
    until_ms: i64,
    failures: u32,
}

impl FeePause {
    pub(crate) fn is_over(&self, now_ms: i64) -> bool {
        let paused = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A time far in the future was set before the clock was set back.
        now_ms >= paused.until_ms || paused.until_ms > now_ms.saturating_add(LONGEST_PAUSE_MS)
    }

    /// Begins a pause, longer than the last one. Returns how many runs in a row have failed.
    pub(crate) fn failed(&self, now_ms: i64) -> u32 {
        let mut paused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        paused.until_ms = now_ms.saturating_add(backoff(FIRST_PAUSE_MS, paused.failures, LONGEST_PAUSE_MS));
        paused.failures = paused.failures.saturating_add(1);
        paused.failures
    }

    pub(crate) fn went_well(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Paused::default();
    }
}

/// A time that doubles up to a limit.
pub(crate) fn backoff(first_ms: i64, doublings: u32, longest_ms: i64) -> i64 {
    first_ms.saturating_mul(2_i64.saturating_pow(doublings.min(30))).min(longest_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_makes_the_pause_longer_up_to_a_bound_and_success_ends_it() {
        let pause = FeePause::default();
        assert!(pause.is_over(0));
        assert_eq!(
            (pause.failed(0), pause.is_over(FIRST_PAUSE_MS - 1), pause.is_over(FIRST_PAUSE_MS)),
            (1, false, true)
        );
        for failures in 2..40 {
            assert_eq!(pause.failed(0), failures);
        }
        assert!(!pause.is_over(LONGEST_PAUSE_MS - 1) && pause.is_over(LONGEST_PAUSE_MS));
        pause.went_well();
        assert!(pause.is_over(1));
    }
}
