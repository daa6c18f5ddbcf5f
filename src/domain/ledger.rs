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

/// What moved credits of a purchase that was paid: the news, and in which direction it moved them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReversalCause {
    /// News of a refund.
    Refund,
    /// News of a dispute, and whether it was won.
    Dispute {
        /// It was.
        won: bool,
    },
}

impl ReversalCause {
    /// The word for it, in the database and in the API.
    #[must_use]
    pub const fn reason(self, credits: i64) -> &'static str {
        match self {
            Self::Refund if credits < 0 => "refund",
            Self::Refund => "refund_failed",
            Self::Dispute { .. } if credits < 0 => "dispute",
            Self::Dispute { won: true } => "dispute_won",
            Self::Dispute { won: false } => "dispute_returned",
        }
    }
}

/// What a line of the books says to people.
#[must_use]
pub fn description(kind: &str, reason: Option<&str>) -> &'static str {
    match (kind, reason) {
        ("topup", _) => "Credits bought",
        ("adjustment", _) => "Adjusted by hand",
        (_, Some("refund")) => "Taken back: the payment was refunded",
        (_, Some("refund_failed")) => "Returned: the refund did not go through",
        (_, Some("dispute")) => "Taken back: the payment was disputed with the bank",
        (_, Some("dispute_won")) => "Returned: the dispute was won",
        (_, Some("dispute_returned")) => "Returned: the disputed money came back",
        ("reversal", _) => "Refund or dispute",
        _ => "Other",
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
