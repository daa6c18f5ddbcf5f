//! What an audit found.

use serde::Serialize;

/// How many rows are read at once.
pub(crate) const PAGE: i64 = 200;
/// How many differences are listed; further ones are only counted.
const MAX_DIFFERENCES: usize = 20;

/// The result of an audit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditReport {
    /// How many accounts were recomputed.
    pub accounts: u64,
    /// How many entries were traced to their cause.
    pub entries: u64,
    /// How many purchases were recomputed.
    pub topups: u64,
    /// How many refunds and disputes were checked.
    pub reversals: u64,
    /// How many adjustments were checked.
    pub adjustments: u64,
    /// How many spends were checked.
    pub spends: u64,
    /// How many recorded hours of usage were added up again.
    pub usage_hours: u64,
    /// With `--replay`: how many accounts changed so often that they could not be replayed.
    pub not_replayed: u64,
    /// How many differences there are.
    pub differences: u64,
    /// The first differences.
    pub first: Vec<Difference>,
}

/// A broken rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Difference {
    /// The row: an id, or an account and a number.
    pub id: String,
    /// What is wrong.
    pub detail: String,
}

impl AuditReport {
    /// Whether everything was checked and holds.
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        self.differences == 0 && self.not_replayed == 0
    }

    /// Counts a difference, and lists it if it is one of the first.
    pub(crate) fn add(&mut self, difference: Difference) {
        self.differences = self.differences.saturating_add(1);
        if self.first.len() < MAX_DIFFERENCES {
            self.first.push(difference);
        }
    }
}
