//! Plans a refund requested by an operator: how much money, how many credits, or why it is refused.
//!
//! The refundable rest of a payment is its total less all refunds that count and all disputes that took money. While a
//! dispute is open nothing can be refunded; what a lost dispute left can be. Money that another request is about to
//! refund is not promised twice. Amounts are multiples of the currency's step. The provider has the final decision.

use super::bonus::bonus_taken;
use super::credit_unit::CreditUnit;
use super::reversal::credits_taken;
use super::tax::Charged;

/// What a payment paid for, as far as refunds are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaidAs {
    /// Nothing: no money has arrived.
    Nothing,
    /// The credits of its top-up.
    Credits,
    /// It came in addition to the one that paid, so a refund of it takes no credits.
    Surplus,
}

/// The facts about a payment that is to be refunded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refundable {
    /// What it paid for.
    pub paid_as: PaidAs,
    /// The number of credits in the top-up.
    pub credits: i64,
    /// The credits that were given on top.
    pub bonus_credits: i64,
    /// What remains of the top-up's own grant; 0 before its credits were adopted.
    pub unspent_credits: i64,
    /// The unit that the credits were priced by.
    pub unit: CreditUnit,
    /// What the customer was charged, in minor units.
    pub charged: Charged,
    /// The sum of all refunds that count, in minor units.
    pub refunded_minor: i64,
    /// The money that disputes hold withdrawn at present, in minor units.
    pub disputed_minor: i64,
    /// Whether a dispute is open: Stripe refuses refunds until it is closed.
    pub has_open_dispute: bool,
    /// The amount that other requests are about to refund, in minor units.
    pub pending_minor: i64,
    /// Amounts must be a multiple of this many minor units.
    pub step_minor: i64,
}

/// What the operator asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundAsk {
    /// Everything that is left, including the fee and tax.
    Everything,
    /// The price of this many credits with its tax, without the fee. It must be a whole amount, unless these are all
    /// that are left.
    Credits(i64),
    /// This amount, in minor units.
    Amount(i64),
    /// The price of the credits of this top-up that were not spent, with its tax, without the fee.
    Unspent,
}

/// The money and credits that a refund moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefundPlan {
    /// The money, in minor units.
    pub amount_minor: i64,
    /// The part of it that is the fee line, in minor units, before tax that comes on top.
    pub fee_minor: i64,
    /// The part of it that is tax on top of the price and the fee line, in minor units.
    pub tax_minor: i64,
    /// The credits that are taken back.
    pub credits: i64,
    /// The part of the bonus that is taken back with them.
    pub bonus_credits: i64,
}

/// Why a refund is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RefundRefusal {
    /// No money has arrived.
    #[error("the top-up is not paid, so there is nothing to refund")]
    NotPaid,
    /// Everything has been refunded already.
    #[error("all of the payment has been refunded already")]
    AlreadyRefunded,
    /// A dispute is open.
    #[error(
        "the payment is disputed; answer the dispute at Stripe instead, and refund what it leaves when it is closed"
    )]
    Disputed,
    /// A lost dispute has taken all that was left.
    #[error("the customer's bank has taken all that was left of the payment by a dispute that was lost")]
    LostToDispute,
    /// The amount is more than what is left.
    #[error("the largest amount that can be refunded is {largest}")]
    TooMuch {
        /// What is left, in minor units.
        largest: i64,
    },
    /// The credits are more than what is left.
    #[error("the largest number of credits that can be refunded is {largest}")]
    TooManyCredits {
        /// The credits that are left.
        largest: i64,
    },
    /// A surplus payment has no credits.
    #[error("a surplus payment has no credits; give an amount, or nothing to refund all of it")]
    NoCredits,
    /// None of the top-up's credits are left to refund.
    #[error(
        "nothing of the price of this top-up's credits is left unspent; its credits were spent, taken back, or have ended"
    )]
    NothingUnspent,
    /// Another request is about to refund part of this money.
    #[error(
        "another refund of this payment is under way, or it is not known yet whether it was made; try again in a moment"
    )]
    InProgress,
    /// The provider does not accept this amount in this currency.
    #[error("must be a multiple of {step} minor units in this currency")]
    NotAMultiple {
        /// The currency's step, in minor units.
        step: i64,
    },
    /// The price of so many credits cannot be paid exactly.
    #[error("must be a multiple of {multiple} credits, whose price is a whole amount, or all {largest} that are left")]
    NotAWholeAmount {
        /// The fewest credits whose price is a whole amount.
        multiple: i64,
        /// The credits that are left.
        largest: i64,
    },
    /// The price of so many credits with their tax cannot be paid exactly.
    #[error(
        "with their tax, the price of so many credits is no multiple of {step} minor units, the steps of this currency; \
         give an amount instead"
    )]
    TaxInSteps {
        /// The currency's step, in minor units.
        step: i64,
    },
    /// The stored amounts are larger than any possible payment.
    #[error("the amounts of this payment are out of range")]
    OutOfRange,
}

