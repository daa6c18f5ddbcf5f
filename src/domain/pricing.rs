//! Prices: the price of a unit of credits, the limits of a purchase, and the resulting quote.

use super::bonus::BonusTiers;
use super::card_rates::CardRates;
use super::credit_unit::{CreditUnit, DisplayDecimals, MAX_CREDITS, MAX_UNIT_CREDITS};
use super::currency::Currency;
use super::expiry::ExpiryDays;
use super::fees::{FeeError, FeePolicy, RatePercent};
use super::tax::TaxBehavior;

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
    /// The unit that the credits are priced by.
    pub unit: CreditUnit,
    /// The line for the credits: unit price times number of units.
    pub credits_amount_minor: i64,
    /// The fee line; 0 when the seller absorbs the fee.
    pub fee_amount_minor: i64,
    /// What the customer is charged, before tax that comes on top: the sum of both lines.
    pub total_amount_minor: i64,
    /// How it is taxed; `None` if it is not.
    pub tax: Option<TaxBehavior>,
    /// The credits given on top.
    pub bonus_credits: i64,
    /// How long the credits are good; `None` for ever.
    pub expiry: Option<ExpiryDays>,
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
    /// Not a whole number of units.
    #[error("must be a multiple of {multiple} credits; the nearest are {below} and {above}")]
    NotAMultiple {
        /// The number of credits in a unit.
        multiple: i64,
        /// The next smaller number that can be bought.
        below: i64,
        /// The next larger number that can be bought.
        above: i64,
    },
}

impl QuoteError {
    /// A stable code for the error.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooFew { .. } => "too_few",
            Self::TooMany { .. } => "too_many",
            Self::NotAMultiple { .. } => "not_a_multiple",
        }
    }
}

/// What the operator sets. Nothing in it has been checked.
#[derive(Debug, Clone)]
pub struct PriceSettings {
    /// The currency of all amounts.
    pub currency: Currency,
    /// The number of credits in a unit.
    pub unit_credits: i64,
    /// The price of a unit, in minor units.
    pub unit_amount_minor: i64,
    /// How the processing fee is passed on.
    pub fees: FeePolicy,
    /// The fewest credits of a purchase.
    pub min_credits: i64,
    /// The most credits of a purchase.
    pub max_credits: i64,
    /// How people read numbers of credits.
    pub decimals: DisplayDecimals,
    /// The bonuses of large purchases.
    pub bonuses: BonusTiers,
    /// How long bought credits are good; `None` for ever.
    pub expiry: Option<ExpiryDays>,
}

/// Why the settings are not a valid price list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPricing {
    /// The price of a unit is below one step of the currency, or not a multiple of it.
    #[error("the price of a unit must be a positive multiple of {step}: {currency} is charged in steps of {step}")]
    UnitAmount {
        /// The currency's step in minor units.
        step: i64,
        /// The currency.
        currency: Currency,
    },
    /// A unit has too few or too many credits.
    #[error("CREDIT_UNIT_CREDITS must be from 1 to {MAX_UNIT_CREDITS}")]
    UnitCredits,
    /// The minimum is below 1 or above the maximum.
    #[error("MIN_CREDITS must be at least 1 and at most MAX_CREDITS")]
    Range,
    /// The maximum is not exact in every JSON client.
    #[error("MAX_CREDITS must be at most {MAX_CREDITS}, the largest integer that JavaScript reads exactly")]
    TooManyCredits,
    /// The largest purchase with its bonus is not exact in every JSON client.
    #[error(
        "with its bonus, a purchase of MAX_CREDITS would have more than {MAX_CREDITS} credits, the largest \
         integer that JavaScript reads exactly; lower one of the two"
    )]
    Bonus,
    /// No whole number of units lies between minimum and maximum.
    #[error(
        "purchases are multiples of {multiple} credits (by CREDIT_UNIT_CREDITS and the decimals of the price), and none \
         lies between MIN_CREDITS ({min}) and MAX_CREDITS ({max}); raise MAX_CREDITS"
    )]
    NoMultiple {
        /// The number of credits in a unit.
        multiple: i64,
        /// The fewest credits of a purchase.
        min: i64,
        /// The most credits of a purchase.
        max: i64,
    },
    /// Even the largest purchase is below the smallest charge that Stripe accepts.
    #[error(
        "MAX_CREDITS buys less than the smallest charge of {minimum} minor units in {currency}, at the price of \
         CREDIT_UNIT_CREDITS; raise MAX_CREDITS"
    )]
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

