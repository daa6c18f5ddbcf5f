//! Top-ups and accounts whose rows another transaction holds, as was found a moment ago. A payment about one of them is
//! kept out of groups, which would fail and be done one by one because of it.
//!
//! It decides who goes with whom and never what is written, so it may be wrong.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// For how long such a finding is believed. Those that wait for the row renew it.
const BELIEVED_FOR: Duration = Duration::from_secs(3);
/// How many are remembered.
const MAX_NAMES: usize = 4_096;

/// Their names.
#[derive(Debug, Default)]
pub(crate) struct HeldRows(Mutex<BTreeMap<String, Instant>>);

impl HeldRows {
    /// Notes that one of these could not be locked.
    pub(crate) fn note(&self, names: &[String]) {
        let (now, mut held) = (Instant::now(), self.held());
        held.retain(|_, since| now.duration_since(*since) < BELIEVED_FOR);
        if held.len() < MAX_NAMES {
            held.extend(names.iter().map(|name| (name.clone(), now)));
        }
    }

    /// Notes that all of these could be locked.
    pub(crate) fn forget(&self, names: &[String]) {
        let mut held = self.held();
        for name in names {
            held.remove(name);
        }
    }

    /// Whether one of these could not be locked a moment ago.
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
