//! The processing fee that is passed on to the customer: the gross-up.
//!
//! Stripe keeps a share *r* of the charge *c* and a fixed part *f*. The charge is the smallest amount, in steps of the
//! currency, that leaves at least the price: `c − (c·r + f) ≥ price`, so `c = ⌈(price + f) / (1 − r)⌉`. The fee is not
//! rounded in this inequality: Stripe rounds its fee half up, so one cent less would often be enough, but we do not
//! rely on that rounding. The fee that Stripe is expected to keep is [`FeePolicy::expected_processor_fee_minor`], which
//! may be one cent less than the fee line.
//!
//! Stripe takes its share of the charge with tax. With a tax *t* on both lines, the price and the fee line that are
//! needed are `⌈(price + f) / (1 − r·(1 + t))⌉` if the tax comes on top, and `⌈(price + f·(1 + t)) / (1 − r·(1 + t))⌉`
//! if they contain it: then what is left after tax and fee is the price less its own tax. The rate is an assumption,
//! because the customer's address is not known yet; the difference shows in the real fee.
//!
//! `rust_decimal` is used only here, and floats nowhere.

use rust_decimal::{Decimal, RoundingStrategy, prelude::ToPrimitive};

use super::currency::Currency;
use super::ids::FeeId;
use super::tax::TaxBehavior;

/// The longest label of a fee line, in characters. The label appears on the hosted page and on receipts.
pub const MAX_FEE_LABEL_CHARACTERS: usize = 100;

/// A percentage with at most four decimals, at least 0 and below 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RatePercent(Decimal);

/// The text is not a valid rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a rate is a decimal number such as 2.9, at least 0, below 100, with at most four decimals")]
pub struct InvalidRate;

impl RatePercent {
    /// Parses a rate from decimal text: `2.9` means 2.9 %.
    ///
    /// # Errors
    /// When the text is not a plain decimal number, is negative, is 100 or more, or has more than four decimals.
    pub fn parse(text: &str) -> Result<Self, InvalidRate> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !is_digits(whole) || !is_digits(fraction) || whole.len() > 2 || fraction.len() > 4 {
            return Err(InvalidRate);
        }
        let rate = Decimal::from_str_exact(text).map_err(|_| InvalidRate)?;
        Ok(Self(rate.normalize()))
    }
}

impl std::fmt::Display for RatePercent {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(formatter)
    }
}

/// Who pays the processing fee.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeeMode {
    /// The customer, as a separate line.
    GrossUp,
    /// The seller: there is no fee line.
    Absorb,
}

impl FeeMode {
    /// The name used in settings and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::GrossUp => "gross_up",
            Self::Absorb => "absorb",
        }
    }

    /// Parses that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "gross_up" => Some(Self::GrossUp),
            "absorb" => Some(Self::Absorb),
            _ => None,
        }
    }
}

/// The tax that a fee line is computed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AssumedTax {
    /// Whether prices contain it.
    pub behavior: TaxBehavior,
    /// The rate of most customers. The real one is known after the price was agreed.
    pub rate: RatePercent,
}

/// How the processing fee is computed and who pays it. Stored with every top-up, so that changed settings never affect
/// earlier top-ups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeePolicy {
    /// Who pays.
    pub mode: FeeMode,
    /// The share of the charge that the processor keeps.
    pub rate: RatePercent,
    /// The fixed part that it also keeps of each charge, in minor units; at least 0.
    pub fixed_minor: i64,
    /// The label of the fee line.
    pub label: String,
    /// The tax that is assumed; `None` without tax.
    pub tax: Option<AssumedTax>,
}

/// Why a charge cannot be computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FeeError {
    /// The charge would have more digits than payment methods accept.
    #[error("the charge would be above the largest of its currency")]
    TooLarge,
    /// The price or the fixed fee is negative, or the price is not a multiple of the currency's step.
    #[error("the price or the fixed fee is not an amount of this currency")]
    NotAnAmount,
}

