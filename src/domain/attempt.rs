//! What is known about the calls that are to create one thing at a provider, and which idempotency key comes next.
//!
//! What always holds: there is no new key while an earlier call may have been done. Only the provider's list can prove that
//! it was not, and only after a quiet time, because a provider may finish the work after it has answered 5xx, and its
//! lists may lag. A refusal of one call says nothing about an earlier one.

/// Stripe keeps an idempotency key for a day at least (Stripe, "Idempotent requests"); ours count as forgotten earlier.
pub const KEY_LIFETIME_MS: i64 = 20 * 60 * 60 * 1_000;
/// How long after the last call that may have been done its result can still appear. It includes the minute for which one
/// process works on a request at a time.
pub const QUIET_MS: i64 = 15 * 60 * 1_000;
/// After so many failures that the provider repeats under the key, the key is of no use any more. One more call than the
/// first, as Stripe's own libraries make it: some failures are not kept.
const MAX_FAILURES: i64 = 2;

/// What is known about the calls so far. It is stored before each first call, so that a crash keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    /// The number of the idempotency key in use.
    pub key: i64,
    /// When the key was first used, in milliseconds since 1970.
    pub key_used_at_ms: i64,
    /// When the latest call was made that may have been done, in milliseconds since 1970; `None` when every call is known
    /// to have done nothing.
    pub unknown_since_ms: Option<i64>,
    /// How many failures the key was answered with that the provider would repeat.
    pub key_failures: i64,
}

/// What may be done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Call with the key in use: the provider does the work once, however often it is called.
    Call,
    /// Move to the next key: nothing was done, and the key in use stands for a failure or is forgotten.
    NextKey,
    /// Look whether it was done: the key in use cannot tell any more.
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

    /// What may be done next.
    #[must_use]
    pub const fn step(&self, now_ms: i64) -> Step {
        let is_remembered = now_ms.saturating_sub(self.key_used_at_ms) <= KEY_LIFETIME_MS;
        match self.unknown_since_ms {
            _ if is_remembered && self.key_failures < MAX_FAILURES => Step::Call,
            None => Step::NextKey,
            Some(_) => Step::Look,
        }
    }

    /// Whether it was not done, if the provider's list, read after `now_ms`, does not have it.
    #[must_use]
    pub const fn absence_proves(&self, now_ms: i64) -> bool {
        match self.unknown_since_ms {
            Some(since_ms) => now_ms.saturating_sub(since_ms) >= QUIET_MS,
            None => true,
        }
    }

    /// A call is about to be made. Gives what was unknown before it, for the case that it does nothing.
    pub const fn calling(&mut self, now_ms: i64) -> Option<i64> {
        let before = self.unknown_since_ms;
        self.unknown_since_ms = Some(now_ms);
        before
    }

    /// The call may have been done, and the provider would repeat its failure under the key.
    pub const fn failed(&mut self) {
        self.key_failures = self.key_failures.saturating_add(1);
    }

    /// Nothing was done, and the key may stand for a refusal: the next call needs another one.
    pub const fn refused(&mut self) {
        self.unknown_since_ms = None;
        self.key_failures = MAX_FAILURES;
    }

    /// A time that a wrong clock wrote is not waited for: the quiet time begins now.
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
