//! Payments of a top-up.

/// The role of a payment in its top-up. The names are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaymentRole {
    /// Its money is not, or not yet, in the books.
    Waiting,
    /// It paid for the top-up.
    Credited,
    /// It came in addition to the one that paid. It credits nothing and should be refunded.
    Surplus,
}

impl PaymentRole {
    /// The name used in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Credited => "credited",
            Self::Surplus => "surplus",
        }
    }
}
