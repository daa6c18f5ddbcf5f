//! The unit in which credits are priced, and how people read numbers of credits.
//!
//! A credit may be worth less than the smallest amount that can be charged. So the price is that of a unit: 10,000
//! credits for 1 cent, for example. Purchases are whole units, which makes every price exact.

/// The largest number of credits in one operation: the largest integer that every JSON client reads exactly.
pub const MAX_CREDITS: i64 = 9_007_199_254_740_991;

/// The most credits in a unit. The tables have the same limit.
pub const MAX_UNIT_CREDITS: i64 = 1_000_000;

/// The highest price of a unit, in minor units: the largest charge in any currency. The tables have the same limit.
const MAX_UNIT_AMOUNT_MINOR: i64 = 999_999_999_999;

/// A number of credits and their price. Both are at least 1, and their product fits into 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CreditUnit {
    credits: i64,
    amount_minor: i64,
}

impl CreditUnit {
    /// Creates a unit; `None` if a number is out of range.
    #[must_use]
    pub const fn new(credits: i64, amount_minor: i64) -> Option<Self> {
        let is_unit = credits >= 1 && credits <= MAX_UNIT_CREDITS;
        let is_price = amount_minor >= 1 && amount_minor <= MAX_UNIT_AMOUNT_MINOR;
        if is_unit && is_price { Some(Self { credits, amount_minor }) } else { None }
    }

    /// The number of credits in a unit.
    #[must_use]
    pub const fn credits(self) -> i64 {
        self.credits
    }

    /// The price of a unit, in minor units of the currency.
    #[must_use]
    pub const fn amount_minor(self) -> i64 {
        self.amount_minor
    }

    /// The exact price of a number of credits, in minor units. `None` if it is not a whole amount, or too large.
    #[must_use]
    pub fn price_minor(self, credits: i64) -> Option<i64> {
        let product = i128::from(credits).checked_mul(i128::from(self.amount_minor))?;
        let unit = i128::from(self.credits);
        if product.checked_rem(unit)? != 0 {
            return None;
        }
        i64::try_from(product.checked_div(unit)?).ok()
    }

    /// The fewest credits whose price is a whole number of steps. The price must itself be a whole number of steps.
    #[must_use]
    pub fn fewest_exact(self, step_minor: i64) -> i64 {
        let steps = self.amount_minor.checked_div(step_minor).unwrap_or(self.amount_minor);
        let (mut divisor, mut rest) = (self.credits, steps);
        while let Some(next) = divisor.checked_rem(rest) {
            (divisor, rest) = (rest, next);
        }
        self.credits.checked_div(divisor).unwrap_or(self.credits)
    }

    /// The largest number of whole units up to this number of credits, in credits.
    #[must_use]
    pub fn whole_up_to(self, credits: i64) -> i64 {
        let rest = credits.checked_rem_euclid(self.credits).unwrap_or(0);
        credits.checked_sub(rest).unwrap_or(credits)
    }

    /// The smallest number of whole units from this number of credits on, in credits; `None` if it is too large.
    #[must_use]
    pub fn whole_from(self, credits: i64) -> Option<i64> {
        let below = self.whole_up_to(credits);
        if below == credits { Some(credits) } else { below.checked_add(self.credits) }
    }
}

/// How many digits of a number of credits people read as decimals: 0 to 6. Changes no number, only how it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DisplayDecimals(u8);

impl DisplayDecimals {
    /// The most decimals.
    pub const MAX: i64 = 6;

    /// Creates it; `None` if the number is out of range.
    #[must_use]
    pub fn new(decimals: i64) -> Option<Self> {
        if decimals > Self::MAX { None } else { u8::try_from(decimals).ok().map(Self) }
    }

    /// The number of decimals.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }

    /// Writes a number of credits for people: without zeros at its end, but with two decimals if there are as many.
    /// Digits are not grouped, because readers of other languages group them differently.
    #[must_use]
    pub fn format(self, credits: i64) -> String {
        let sign = if credits < 0 { "-" } else { "" };
        let decimals = usize::from(self.0);
        let digits = format!("{:0>width$}", credits.unsigned_abs(), width = decimals.saturating_add(1));
        let (whole, fraction) = digits.split_at(digits.len().saturating_sub(decimals));
        let length = fraction.trim_end_matches('0').len().max(decimals.min(2));
        match fraction.get(..length) {
            None | Some("") => format!("{sign}{whole}"),
            Some(fraction) => format!("{sign}{whole}.{fraction}"),
        }
    }
}

#[cfg(test)]
#[path = "credit_unit_tests.rs"]
mod tests;
