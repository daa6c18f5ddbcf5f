//! Log lines that strangers can trigger: each kind is limited, whatever is sent.
//!
//! Invariants: a value from a stranger is logged once and truncated. A repeated line is logged only a limited number of
//! times per minute, and the next one says how many were left out.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use tokio::sync::Semaphore;

/// How many lines of one kind are logged per minute.
const LINES_PER_MINUTE: u32 = 30;
const MINUTE_MS: i64 = 60_000;
/// How many different values of one kind are logged at all.
const MAX_NAMED: usize = 100;
/// How many characters of a value are shown.
const MAX_CHARACTERS: usize = 200;
/// How many unacceptable deliveries are read at once to check whether they are Stripe's.
const MAX_STRAYS: usize = 8;

/// The lines written so far.
#[derive(Debug)]
pub struct Notices {
    lines: Mutex<HashMap<&'static str, Lines>>,
    named: Mutex<HashMap<&'static str, HashSet<String>>>,
    refused: Mutex<Option<RefusedDeliveries>>,
    /// One permit for each unacceptable delivery that is being read.
    pub(crate) strays: Semaphore,
}

/// Deliveries that were refused since the process started. Anyone can send some.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedDeliveries {
    /// How many.
    pub count: u64,
    /// When the last one came, in milliseconds since 1970.
    pub last_ms: i64,
    /// Why it was refused.
    pub reason: String,
}

#[derive(Debug, Default)]
struct Lines {
    since_ms: i64,
    written: u32,
    left_out: u64,
}

impl Default for Notices {
    fn default() -> Self {
        Self {
            lines: Mutex::default(),
            named: Mutex::default(),
            refused: Mutex::default(),
            strays: Semaphore::new(MAX_STRAYS),
        }
    }
}

impl Notices {
    /// Remembers that a delivery was refused.
    pub(crate) fn refuse_delivery(&self, reason: &str, now_ms: i64) {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let count = refused.as_ref().map_or(0, |refused| refused.count).saturating_add(1);
        *refused = Some(RefusedDeliveries { count, last_ms: now_ms, reason: shown(reason) });
    }

    /// The deliveries that were refused; `None` if there was none.
    pub(crate) fn refused_deliveries(&self) -> Option<RefusedDeliveries> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether a line of this kind may be logged now; if so, how many were left out before it.
    pub(crate) fn line(&self, kind: &'static str, now_ms: i64) -> Option<u64> {
        let mut kinds = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = kinds.entry(kind).or_default();
        if now_ms.saturating_sub(lines.since_ms).saturating_abs() >= MINUTE_MS {
            (lines.since_ms, lines.written) = (now_ms, 0);
        }
        if lines.written >= LINES_PER_MINUTE {
            lines.left_out = lines.left_out.saturating_add(1);
            return None;
        }
        lines.written = lines.written.saturating_add(1);
        Some(std::mem::take(&mut lines.left_out))
    }

    /// How to show a value of this kind, if it was not logged before.
    pub(crate) fn first(&self, kind: &'static str, what: &str) -> Option<String> {
        let shown = shown(what);
        let mut kinds = self.named.lock().unwrap_or_else(PoisonError::into_inner);
        let named = kinds.entry(kind).or_default();
        (named.len() < MAX_NAMED && named.insert(shown.clone())).then_some(shown)
    }
}

/// A stranger's text in the form that the log may show.
pub(crate) fn shown(text: &str) -> String {
    let plain = |character: char| if character.is_control() { ' ' } else { character };
    text.chars().take(MAX_CHARACTERS).map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_writes_a_bounded_number_of_lines_and_the_next_one_says_how_many_were_left_out() {
        let notices = Notices::default();
        let written = (0..1_000).filter(|_| notices.line("refused", 1).is_some()).count();
        assert_eq!(written, 30);
        assert_eq!(notices.line("another", 1), Some(0));
        assert_eq!(notices.line("refused", 60_001), Some(970));
        assert_eq!(notices.line("refused", 60_001), Some(0));
    }

    #[test]
    fn a_thing_is_named_once_and_of_many_only_some() {
        let notices = Notices::default();
        assert_eq!(notices.first("origin", "https://a.example\n"), Some("https://a.example ".to_owned()));
        assert_eq!(notices.first("origin", "https://a.example\n"), None);
        assert!(notices.first("header", "https://a.example\n").is_some());
        let named = (0..1_000).filter(|number| notices.first("origin", &format!("o{number}")).is_some()).count();
        assert_eq!(named, 99);
        assert_eq!(notices.first("header", &"x".repeat(1_000)).map(|shown| shown.len()), Some(200));
    }
}
