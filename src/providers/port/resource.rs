//! The parts of a provider's API that its key must be able to read.

/// A part of the provider's API that the key must be able to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Resource {
    /// Checkouts.
    CheckoutSessions,
    /// Payments.
    PaymentIntents,
    /// Refunds, and the charges that they give back.
    Refunds,
    /// Disputes.
    Disputes,
    /// Movements on the account's balance, which say what the provider kept.
    BalanceTransactions,
}

impl Resource {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::CheckoutSessions, Self::PaymentIntents, Self::Refunds, Self::Disputes, Self::BalanceTransactions];

    /// The permission to add, as Stripe's dashboard calls it.
    #[must_use]
    pub const fn permission(self) -> &'static str {
        match self {
            Self::CheckoutSessions => "Checkout Sessions: Write",
            Self::PaymentIntents => "PaymentIntents: Read",
            Self::Refunds => "Charges and Refunds: Read",
            Self::Disputes => "Disputes: Read",
            Self::BalanceTransactions => "Balance transactions: Read",
        }
    }

    /// What does not work without it.
    #[must_use]
    pub const fn without_it(self) -> &'static str {
        match self {
            Self::CheckoutSessions => "nothing can be sold",
            Self::PaymentIntents => "refunds and disputes that come before their payment need a second question each",
            Self::Refunds => "refunds that no webhook brought are not found, and some are not understood",
            Self::Disputes => "disputes take no credits",
            Self::BalanceTransactions => "what Stripe really kept is not known",
        }
    }
}
