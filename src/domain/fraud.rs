//! What a provider says about payments that may not be the cardholder's.

use crate::domain::ids::{FraudSignalId, PaymentId};

/// What kind of news it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FraudKind {
    /// The card's network reports fraud. Most of these payments are disputed later.
    EarlyWarning,
    /// The provider holds the payment for a person to look at.
    Review,
}

impl FraudKind {
    /// The name used in the database and in messages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EarlyWarning => "early_warning",
            Self::Review => "review",
        }
    }
}

/// A warning or a review, as its provider reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FraudSignal {
    /// The provider's id.
    pub id: FraudSignalId,
    /// What it is.
    pub kind: FraudKind,
    /// The payment.
    pub payment: PaymentId,
    /// The provider's word for the reason, such as `made_with_stolen_card`.
    pub reason: Option<String>,
    /// Whether something can still be done: the payment was neither refunded nor disputed, or the review is open.
    pub is_open: bool,
    /// The provider's word for how a review ended, such as `approved`.
    pub ended: Option<String>,
    /// When the provider made it, in milliseconds since 1970.
    pub occurred_at_ms: i64,
}