impl RefundRefusal {
    /// A stable code for the refusal.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotPaid => "topup_not_paid",
            Self::AlreadyRefunded => "already_refunded",
            Self::Disputed | Self::LostToDispute => "payment_disputed",
            Self::TooMuch { .. } | Self::TooManyCredits { .. } => "amount_too_large",
            Self::NoCredits => "surplus_has_no_credits",
            Self::NothingUnspent => "nothing_unspent",
            Self::InProgress => "refund_in_progress",
            Self::NotAMultiple { .. } | Self::NotAWholeAmount { .. } | Self::TaxInSteps { .. } => "not_a_multiple",
            Self::OutOfRange => "internal_error",
        }
    }
}

impl Refundable {
    /// The refundable amount, in minor units; `None` if the stored amounts are out of range.
    #[must_use]
    pub fn left_minor(&self) -> Option<i64> {
        if self.paid_as == PaidAs::Nothing {
            return Some(0);
        }
        let left = self.charged.total_minor.checked_sub(self.gone_minor()?)?.max(0);
        left.checked_sub(left.checked_rem(self.step_minor)?)
    }

    /// The number of credits that can still be taken back; `None` if the stored amounts are out of range.
    #[must_use]
    pub fn left_credits(&self) -> Option<i64> {
        if self.paid_as != PaidAs::Credits {
            return Some(0);
        }
        self.credits.checked_sub(self.taken(self.gone_minor()?))
    }

    /// Plans a refund.
    ///
    /// # Errors
    /// When it is refused; see [`RefundRefusal`].
    pub fn plan(&self, ask: RefundAsk) -> Result<RefundPlan, RefundRefusal> {
        if self.paid_as == PaidAs::Nothing {
            return Err(RefundRefusal::NotPaid);
        }
        if self.has_open_dispute {
            return Err(RefundRefusal::Disputed);
        }
        let left = self.left_minor().ok_or(RefundRefusal::OutOfRange)?;
        if left == 0 {
            let by_dispute = self.disputed_minor > 0 && self.refunded_minor < self.charged.total_minor;
            return Err(if by_dispute { RefundRefusal::LostToDispute } else { RefundRefusal::AlreadyRefunded });
        }
        let (amount_minor, available) = self.amount_of(ask, left)?;
        self.moved(amount_minor, available).ok_or(RefundRefusal::OutOfRange)?
    }

    /// The requested amount, and the amount that it is limited by.
    fn amount_of(&self, ask: RefundAsk, left: i64) -> Result<(i64, i64), RefundRefusal> {
        match ask {
            // How much "everything" is depends on the outcome of the other requests.
            RefundAsk::Everything | RefundAsk::Unspent if self.pending_minor > 0 => Err(RefundRefusal::InProgress),
            RefundAsk::Everything => Ok((left, left)),
            RefundAsk::Amount(amount) if amount.checked_rem(self.step_minor) != Some(0) => {
                Err(RefundRefusal::NotAMultiple { step: self.step_minor })
            }
            RefundAsk::Amount(amount) if amount > left => Err(RefundRefusal::TooMuch { largest: left }),
            RefundAsk::Amount(amount) => Ok((amount, left)),
            RefundAsk::Credits(_) | RefundAsk::Unspent if self.paid_as == PaidAs::Surplus => {
                Err(RefundRefusal::NoCredits)
            }
            RefundAsk::Unspent => self.price_of_unspent(),
            RefundAsk::Credits(credits) => self.price_of(credits),
        }
    }

    /// Part of a credit may have been refunded before, so the last credits cost the rest of their price.
    fn price_of(&self, credits: i64) -> Result<(i64, i64), RefundRefusal> {
        let largest = self.left_credits().ok_or(RefundRefusal::OutOfRange)?;
        if credits > largest {
            return Err(RefundRefusal::TooManyCredits { largest });
        }
        let left = self.principal_left_minor().ok_or(RefundRefusal::OutOfRange)?;
        let has_tax = self.charged.added_tax_minor > 0;
        let is_whole = |amount: &i64| has_tax || amount.checked_rem(self.step_minor) == Some(0);
        if credits == largest {
            let rest = Some(left).filter(is_whole).ok_or(RefundRefusal::NotAMultiple { step: self.step_minor })?;
            return self.with_tax(rest, left);
        }
        let price = self.unit.price_minor(credits).filter(is_whole);
        let price = price.ok_or_else(|| {
            let multiple = self.unit.fewest_exact(self.step_minor);
            RefundRefusal::NotAWholeAmount { multiple, largest }
        })?;
        let (amount, available) = self.with_tax(price, left)?;
        // In steps of the currency, the price with its tax may be that of more credits.
        let takes = self.credits_of(amount).ok_or(RefundRefusal::OutOfRange)?;
        let refused = RefundRefusal::TaxInSteps { step: self.step_minor };
        if takes == credits { Ok((amount, available)) } else { Err(refused) }
    }

