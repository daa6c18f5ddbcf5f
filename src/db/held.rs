//! Remembers top-ups and accounts whose rows another transaction was found to hold moments ago. Payments for them are
//! kept out of groups, which would otherwise fail and be retried one by one.
//!
//! This only decides which writes are grouped, never what is written, so it may be wrong.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long an entry is valid. Writes that wait for the row renew it.
const BELIEVED_FOR: Duration = Duration::from_secs(3);
/// The most entries kept.
const MAX_NAMES: usize = 4_096;

/// The held rows by name, each with the time it was last found held.
#[derive(Debug, Default)]
pub(crate) struct HeldRows(Mutex<BTreeMap<String, Instant>>);

impl HeldRows {
    /// Records that one of these rows could not be locked.
    pub(crate) fn note(&self, names: &[String]) {
        let (now, mut held) = (Instant::now(), self.held());
        held.retain(|_, since| now.duration_since(*since) < BELIEVED_FOR);
        if held.len() < MAX_NAMES {
            held.extend(names.iter().map(|name| (name.clone(), now)));
        }
    }

    /// Records that all of these rows could be locked.
    pub(crate) fn forget(&self, names: &[String]) {
        let mut held = self.held();
        for name in names {
            held.remove(name);
        }
    }

    /// Whether one of these rows could not be locked moments ago.
    pub(crate) fn holds_any<'n>(&self, names: impl IntoIterator<Item = &'n str>) -> bool {
        let held = self.held();
        !held.is_empty()
            && names.into_iter().any(|name| held.get(name).is_some_and(|since| since.elapsed() < BELIEVED_FOR))
    }

    fn held(&self) -> MutexGuard<'_, BTreeMap<String, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_held_from_the_time_it_is_noted_until_it_could_be_locked() {
        let held = HeldRows::default();
        assert!(!held.holds_any(["topup_1"]));
        held.note(&["topup_1".to_owned(), "user_1".to_owned()]);
        assert!(held.holds_any(["topup_2", "user_1"]) && !held.holds_any(["topup_2"]));
        held.forget(&["user_1".to_owned()]);
        assert!(held.holds_any(["topup_1"]) && !held.holds_any(["user_1"]));
    }
}