/// The price list. Its limits are whole numbers of units, and every whole number of units between them has a valid
/// charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pricing {
    currency: Currency,
    unit: CreditUnit,
    fees: FeePolicy,
    smallest: i64,
    largest: i64,
    decimals: DisplayDecimals,
    bonuses: BonusTiers,
    expiry: Option<ExpiryDays>,
    card_rates: CardRates,
}

impl Pricing {
    /// Creates the price list.
    ///
    /// # Errors
    /// When the limits or amounts are invalid; see [`InvalidPricing`].
    pub fn new(settings: PriceSettings) -> Result<Self, InvalidPricing> {
        let (min, max) = (settings.min_credits, settings.max_credits);
        let PriceSettings { currency, unit_credits, unit_amount_minor, fees, decimals, bonuses, expiry, .. } = settings;
        let step = currency.step_minor();
        if unit_amount_minor < 1 || unit_amount_minor.checked_rem(step) != Some(0) {
            return Err(InvalidPricing::UnitAmount { step, currency });
        }
        if !(1..=MAX_UNIT_CREDITS).contains(&unit_credits) {
            return Err(InvalidPricing::UnitCredits);
        }
        if min < 1 || min > max {
            return Err(InvalidPricing::Range);
        }
        if max > MAX_CREDITS {
            return Err(InvalidPricing::TooManyCredits);
        }
        let maximum = currency.maximum_charge_minor();
        let above = InvalidPricing::MaximumAboveMaximumCharge { maximum, currency };
        let unit = CreditUnit::new(unit_credits, unit_amount_minor).ok_or(above)?;
        let largest = unit.whole_up_to(max);
        let smallest = unit.whole_from(min).filter(|smallest| *smallest <= largest);
        let smallest = smallest.ok_or(InvalidPricing::NoMultiple { multiple: unit_credits, min, max })?;
        // A larger purchase never has a smaller bonus.
        if largest.checked_add(bonuses.bonus(largest)).is_none_or(|credits| credits > MAX_CREDITS) {
            return Err(InvalidPricing::Bonus);
        }
        let card_rates = CardRates::default();
        let pricing = Self { currency, unit, fees, smallest, largest, decimals, bonuses, expiry, card_rates };
        pricing.within_charges()
    }

    /// The same list where it is known how much the provider keeps of charges of saved cards. Its smallest purchase can
    /// be charged with each of them.
    ///
    /// # Errors
    /// When the largest or the smallest purchase cannot be charged with one of the rates.
    pub fn with_card_rates(self, card_rates: CardRates) -> Result<Self, InvalidPricing> {
        let mut pricing = self;
        for rate in card_rates.rates() {
            pricing.smallest = pricing.at_rate(rate).within_charges()?.smallest;
        }
        Ok(Self { card_rates, ..pricing })
    }

    /// The prices for a saved card that was issued in this country, given as two letters; `None` if it is not known.
    #[must_use]
    pub fn for_card(&self, country: Option<&str>) -> Self {
        match country.and_then(|country| self.card_rates.of(country)) {
            Some(rate) => self.at_rate(rate),
            None => self.clone(),
        }
    }

    fn at_rate(&self, rate: RatePercent) -> Self {
        let fees = FeePolicy { rate, ..self.fees.clone() };
        Self { fees, ..self.clone() }
    }

