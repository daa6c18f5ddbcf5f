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
    /// Credits spent. One entry for each grant that they came from.
    Spend,
    /// Spent credits that were given back.
    SpendRefund,
    /// Credits given on top of a purchase.
    Bonus,
    /// A part of a bonus taken back with its purchase (negative), or returned with it.
    BonusReversal,
    /// Credits given by an operator, often for a limited time.
    Promotion,
    /// Credits whose time ended.
    Expiry,
    /// What was left of a grant that an operator ended early.
    Void,
    /// Credits of a paid period of a subscription, or of its trial.
    Subscription,
    /// Credits of a period taken back by refunds and disputes (negative), or returned when these failed or were won.
    SubscriptionReversal,
}

impl EntryKind {
    /// The name used in the database and in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Topup => "topup",
            Self::Reversal => "reversal",
            Self::Adjustment => "adjustment",
            Self::Spend => "spend",
            Self::SpendRefund => "spend_refund",
            Self::Bonus => "bonus",
            Self::BonusReversal => "bonus_reversal",
            Self::Promotion => "promotion",
            Self::Expiry => "expiry",
            Self::Void => "void",
            Self::Subscription => "subscription",
            Self::SubscriptionReversal => "subscription_reversal",
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
        ("spend", _) => "Spent",
        ("spend_refund", _) => "Given back: the spend was refunded",
        ("bonus", _) => "Bonus",
        ("bonus_reversal", Some("refund" | "dispute")) => "Bonus taken back with its purchase",
        ("bonus_reversal", _) => "Bonus returned with its purchase",
        ("promotion", _) => "Promotion",
        ("expiry", _) => "Expired",
        ("void", _) => "Withdrawn by an operator",
        ("subscription", Some("trial")) => "Credits of a trial",
        ("subscription", _) => "Credits of a subscription",
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
    /// The credits that open holds reserve.
    pub held_credits: i64,
    /// Whether an operator blocked spending.
    pub is_blocked: bool,
    /// Whether its grants reflect every entry.
    pub is_settled: bool,
    /// When a hold or grant may end next, in milliseconds since 1970.
    pub due_at_ms: i64,
    /// When the latest entry was written, in milliseconds since 1970.
    pub updated_at_ms: Option<i64>,
}

impl Balance {
    /// The credits, with those that are held.
    #[must_use]
    pub const fn funds(&self) -> Funds {
        Funds { remaining: self.remaining_credits, held: self.held_credits }
    }
}

/// An account's credits at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Funds {
    /// The balance: the sum of all entries.
    pub remaining: i64,
    /// The credits that open holds reserve.
    pub held: i64,
}

impl Funds {
    /// The credits of an account that never had any.
    pub const NONE: Self = Self { remaining: 0, held: 0 };

    /// The credits that can be spent or reserved now.
    #[must_use]
    pub const fn available(self) -> i64 {
        let available = self.remaining.saturating_sub(self.held);
        if available > 0 { available } else { 0 }
    }

    /// How far the balance is below zero.
    #[must_use]
    pub const fn owed(self) -> i64 {
        if self.remaining < 0 { self.remaining.saturating_neg() } else { 0 }
    }
}
