//! Why money is given back, in the words of the payment provider's records.

/// A reason for a refund. The names are stored, and Stripe's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundReason {
    /// The customer asked for it.
    RequestedByCustomer,
    /// The same was paid twice.
    Duplicate,
    /// Somebody else paid.
    Fraudulent,
}

impl RefundReason {
    /// All reasons, the usual one first.
    pub const ALL: [Self; 3] = [Self::RequestedByCustomer, Self::Duplicate, Self::Fraudulent];

    /// The name used in the database, in the API and at Stripe.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RequestedByCustomer => "requested_by_customer",
            Self::Duplicate => "duplicate",
            Self::Fraudulent => "fraudulent",
        }
    }

    /// Parses that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text)
    }
}
