//! The price list: what a unit of credits costs in each currency that it is sold in.
//!
//! A price may have decimals: 0.95 minor units for a credit. It is kept as the smallest number of whole units that costs
//! a whole amount (20 credits for 19), so every price stays exact, and so does the part of it that a refund takes back.

use super::bonus::BonusTiers;
use super::credit_unit::{DisplayDecimals, MAX_UNIT_CREDITS};
use super::currency::Currency;
use super::expiry::ExpiryDays;
use super::fees::AssumedTax;
use super::pricing::Pricing;
use super::tax::TaxCode;

/// The most decimals of a price, as Stripe's `unit_amount_decimal` has.
const MAX_PRICE_DECIMALS: usize = 12;

/// A price in minor units, with decimals: a fraction in lowest terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnitPrice {
    numerator: i64,
    denominator: i64,
}

/// Why a text is no price of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUnitPrice {
    /// It is not a decimal number above 0.
    #[error("must be a decimal number of minor units above 0, such as 0.95, with at most 12 decimals")]
    NotAPrice,
    /// A whole amount would take more credits than a unit may have.
    #[error(
        "is too fine: only {credits} credits would cost a whole number of minor units, and purchases are multiples of \
         that; use fewer decimals, so that it is at most {MAX_UNIT_CREDITS}"
    )]
    TooFine {
        /// The credits that cost a whole amount.
        credits: i64,
    },
}

impl UnitPrice {
    /// Parses a plain decimal number, such as `1` or `0.95`.
    ///
    /// # Errors
    /// When it is not one, is 0, or has too many digits.
    pub fn parse(text: &str) -> Result<Self, InvalidUnitPrice> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !is_digits(whole) || !is_digits(fraction) || fraction.len() > MAX_PRICE_DECIMALS {
            return Err(InvalidUnitPrice::NotAPrice);
        }
        let fraction = fraction.trim_end_matches('0');
        let digits = format!("{whole}{fraction}").parse::<i64>().map_err(|_| InvalidUnitPrice::NotAPrice)?;
        let decimals = u32::try_from(fraction.len()).map_err(|_| InvalidUnitPrice::NotAPrice)?;
        let scale = 10_i64.checked_pow(decimals).ok_or(InvalidUnitPrice::NotAPrice)?;
        let divisor = greatest_common_divisor(digits, scale);
        match (digits.checked_div(divisor), scale.checked_div(divisor)) {
            (Some(numerator), Some(denominator)) if numerator >= 1 => Ok(Self { numerator, denominator }),
            _ => Err(InvalidUnitPrice::NotAPrice),
        }
    }

    /// The unit that a price list has if this is the price of `unit_credits` credits: the fewest of these units that
    /// cost a whole amount.
    ///
    /// # Errors
    /// [`InvalidUnitPrice::TooFine`] when it would have too many credits.
    pub fn unit_credits(self, unit_credits: i64) -> Result<i64, InvalidUnitPrice> {
        let credits = unit_credits.saturating_mul(self.denominator);
        if credits > MAX_UNIT_CREDITS { Err(InvalidUnitPrice::TooFine { credits }) } else { Ok(credits) }
    }

    /// The price of that unit, in minor units.
    #[must_use]
    pub const fn unit_amount_minor(self) -> i64 {
        self.numerator
    }
}

fn greatest_common_divisor(mut a: i64, mut b: i64) -> i64 {
    while let Some(rest) = a.checked_rem(b) {
        (a, b) = (b, rest);
    }
    a
}

/// What credits cost, in each currency that they are sold in. Credits are the same whatever they were paid in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceList {
    unit_credits: i64,
    main: Pricing,
    others: Vec<Pricing>,
    tax_code: Option<TaxCode>,
    asks_tax_ids: bool,
}

/// Credits are not sold in this currency.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("credits are not sold in this currency; they are sold in {}", .sold_in.join(", "))]
pub struct NotSoldIn {
    /// The currencies that they are sold in.
    pub sold_in: Vec<&'static str>,
}

impl PriceList {
    /// A price list for credits that are counted in units of `unit_credits`. Of two prices in one currency, the first
    /// counts.
    #[must_use]
    pub const fn new(unit_credits: i64, main: Pricing, others: Vec<Pricing>) -> Self {
        Self { unit_credits, main, others, tax_code: None, asks_tax_ids: false }
    }

    /// The same list for things of this kind.
    #[must_use]
    pub fn with_tax_code(self, tax_code: Option<TaxCode>) -> Self {
        Self { tax_code, ..self }
    }

    /// The same list where businesses are asked for their tax id, or not.
    #[must_use]
    pub fn with_tax_ids(self, asks_tax_ids: bool) -> Self {
        Self { asks_tax_ids, ..self }
    }

    /// Whether businesses are asked for their tax id.
    #[must_use]
    pub const fn asks_tax_ids(&self) -> bool {
        self.asks_tax_ids
    }

    /// The provider's code for what is sold, which decides its tax; `None` for the default of the provider's account.
    #[must_use]
    pub const fn tax_code(&self) -> Option<&TaxCode> {
        self.tax_code.as_ref()
    }

    /// How everything is taxed; `None` if it is not.
    #[must_use]
    pub fn tax(&self) -> Option<AssumedTax> {
        self.main.fees().tax
    }

    /// The prices in the main currency: that of a purchase which names none.
    #[must_use]
    pub const fn main(&self) -> &Pricing {
        &self.main
    }

    /// The prices in all currencies, the main one first.
    pub fn all(&self) -> impl Iterator<Item = &Pricing> {
        std::iter::once(&self.main).chain(&self.others)
    }

    /// The prices in a currency, or in the main one.
    ///
    /// # Errors
    /// When credits are not sold in the currency.
    pub fn of(&self, currency: Option<Currency>) -> Result<&Pricing, NotSoldIn> {
        let Some(currency) = currency else { return Ok(&self.main) };
        self.all().find(|pricing| pricing.currency() == currency).ok_or_else(|| NotSoldIn { sold_in: self.sold_in() })
    }

    /// The prices in a currency by its code, in lower case, or in the main one.
    ///
    /// # Errors
    /// When credits are not sold in the currency, or there is none with this code.
    pub fn by_code(&self, code: Option<&str>) -> Result<&Pricing, NotSoldIn> {
        let currency = code.map(Currency::parse).transpose();
        self.of(currency.map_err(|_| NotSoldIn { sold_in: self.sold_in() })?)
    }

    /// The codes of the currencies that credits are sold in, the main one first.
    #[must_use]
    pub fn sold_in(&self) -> Vec<&'static str> {
        self.all().map(|pricing| pricing.currency().as_str()).collect()
    }

    /// How many credits the operator calls a unit. It says what a credit is, whatever it is paid in; a price with
    /// decimals is that of several units.
    #[must_use]
    pub const fn unit_credits(&self) -> i64 {
        self.unit_credits
    }

    /// How people read numbers of credits.
    #[must_use]
    pub const fn decimals(&self) -> DisplayDecimals {
        self.main.decimals()
    }

    /// The bonuses of large purchases.
    #[must_use]
    pub const fn bonuses(&self) -> &BonusTiers {
        self.main.bonuses()
    }

    /// How long bought credits are good; `None` for ever.
    #[must_use]
    pub const fn expiry(&self) -> Option<ExpiryDays> {
        self.main.expiry()
    }
}

#[cfg(test)]
#[path = "price_list_tests.rs"]
mod tests;