impl FeePolicy {
    /// What the customer is charged for a price, in minor units, before tax that comes on top.
    ///
    /// # Errors
    /// When the charge would exceed [`Currency::maximum_charge_minor`], or the price is not a valid amount of the
    /// currency.
    pub fn charge_minor(&self, price_minor: i64, currency: Currency) -> Result<i64, FeeError> {
        let step = currency.step_minor();
        if price_minor < 0 || self.fixed_minor < 0 || price_minor.checked_rem(step) != Some(0) {
            return Err(FeeError::NotAnAmount);
        }
        let charge = match self.mode {
            FeeMode::Absorb => price_minor,
            FeeMode::GrossUp => self.grossed_up_minor(price_minor, step).ok_or(FeeError::TooLarge)?,
        };
        if charge > currency.maximum_charge_minor() { Err(FeeError::TooLarge) } else { Ok(charge) }
    }

    /// Whether prices contain tax; `None` without tax.
    #[must_use]
    pub fn tax_behavior(&self) -> Option<TaxBehavior> {
        self.tax.map(|tax| tax.behavior)
    }

    /// Whether any charge leaves something: Stripe's share of a charge and of its tax is less than the charge.
    #[must_use]
    pub fn leaves_something(&self) -> bool {
        self.kept_percent().is_some_and(|percent| percent > Decimal::ZERO)
    }

    /// The fee that the processor is expected to keep of a charge, rounded half up to whole minor units. The charge is
    /// without the tax that comes on top. `None` if it does not fit into an `i64`, which cannot happen for charges up to
    /// any currency's maximum.
    #[must_use]
    pub fn expected_processor_fee_minor(&self, charge_minor: i64) -> Option<i64> {
        let is_on_top = self.tax_behavior() == Some(TaxBehavior::Exclusive);
        let rate = if is_on_top { self.rate_with_tax()? } else { self.rate.0 };
        let share = Decimal::from(charge_minor).checked_mul(rate)?.checked_div(Decimal::ONE_HUNDRED)?;
        share
            .checked_add(Decimal::from(self.fixed_minor))?
            .round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero)
            .to_i64()
    }

    /// The formula of this module's documentation, rounded up to the next step.
    ///
    /// `rust_decimal` rounds the quotient at 28 digits. That cannot move it across a whole number: with four decimals
    /// in each rate, the exact quotient is a whole number or at least 10⁻¹² away from one, less where it is divided
    /// by the step (10⁻¹⁴), and has at most 13 digits before the point.
    fn grossed_up_minor(&self, price_minor: i64, step: i64) -> Option<i64> {
        let fixed = Decimal::from(self.fixed_minor);
        let fixed = match self.tax {
            Some(tax) if tax.behavior == TaxBehavior::Inclusive => {
                fixed.checked_mul(with_tax(tax)?)?.checked_div(Decimal::ONE_HUNDRED)?
            }
            _ => fixed,
        };
        let needed = Decimal::from(price_minor).checked_add(fixed)?;
        let kept_percent = self.kept_percent().filter(|percent| *percent > Decimal::ZERO)?;
        let steps = needed
            .checked_mul(Decimal::ONE_HUNDRED)?
            .checked_div(kept_percent.checked_mul(Decimal::from(step))?)?
            .ceil();
        steps.to_i64()?.checked_mul(step)
    }

    /// The share of the charge without tax that the processor keeps, in percent: it takes its share of the tax too.
    fn rate_with_tax(&self) -> Option<Decimal> {
        match self.tax {
            Some(tax) => self.rate.0.checked_mul(with_tax(tax)?)?.checked_div(Decimal::ONE_HUNDRED),
            None => Some(self.rate.0),
        }
    }

    fn kept_percent(&self) -> Option<Decimal> {
        Decimal::ONE_HUNDRED.checked_sub(self.rate_with_tax()?)
    }
}

/// An amount with its tax, in percent of the amount.
fn with_tax(tax: AssumedTax) -> Option<Decimal> {
    Decimal::ONE_HUNDRED.checked_add(tax.rate.0)
}

/// The fee that the provider really kept of a charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RealFee {
    /// The provider's record of the fee: at Stripe the balance transaction.
    pub fee_id: FeeId,
    /// The amount, in minor units of `currency`.
    pub amount_minor: i64,
    /// The settlement currency, in lower case. It may differ from the charge's.
    pub currency: String,
}

#[cfg(test)]
#[path = "fees_tests.rs"]
mod tests;
