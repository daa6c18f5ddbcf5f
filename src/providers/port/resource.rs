//! The parts of a provider's API that the API key must be able to read.

/// A part of the provider's API that the API key must be able to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Resource {
    /// Checkout sessions.
    CheckoutSessions,
    /// Payments.
    PaymentIntents,
    /// Refunds, and the refunded charges.
    Refunds,
    /// Disputes.
    Disputes,
    /// Balance transactions, which show the provider's fees.
    BalanceTransactions,
    /// Events, which thin payloads only name.
    Events,
    /// Products and prices, for plans.
    Prices,
    /// Subscriptions.
    Subscriptions,
    /// Invoices of subscriptions.
    Invoices,
    /// Customers, who keep saved cards.
    Customers,
    /// What saves a card on a page.
    SetupIntents,
    /// Saved cards.
    PaymentMethods,
}

impl Resource {
    /// All resources that sales of credits need, and saved cards.
    pub const ALL: [Self; 9] = [
        Self::CheckoutSessions,
        Self::PaymentIntents,
        Self::Refunds,
        Self::Disputes,
        Self::BalanceTransactions,
        Self::Events,
        Self::Customers,
        Self::SetupIntents,
        Self::PaymentMethods,
    ];
    /// Those that are needed only to save cards.
    pub const OF_CARDS: [Self; 3] = [Self::Customers, Self::SetupIntents, Self::PaymentMethods];
    /// Those that every service needs.
    pub const NEEDED: [Self; 5] =
        [Self::CheckoutSessions, Self::PaymentIntents, Self::Refunds, Self::Disputes, Self::BalanceTransactions];

    /// Those that plans need as well.
    pub const FOR_PLANS: [Self; 3] = [Self::Prices, Self::Subscriptions, Self::Invoices];

    /// A stable name for machines.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CheckoutSessions => "checkout_sessions",
            Self::PaymentIntents => "payment_intents",
            Self::Refunds => "refunds",
            Self::Disputes => "disputes",
            Self::BalanceTransactions => "balance_transactions",
            Self::Events => "events",
            Self::Prices => "prices",
            Self::Subscriptions => "subscriptions",
            Self::Invoices => "invoices",
            Self::Customers => "customers",
            Self::SetupIntents => "setup_intents",
            Self::PaymentMethods => "payment_methods",
        }
    }

    /// The permission to add, as named in Stripe's dashboard.
    #[must_use]
    pub const fn permission(self) -> &'static str {
        match self {
            Self::CheckoutSessions => "Checkout Sessions: Write",
            Self::PaymentIntents => "PaymentIntents: Read",
            Self::Refunds => "Charges and Refunds: Read",
            Self::Disputes => "Disputes: Read",
            Self::BalanceTransactions => "Balance transactions: Read",
            Self::Events => "Events: Read",
            Self::Prices => "Products and Prices: Write",
            Self::Subscriptions => "Subscriptions: Write",
            Self::Invoices => "Invoices: Read",
            Self::Customers => "Customers: Write",
            Self::SetupIntents => "SetupIntents: Read",
            Self::PaymentMethods => "PaymentMethods: Write",
        }
    }

    /// What does not work without the permission.
    #[must_use]
    pub const fn without_it(self) -> &'static str {
        match self {
            Self::CheckoutSessions => "nothing can be sold",
            Self::PaymentIntents => "refunds and disputes that come before their payment need a second question each",
            Self::Refunds => "refunds that no webhook brought are not found, and some are not understood",
            Self::Disputes => "disputes take no credits",
            Self::BalanceTransactions => "what Stripe really kept is not known",
            Self::Prices => "plans cannot be applied",
            Self::Subscriptions => "no event about a subscription is understood",
            Self::Invoices => "paid periods of subscriptions bring no credits",
            Self::Events => "thin payloads about refunds, disputes and fees are not understood",
            Self::Customers => "no card can be saved",
            Self::SetupIntents => "a card that was saved without a purchase does not become the customer's default",
            Self::PaymentMethods => "saved cards can be neither shown nor removed, and none is charged",
        }
    }
}
