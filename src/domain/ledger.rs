//! The books: what an account has, and the entries that explain it.

use super::account::AccountId;

/// Why credits moved. The word is stored, so it never changes its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// Credits that were paid for.
    Topup,
    /// Credits that refunds and disputes took back (negative), or gave back when they failed or were won.
    Reversal,
    /// Credits that a person gave or took, with a reason.
    Adjustment,
}

impl EntryKind {
    /// The word used in the database and in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Topup => "topup",
            Self::Reversal => "reversal",
            Self::Adjustment => "adjustment",
        }
    }
}

/// What an account has. One that has no entry yet reads as zeros.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Balance {
    /// Whose.
    pub account: AccountId,
    /// What can be spent: the sum of all entries.
    pub remaining_credits: i64,
    /// What was spent; 0 or more.
    pub used_credits: i64,
    /// Granted, less taken back, plus adjustments: remaining plus used.
    pub total_credits: i64,
    /// When the latest entry was written, in milliseconds since 1970.
    pub updated_at_ms: Option<i64>,
}
