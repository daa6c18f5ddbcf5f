//! Tracks the calls that create one object at a provider, and decides when to use a new idempotency key.
//!
//! Invariant: no new key while an earlier call may have succeeded. Only the provider's list can prove that it did not,
//! and only after a quiet period: a provider may finish the work after answering 5xx, and its lists may lag. A refusal
//! of one call says nothing about an earlier one.

/// Stripe keeps an idempotency key for at least a day (Stripe, "Idempotent requests"). We treat keys as expired
/// earlier.
pub const KEY_LIFETIME_MS: i64 = 20 * 60 * 60 * 1_000;
/// How long after the last call that may have succeeded its result can still appear. Includes the minute during which a
/// single process works on a request.
pub const QUIET_MS: i64 = 15 * 60 * 1_000;
/// After this many failures that the provider repeats for the key, the key is useless. Allows one call more than the
/// first, as Stripe's own libraries do, because some failures are not stored under the key.
const MAX_FAILURES: i64 = 2;

/// What is known about the calls so far. Stored before the first call with each key, so that it survives a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    /// The number of the idempotency key in use.
    pub key: i64,
    /// When the key was first used, in milliseconds since 1970.
    pub key_used_at_ms: i64,
    /// When the latest call was made that may have succeeded, in milliseconds since 1970; `None` if every call is known
    /// to have done nothing.
    pub unknown_since_ms: Option<i64>,
    /// How many failures this key got that the provider would repeat.
    pub key_failures: i64,
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Call with the current key: the provider does the work once, however often it is called.
    Call,
    /// Use the next key: nothing was done, and the current key stands for a failure or has expired.
    NextKey,
    /// Look for the object in the provider's list: the current key can no longer tell whether it was created.
    Look,
}

impl Attempt {
    /// The first key, about to be used.
    #[must_use]
    pub const fn first(now_ms: i64) -> Self {
        Self { key: 1, key_used_at_ms: now_ms, unknown_since_ms: Some(now_ms), key_failures: 0 }
    }

    /// The next key, about to be used.
    #[must_use]
    pub const fn next(self, now_ms: i64) -> Self {
        Self { key: self.key.saturating_add(1), ..Self::first(now_ms) }
    }

    /// Decides what to do next.
    #[must_use]
    pub const fn step(&self, now_ms: i64) -> Step {
        let is_remembered = now_ms.saturating_sub(self.key_used_at_ms) <= KEY_LIFETIME_MS;
        match self.unknown_since_ms {
            _ if is_remembered && self.key_failures < MAX_FAILURES => Step::Call,
            None => Step::NextKey,
            Some(_) => Step::Look,
        }
    }

    /// Whether the object was certainly not created if the provider's list, read after `now_ms`, does not contain it.
    #[must_use]
    pub const fn absence_proves(&self, now_ms: i64) -> bool {
        match self.unknown_since_ms {
            Some(since_ms) => now_ms.saturating_sub(since_ms) >= QUIET_MS,
            None => true,
        }
    }

    /// Records that a call is about to be made. Returns the earlier `unknown_since_ms`, to restore if the call does
    /// nothing.
    pub const fn calling(&mut self, now_ms: i64) -> Option<i64> {
        let before = self.unknown_since_ms;
        self.unknown_since_ms = Some(now_ms);
        before
    }

    /// Records that the call may have succeeded and that the provider would repeat its failure for this key.
    pub const fn failed(&mut self) {
        self.key_failures = self.key_failures.saturating_add(1);
    }

    /// Records that nothing was done and that the key may stand for a refusal: the next call needs another key.
    pub const fn refused(&mut self) {
        self.unknown_since_ms = None;
        self.key_failures = MAX_FAILURES;
    }

    /// Limits stored times to now, so that a time from a wrong clock is not waited for: the quiet period starts now.
    pub fn believe(&mut self, now_ms: i64) {
        self.unknown_since_ms = self.unknown_since_ms.map(|since_ms| since_ms.min(now_ms));
        self.key_used_at_ms = self.key_used_at_ms.min(now_ms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000_000;

    #[test]
    fn a_key_that_is_remembered_and_did_not_fail_is_called_with_again() {
        let attempt = Attempt::first(NOW);
        assert_eq!((attempt.step(NOW), attempt.step(NOW + KEY_LIFETIME_MS)), (Step::Call, Step::Call));
        let mut known = attempt;
        known.unknown_since_ms = None;
        assert_eq!(known.step(NOW), Step::Call);
    }

    #[test]
    fn there_is_no_next_key_while_an_earlier_call_may_have_been_done() {
        let mut attempt = Attempt::first(NOW);
        assert_eq!(attempt.step(NOW + KEY_LIFETIME_MS + 1), Step::Look);
        attempt.failed();
        assert_eq!(attempt.step(NOW), Step::Call);
        attempt.failed();
        assert_eq!(attempt.step(NOW), Step::Look);
        assert!(!attempt.absence_proves(NOW + QUIET_MS - 1));
        assert!(attempt.absence_proves(NOW + QUIET_MS));
        attempt.unknown_since_ms = None;
        assert_eq!(attempt.step(NOW), Step::NextKey);
        assert_eq!(attempt.next(NOW + 1), Attempt { key: 2, ..Attempt::first(NOW + 1) });
    }

    #[test]
    fn a_refusal_restores_what_was_unknown_before_it() {
        let mut attempt = Attempt::first(NOW);
        assert_eq!(attempt.calling(NOW + 5), Some(NOW));
        attempt.unknown_since_ms = None;
        assert_eq!(attempt.calling(NOW + 6), None);
        attempt.refused();
        assert_eq!((attempt.step(NOW), attempt.absence_proves(NOW)), (Step::NextKey, true));
    }

    #[test]
    fn the_time_of_a_wrong_clock_is_not_waited_for() {
        let mut attempt = Attempt::first(NOW + 1_000_000);
        attempt.believe(NOW);
        assert_eq!(attempt, Attempt::first(NOW));
    }
}
