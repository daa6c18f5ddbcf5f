//! The ledger's vocabulary: entries and balances.

use super::account::AccountId;

/// Why credits moved. The name is stored, so its meaning never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// Purchased credits.
    Topup,
    /// Credits taken back by refunds and disputes (negative), or returned when these failed or were won.
    Reversal,
    /// Credits that an operator granted or took, with a reason.
    Adjustment,
}

impl EntryKind {
    /// The name used in the database and in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Topup => "topup",
            Self::Reversal => "reversal",
            Self::Adjustment => "adjustment",
        }
    }
}

/// What moved the credits of a paid top-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReversalCause {
    /// A change of a refund.
    Refund,
    /// A change of a dispute.
    Dispute {
        /// Whether the dispute was won.
        won: bool,
    },
}

impl ReversalCause {
    /// The reason used in the database and in the API.
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

/// The text that describes an entry to customers.
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

/// An account's balance; all zeros before its first entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Balance {
    /// The account.
    pub account: AccountId,
    /// The credits that can be spent: the sum of all entries.
    pub remaining_credits: i64,
    /// The credits that were spent; 0 or more.
    pub used_credits: i64,
    /// Credits granted, less those taken back, plus adjustments: remaining plus used.
    pub total_credits: i64,
    /// When the latest entry was written, in milliseconds since 1970.
    pub updated_at_ms: Option<i64>,
}