    /// How many credits a refund takes.
    fn credits_of(&self, amount_minor: i64) -> Option<i64> {
        let gone = self.gone_minor()?;
        self.taken(gone.checked_add(amount_minor)?).checked_sub(self.taken(gone))
    }

    /// Adds the tax to a part of the price, and to what is left of it, in steps of the currency.
    fn with_tax(&self, price: i64, left: i64) -> Result<(i64, i64), RefundRefusal> {
        let pair = self.taxed(price, true).zip(self.taxed(left, true));
        pair.ok_or(RefundRefusal::OutOfRange)
    }

    /// The refund, rounded to a step of the currency, after which this much more of the price and the fee line is gone.
    /// Not more than what is left of the payment.
    fn taxed(&self, price: i64, rounds_up: bool) -> Option<i64> {
        let gone = self.gone_minor()?;
        let net = self.charged.net_minor(gone).checked_add(price)?;
        let amount = self.charged.gross_minor(net)?.checked_sub(gone)?.max(0);
        let beyond = amount.checked_rem(self.step_minor)?;
        let below = amount.checked_sub(beyond)?;
        let rounded = if beyond > 0 && rounds_up { below.checked_add(self.step_minor)? } else { below };
        Some(rounded.min(self.left_minor()?))
    }

    /// The largest amount that takes no more credits than are unspent, and is no more than their price. Part of a credit
    /// may have been refunded before; it is not refunded again.
    fn price_of_unspent(&self) -> Result<(i64, i64), RefundRefusal> {
        let left = self.principal_left_minor().ok_or(RefundRefusal::OutOfRange)?;
        let price = self.unspent_minor().ok_or(RefundRefusal::OutOfRange)?.min(left);
        let amount = self.taxed(price, false).ok_or(RefundRefusal::OutOfRange)?;
        let available = self.taxed(left, true).ok_or(RefundRefusal::OutOfRange)?;
        if amount > 0 { Ok((amount, available)) } else { Err(RefundRefusal::NothingUnspent) }
    }

    /// The price of the credits that were taken back before and of those that are unspent, less what was refunded for
    /// the former.
    fn unspent_minor(&self) -> Option<i64> {
        let gone = self.gone_minor()?;
        let credits = self.taken(gone).checked_add(self.unspent_credits)?.min(self.credits);
        let product = i128::from(credits).checked_mul(i128::from(self.unit.amount_minor()))?;
        let price = i64::try_from(product.checked_div(i128::from(self.unit.credits()))?).ok()?;
        price.checked_sub(self.charged.net_minor(gone))
    }

    /// Returns `None` if an amount is out of range.
    fn moved(&self, amount_minor: i64, available: i64) -> Option<Result<RefundPlan, RefundRefusal>> {
        if amount_minor > available.checked_sub(self.pending_minor)? {
            return Some(Err(RefundRefusal::InProgress));
        }
        let gone = self.gone_minor()?;
        let gone_after = gone.checked_add(amount_minor)?;
        let (before, after) = (self.taken(gone), self.taken(gone_after));
        let net = self.charged.net_minor(gone_after).checked_sub(self.charged.net_minor(gone))?;
        Some(Ok(RefundPlan {
            amount_minor,
            fee_minor: net.checked_sub(self.principal_left_minor()?)?.max(0),
            tax_minor: amount_minor.checked_sub(net)?,
            credits: after.checked_sub(before)?,
            bonus_credits: self.bonus_taken(after).checked_sub(self.bonus_taken(before))?,
        }))
    }

    /// The amount that refunds and disputes have taken, in minor units.
    fn gone_minor(&self) -> Option<i64> {
        self.refunded_minor.checked_add(self.disputed_minor)
    }

    /// What is left of the price, in minor units, before tax that comes on top.
    fn principal_left_minor(&self) -> Option<i64> {
        let price = self.unit.price_minor(self.credits)?;
        let net = self.charged.net_minor(self.charged.total_minor);
        Some(price.min(net).checked_sub(self.charged.net_minor(self.gone_minor()?))?.max(0))
    }

    fn bonus_taken(&self, taken: i64) -> i64 {
        if self.paid_as == PaidAs::Credits { bonus_taken(self.bonus_credits, self.credits, taken) } else { 0 }
    }

    fn taken(&self, reversed_minor: i64) -> i64 {
        if self.paid_as == PaidAs::Credits {
            credits_taken(self.credits, self.unit, self.charged.net_minor(reversed_minor))
        } else {
            0
        }
    }
}

#[cfg(test)]
#[path = "refund_tests.rs"]
mod tests;