    /// The same list, with a smallest purchase that is no smaller charge than the currency has.
    fn within_charges(mut self) -> Result<Self, InvalidPricing> {
        let currency = self.currency;
        let maximum = currency.maximum_charge_minor();
        let above = InvalidPricing::MaximumAboveMaximumCharge { maximum, currency };
        let largest_charge = self.charge_minor(self.largest).map_err(|_| above)?;
        let minimum = currency.minimum_charge_minor();
        if largest_charge < minimum {
            return Err(InvalidPricing::MaximumBelowMinimumCharge { minimum, currency });
        }
        self.smallest = self.fewest_credits_charged_at_least(minimum);
        Ok(self)
    }

    /// The currency of all amounts.
    #[must_use]
    pub const fn currency(&self) -> Currency {
        self.currency
    }

    /// The unit that credits are priced by.
    #[must_use]
    pub const fn unit(&self) -> CreditUnit {
        self.unit
    }

    /// How people read numbers of credits.
    #[must_use]
    pub const fn decimals(&self) -> DisplayDecimals {
        self.decimals
    }

    /// How much the provider keeps of charges of saved cards.
    #[must_use]
    pub const fn card_rates(&self) -> &CardRates {
        &self.card_rates
    }

    /// How the processing fee is passed on.
    #[must_use]
    pub const fn fees(&self) -> &FeePolicy {
        &self.fees
    }

    /// The bonuses of large purchases.
    #[must_use]
    pub const fn bonuses(&self) -> &BonusTiers {
        &self.bonuses
    }

    /// How long bought credits are good; `None` for ever.
    #[must_use]
    pub const fn expiry(&self) -> Option<ExpiryDays> {
        self.expiry
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
    /// When it is below the smallest or above the largest purchase, or not a whole number of units. The error contains
    /// numbers that can be bought.
    pub fn quote(&self, credits: i64) -> Result<Quote, QuoteError> {
        if credits < self.smallest {
            return Err(QuoteError::TooFew { smallest: self.smallest });
        }
        let too_many = QuoteError::TooMany { largest: self.largest };
        if credits > self.largest {
            return Err(too_many);
        }
        let (below, above) = (self.unit.whole_up_to(credits), self.unit.whole_from(credits).ok_or(too_many)?);
        if below != above {
            return Err(QuoteError::NotAMultiple { multiple: self.unit.credits(), below, above });
        }
        let credits_amount_minor = self.unit.price_minor(credits).ok_or(too_many)?;
        let total_amount_minor = self.charge_minor(credits).map_err(|_| too_many)?;
        Ok(Quote {
            credits: Credits::new(credits).ok_or(QuoteError::TooFew { smallest: self.smallest })?,
            currency: self.currency,
            unit: self.unit,
            credits_amount_minor,
            fee_amount_minor: total_amount_minor.checked_sub(credits_amount_minor).ok_or(too_many)?,
            total_amount_minor,
            tax: self.fees.tax_behavior(),
            bonus_credits: self.bonuses.bonus(credits),
            expiry: self.expiry,
        })
    }

    fn charge_minor(&self, credits: i64) -> Result<i64, FeeError> {
        let price = self.unit.price_minor(credits).ok_or(FeeError::TooLarge)?;
        self.fees.charge_minor(price, self.currency)
    }

    /// Finds it by bisection over whole units: the charge grows with them, and the largest purchase is known to be
    /// enough.
    fn fewest_credits_charged_at_least(&self, minimum_minor: i64) -> i64 {
        let (mut low, mut high) = (self.smallest, self.largest);
        while low < high {
            let middle = self.unit.whole_up_to(low.midpoint(high));
            if self.charge_minor(middle).is_ok_and(|charge| charge < minimum_minor) {
                low = middle.checked_add(self.unit.credits()).unwrap_or(high);
            } else {
                high = middle;
            }
        }
        low
    }
}

#[cfg(test)]
#[path = "pricing_tests.rs"]
mod tests;
