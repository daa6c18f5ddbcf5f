//! Prices: the price of one credit, the limits of a purchase, and the resulting quote.

use super::currency::Currency;
use super::fees::{FeeError, FeePolicy};

/// A number of credits to buy; at least 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Credits(i64);

impl Credits {
    /// Creates a number of credits; `None` if it is below 1.
    #[must_use]
    pub const fn new(count: i64) -> Option<Self> {
        if count >= 1 { Some(Self(count)) } else { None }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }
}

/// What a top-up costs, line by line, in minor units of the currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quote {
    /// The number of credits.
    pub credits: Credits,
    /// The currency of all amounts.
    pub currency: Currency,
    /// The price of one credit.
    pub credit_unit_amount_minor: i64,
    /// The line for the credits: unit price times number.
    pub credits_amount_minor: i64,
    /// The fee line; 0 when the seller absorbs the fee.
    pub fee_amount_minor: i64,
    /// What the customer is charged: the sum of both lines.
    pub total_amount_minor: i64,
}

/// Why a number of credits cannot be bought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QuoteError {
    /// Below the seller's or the currency's minimum.
    #[error("the smallest purchase is {smallest} credits")]
    TooFew {
        /// The fewest credits that can be bought.
        smallest: i64,
    },
    /// Above the seller's or the payment methods' maximum.
    #[error("the largest purchase is {largest} credits")]
    TooMany {
        /// The most credits that can be bought.
        largest: i64,
    },
}

impl QuoteError {
    /// A stable code for the error.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooFew { .. } => "too_few",
            Self::TooMany { .. } => "too_many",
        }
    }
}

/// Why the settings are not a valid price list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPricing {
    /// The price of a credit is below one step of the currency, or not a multiple of it.
    #[error("CREDIT_UNIT_AMOUNT must be a positive multiple of {step}: {currency} is charged in steps of {step}")]
    UnitAmount {
        /// The currency's step in minor units.
        step: i64,
        /// The currency.
        currency: Currency,
    },
    /// The minimum is below 1 or above the maximum.
    #[error("MIN_CREDITS must be at least 1 and at most MAX_CREDITS")]
    Range,
    /// Even the largest purchase is below the smallest charge that Stripe accepts.
    #[error("MAX_CREDITS buys less than the smallest charge of {minimum} minor units in {currency}")]
    MaximumBelowMinimumCharge {
        /// The smallest charge in minor units.
        minimum: i64,
        /// The currency.
        currency: Currency,
    },
    /// The largest purchase exceeds the largest charge.
    #[error(
        "MAX_CREDITS, grossed up, would be charged more than {maximum} minor units, the largest charge in {currency}; \
         lower MAX_CREDITS"
    )]
    MaximumAboveMaximumCharge {
        /// The largest charge in minor units.
        maximum: i64,
        /// The currency.
        currency: Currency,
    },
}

/// The price list. Every number of credits between its limits has a valid charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pricing {
    currency: Currency,
    credit_unit_amount_minor: i64,
    fees: FeePolicy,
    smallest: i64,
    largest: i64,
}

impl Pricing {
    /// Creates the price list.
    ///
    /// # Errors
    /// When the limits or amounts are invalid; see [`InvalidPricing`].
    pub fn new(
        currency: Currency,
        credit_unit_amount_minor: i64,
        fees: FeePolicy,
        min_credits: i64,
        max_credits: i64,
    ) -> Result<Self, InvalidPricing> {
        let step = currency.step_minor();
        if credit_unit_amount_minor < 1 || credit_unit_amount_minor.checked_rem(step) != Some(0) {
            return Err(InvalidPricing::UnitAmount { step, currency });
        }
        if min_credits < 1 || min_credits > max_credits {
            return Err(InvalidPricing::Range);
        }
        let mut pricing =
            Self { currency, credit_unit_amount_minor, fees, smallest: min_credits, largest: max_credits };
        let largest_charge = pricing.charge_minor(max_credits).map_err(|_| {
            InvalidPricing::MaximumAboveMaximumCharge { maximum: currency.maximum_charge_minor(), currency }
        })?;
        let minimum = currency.minimum_charge_minor();
        if largest_charge < minimum {
            return Err(InvalidPricing::MaximumBelowMinimumCharge { minimum, currency });
        }
        pricing.smallest = pricing.fewest_credits_charged_at_least(minimum);
        Ok(pricing)
    }

    /// The currency of all amounts.
    #[must_use]
    pub const fn currency(&self) -> Currency {
        self.currency
    }

    /// How the processing fee is passed on.
    #[must_use]
    pub const fn fees(&self) -> &FeePolicy {
        &self.fees
    }

    /// The fewest credits that can be bought.
    #[must_use]
    pub const fn smallest(&self) -> i64 {
        self.smallest
    }

    /// The most credits that can be bought.
    #[must_use]
    pub const fn largest(&self) -> i64 {
        self.largest
    }

    /// Quotes a number of credits.
    ///
    /// # Errors
    /// When it is below the smallest or above the largest purchase; the error contains that limit.
    pub fn quote(&self, credits: i64) -> Result<Quote, QuoteError> {
        if credits < self.smallest {
            return Err(QuoteError::TooFew { smallest: self.smallest });
        }
        let too_many = QuoteError::TooMany { largest: self.largest };
        if credits > self.largest {
            return Err(too_many);
        }
        let credits_amount_minor = credits.checked_mul(self.credit_unit_amount_minor).ok_or(too_many)?;
        let total_amount_minor = self.charge_minor(credits).map_err(|_| too_many)?;
        Ok(Quote {
            credits: Credits::new(credits).ok_or(QuoteError::TooFew { smallest: self.smallest })?,
            currency: self.currency,
            credit_unit_amount_minor: self.credit_unit_amount_minor,
            credits_amount_minor,
            fee_amount_minor: total_amount_minor.checked_sub(credits_amount_minor).ok_or(too_many)?,
            total_amount_minor,
        })
    }

