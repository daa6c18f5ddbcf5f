//! A refund that an operator wants: how much money, how many credits go with it, or why it cannot be.
//!
//! What is left of a payment is its total less all refunds that count. While a dispute holds its money nothing can be
//! refunded. What other requests are about to refund is not promised twice. Stripe has the last word.

use super::reversal::credits_taken;

/// What a payment is to its purchase, as far as a refund of it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaidAs {
    /// No money came, or not yet.
    Nothing,
    /// It paid for the credits.
    Credits,
    /// It came besides the one that paid: a refund of it takes no credits.
    Surplus,
}

/// What is known of a payment that is to be refunded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refundable {
    /// What it paid for.
    pub paid_as: PaidAs,
    /// How many credits the purchase was about.
    pub credits: i64,
    /// The price of one credit, in minor units.
    pub credit_unit_amount_minor: i64,
    /// What the customer was charged, in minor units.
    pub total_amount_minor: i64,
    /// The sum of all refunds that count, in minor units.
    pub refunded_minor: i64,
    /// The sum of all disputes whose money is withdrawn, in minor units.
    pub disputed_minor: i64,
    /// What other requests are about to refund, in minor units.
    pub pending_minor: i64,
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundAsk {
    /// All that is left, the fee included.
    Everything,
    /// The price of so many credits; never the fee.
    Credits(i64),
    /// So much money, in minor units.
    Amount(i64),
}

/// What a refund moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefundPlan {
    /// The money, in minor units.
    pub amount_minor: i64,
    /// How much of it is the fee line, in minor units.
    pub fee_minor: i64,
    /// The credits that go with it.
    pub credits: i64,
}

/// Why it cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RefundRefusal {
    /// No money came.
    #[error("the top-up is not paid, so there is nothing to refund")]
    NotPaid,
    /// All of it went back before.
    #[error("all of the payment has been refunded already")]
    AlreadyRefunded,
    /// The customer's bank has the money.
    #[error("the payment is disputed and the money is with the customer's bank; answer the dispute at Stripe instead")]
    Disputed,
    /// More money than is left.
    #[error("the largest amount that can be refunded is {largest}")]
    TooMuch {
        /// What is left, in minor units.
        largest: i64,
    },
    /// More credits than are left.
    #[error("the largest number of credits that can be refunded is {largest}")]
    TooManyCredits {
        /// What is left.
        largest: i64,
    },
    /// A surplus payment bought none.
    #[error("a surplus payment has no credits; give an amount, or nothing to refund all of it")]
    NoCredits,
    /// Another request is about to refund what this one wants.
    #[error("another refund of this payment is under way; try again in a moment")]
    InProgress,
}

impl RefundRefusal {
    /// A stable word for it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotPaid => "topup_not_paid",
            Self::AlreadyRefunded => "already_refunded",
            Self::Disputed => "payment_disputed",
            Self::TooMuch { .. } | Self::TooManyCredits { .. } => "amount_too_large",
            Self::NoCredits => "surplus_has_no_credits",
            Self::InProgress => "refund_in_progress",
        }
    }
}

impl Refundable {
    /// What can still go back, in minor units.
    #[must_use]
    pub fn left_minor(&self) -> i64 {
        if self.paid_as == PaidAs::Nothing {
            return 0;
        }
        self.total_amount_minor.saturating_sub(self.refunded_minor).saturating_sub(self.disputed_minor).max(0)
    }

    /// How many credits can still go back with it.
    #[must_use]
    pub fn left_credits(&self) -> i64 {
        if self.paid_as != PaidAs::Credits {
            return 0;
        }
        self.credits.saturating_sub(self.taken(self.refunded_minor.saturating_add(self.disputed_minor)))
    }

    /// What a refund would move.
    ///
    /// # Errors
    /// When it cannot be; see [`RefundRefusal`].
    pub fn plan(&self, ask: RefundAsk) -> Result<RefundPlan, RefundRefusal> {
        if self.paid_as == PaidAs::Nothing {
            return Err(RefundRefusal::NotPaid);
        }
        if self.disputed_minor > 0 {
            return Err(RefundRefusal::Disputed);
        }
        let left = self.left_minor();
        if left == 0 {
            return Err(RefundRefusal::AlreadyRefunded);
        }
        let principal_left = self.principal_minor().saturating_sub(self.refunded_minor).max(0);
        let (amount_minor, available) = match ask {
            // What "everything" is, is known when the other requests have ended.
            RefundAsk::Everything if self.pending_minor > 0 => return Err(RefundRefusal::InProgress),
            RefundAsk::Everything => (left, left),
            RefundAsk::Amount(amount) if amount > left => return Err(RefundRefusal::TooMuch { largest: left }),
            RefundAsk::Amount(amount) => (amount, left),
            RefundAsk::Credits(_) if self.paid_as == PaidAs::Surplus => return Err(RefundRefusal::NoCredits),
            RefundAsk::Credits(credits) if credits > self.left_credits() => {
                return Err(RefundRefusal::TooManyCredits { largest: self.left_credits() });
            }
            // A part of a credit may have been refunded before: the last credits cost what is left of their price.
            RefundAsk::Credits(credits) => {
                (credits.saturating_mul(self.credit_unit_amount_minor).min(principal_left), principal_left)
            }
        };
        if amount_minor > available.saturating_sub(self.pending_minor) {
            return Err(RefundRefusal::InProgress);
        }
        let before = self.taken(self.refunded_minor);
        let after = self.taken(self.refunded_minor.saturating_add(amount_minor));
        Ok(RefundPlan {
            amount_minor,
            fee_minor: amount_minor.saturating_sub(principal_left).max(0),
            credits: after.saturating_sub(before),
        })
    }

    fn principal_minor(&self) -> i64 {
        self.credits.saturating_mul(self.credit_unit_amount_minor).min(self.total_amount_minor)
    }

    fn taken(&self, reversed_minor: i64) -> i64 {
        if self.paid_as == PaidAs::Credits {
            credits_taken(self.credits, self.credit_unit_amount_minor, reversed_minor)
        } else {
            0
        }
    }
}

#[cfg(test)]
#[path = "refund_tests.rs"]
mod tests;
