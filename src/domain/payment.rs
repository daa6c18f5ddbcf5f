//! Payments of a purchase.

/// What a payment is to its purchase. The words are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaymentRole {
    /// Its money is not in the books, or not yet.
    Waiting,
    /// The purchase was paid by it.
    Credited,
    /// It came besides the one that paid. It credits nothing and should be refunded.
    Surplus,
}

impl PaymentRole {
    /// The word used in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Credited => "credited",
            Self::Surplus => "surplus",
        }
    }
}