    fn charge_minor(&self, credits: i64) -> Result<i64, FeeError> {
        let price = credits.checked_mul(self.credit_unit_amount_minor).ok_or(FeeError::TooLarge)?;
        self.fees.charge_minor(price, self.currency)
    }

    /// Finds it by bisection: the charge grows with the credits, and the largest purchase is known to be enough.
    fn fewest_credits_charged_at_least(&self, minimum_minor: i64) -> i64 {
        let (mut low, mut high) = (self.smallest, self.largest);
        while low < high {
            let middle = low.midpoint(high);
            if self.charge_minor(middle).is_ok_and(|charge| charge < minimum_minor) {
                low = middle.saturating_add(1);
            } else {
                high = middle;
            }
        }
        low
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fees::{FeeMode, RatePercent};

    fn fees(mode: FeeMode) -> FeePolicy {
        let rate = RatePercent::parse("2.9").expect("a rate");
        FeePolicy { mode, rate, fixed_minor: 30, label: "Processing fee".to_owned() }
    }

    fn usd(mode: FeeMode) -> Pricing {
        Pricing::new(Currency::USD, 1, fees(mode), 1, 100_000).expect("valid")
    }

    #[test]
    fn a_quote_adds_up() {
        let quote = usd(FeeMode::GrossUp).quote(250).expect("for sale");
        assert_eq!((quote.credits_amount_minor, quote.fee_amount_minor, quote.total_amount_minor), (250, 39, 289));
    }

    #[test]
    fn the_smallest_purchase_is_the_fewest_credits_that_reach_the_minimum_charge() {
        assert_eq!(usd(FeeMode::Absorb).quote(49), Err(QuoteError::TooFew { smallest: 50 }));
        assert_eq!(usd(FeeMode::GrossUp).quote(17), Err(QuoteError::TooFew { smallest: 18 }));
        assert_eq!(usd(FeeMode::GrossUp).quote(18).map(|quote| quote.total_amount_minor), Ok(50));
        assert_eq!(usd(FeeMode::GrossUp).quote(0), Err(QuoteError::TooFew { smallest: 18 }));
        assert_eq!(usd(FeeMode::GrossUp).quote(-5), Err(QuoteError::TooFew { smallest: 18 }));
    }

    #[test]
    fn the_largest_purchase_is_named() {
        assert_eq!(usd(FeeMode::GrossUp).quote(100_001), Err(QuoteError::TooMany { largest: 100_000 }));
        assert_eq!(usd(FeeMode::GrossUp).quote(i64::MAX), Err(QuoteError::TooMany { largest: 100_000 }));
    }

    #[test]
    fn every_purchase_that_is_for_sale_has_two_lines_that_make_the_total() {
        let pricing = usd(FeeMode::GrossUp);
        for credits in pricing.smallest()..=pricing.largest() {
            let quote = pricing.quote(credits).expect("for sale");
            assert_eq!(quote.credits_amount_minor, credits);
            assert_eq!(quote.credits_amount_minor + quote.fee_amount_minor, quote.total_amount_minor);
            assert!((50..=99_999_999).contains(&quote.total_amount_minor));
        }
    }

    #[test]
    fn what_can_be_sold_ends_where_the_currency_does() {
        let idr = Currency::parse("idr").expect("known");
        let make = |max_credits| Pricing::new(idr, 1_600_000, fees(FeeMode::GrossUp), 1, max_credits);
        // 600,000 credits of 16,000 rupiah each.
        let pricing = make(600_000).expect("valid");
        assert_eq!(pricing.quote(600_000).map(|quote| quote.total_amount_minor), Ok(988_671_472_740));
        let above = InvalidPricing::MaximumAboveMaximumCharge { maximum: 999_999_999_999, currency: idr };
        assert_eq!(make(610_000), Err(above));
    }

    #[test]
    fn limits_that_cannot_hold_are_refused() {
        let isk = Currency::parse("isk").expect("known");
        let make = |currency, unit, min, max| Pricing::new(currency, unit, fees(FeeMode::GrossUp), min, max);
        assert_eq!(make(Currency::USD, 0, 1, 10), Err(InvalidPricing::UnitAmount { step: 1, currency: Currency::USD }));
        assert_eq!(make(isk, 150, 1, 10), Err(InvalidPricing::UnitAmount { step: 100, currency: isk }));
        assert_eq!(make(Currency::USD, 1, 0, 10), Err(InvalidPricing::Range));
        assert_eq!(make(Currency::USD, 1, 11, 10), Err(InvalidPricing::Range));
        let above = InvalidPricing::MaximumAboveMaximumCharge { maximum: 99_999_999, currency: Currency::USD };
        assert_eq!(make(Currency::USD, 1, 1, 100_000_000), Err(above.clone()));
        assert_eq!(make(Currency::USD, i64::MAX, 1, 2), Err(above));
        assert!(matches!(make(Currency::USD, 1, 1, 10), Err(InvalidPricing::MaximumBelowMinimumCharge { .. })));
    }
}
