//! Computes which rate and fixed part would have fitted the fees that Stripe really kept: least squares, in integers.
//!
//! Fees are rounded to whole minor units, so the result is an estimate: it hints at wrong settings and does not give
//! exact ones.

/// With fewer fees the result means nothing.
pub const MIN_FEES: i128 = 3;
/// The factor of the results: four decimals.
const SCALE: i128 = 10_000;
/// The factor of the intermediate results: twelve decimals.
const FINE: i128 = 1_000_000_000_000;
/// The limit for factors that are multiplied by [`FINE`].
const MAX_TERM: i128 = i128::MAX / FINE / 128;

/// Running sums over pairs of charge and fee. Needs constant memory for any number of pairs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FeeSums {
    count: i128,
    charges: i128,
    fees: i128,
    charges_squared: i128,
    charges_by_fees: i128,
    is_too_large: bool,
}

/// A rate and a fixed part, both in ten-thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeeFit {
    /// Ten-thousandths of a percent.
    rate: i128,
    /// Ten-thousandths of a minor unit.
    fixed: i128,
}

/// Why there is no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoFit {
    /// There are fewer than [`MIN_FEES`] pairs.
    #[error("there are too few known fees to say which rate would have fitted")]
    TooFew,
    /// All charges are equal, so rate and fixed part cannot be told apart.
    #[error("all charges are equal: the rate and the fixed part cannot be told apart")]
    EqualCharges,
    /// The sums are too large for the computation.
    #[error("the charges are too many to be computed with; compare a shorter time")]
    TooLarge,
}

impl FeeSums {
    /// Adds a charge and what Stripe kept of it, both in minor units of one currency.
    pub fn add(&mut self, charge_minor: i128, fee_minor: i128) {
        match self.with(charge_minor, fee_minor) {
            Some(sums) => *self = sums,
            None => self.is_too_large = true,
        }
    }

    fn with(&self, charge_minor: i128, fee_minor: i128) -> Option<Self> {
        Some(Self {
            count: self.count.checked_add(1)?,
            charges: self.charges.checked_add(charge_minor)?,
            fees: self.fees.checked_add(fee_minor)?,
            charges_squared: self.charges_squared.checked_add(charge_minor.checked_mul(charge_minor)?)?,
            charges_by_fees: self.charges_by_fees.checked_add(charge_minor.checked_mul(fee_minor)?)?,
            is_too_large: self.is_too_large,
        })
    }

    /// The best-fitting line: `fee = rate · charge + fixed`.
    ///
    /// # Errors
    /// See [`NoFit`].
    pub fn fit(&self) -> Result<FeeFit, NoFit> {
        // Checked first, because a pair that does not fit into the sums is not counted.
        if self.is_too_large {
            return Err(NoFit::TooLarge);
        }
        if self.count < MIN_FEES {
            return Err(NoFit::TooFew);
        }
        self.slope_and_rest().ok_or(NoFit::TooLarge)?
    }

    fn slope_and_rest(&self) -> Option<Result<FeeFit, NoFit>> {
        let squares = self.count.checked_mul(self.charges_squared)?;
        let mut below = squares.checked_sub(self.charges.checked_mul(self.charges)?)?;
        let products = self.count.checked_mul(self.charges_by_fees)?;
        let mut above = products.checked_sub(self.charges.checked_mul(self.fees)?)?;
        if below == 0 {
            return Some(Err(NoFit::EqualCharges));
        }
        // Both lose the same low bits, of which they have far more than the results show.
        while above.unsigned_abs() > MAX_TERM.unsigned_abs() || below > MAX_TERM {
            above = above.checked_div(2)?;
            below = below.checked_div(2)?;
        }
        let slope = divide_half_up(above.checked_mul(FINE)?, below)?;
        let rest = self.fees.checked_mul(FINE)?.checked_sub(slope.checked_mul(self.charges)?)?;
        let rate = divide_half_up(slope.checked_mul(SCALE)?.checked_mul(100)?, FINE)?;
        let fixed = divide_half_up(rest, self.count.checked_mul(FINE.checked_div(SCALE)?)?)?;
        Some(Ok(FeeFit { rate, fixed }))
    }
}

/// `below` is more than 0.
fn divide_half_up(above: i128, below: i128) -> Option<i128> {
    above.checked_mul(2)?.checked_add(below)?.checked_div_euclid(below.checked_mul(2)?)
}

impl FeeFit {
    /// The rate in percent, with four decimals.
    #[must_use]
    pub fn rate_percent(&self) -> String {
        decimal(self.rate)
    }

    /// The fixed part in minor units, with four decimals.
    #[must_use]
    pub fn fixed_minor(&self) -> String {
        decimal(self.fixed)
    }
}

fn decimal(ten_thousandths: i128) -> String {
    let sign = if ten_thousandths < 0 { "-" } else { "" };
    let digits = ten_thousandths.unsigned_abs();
    let (whole, fraction) =
        (digits.checked_div(10_000).unwrap_or_default(), digits.checked_rem(10_000).unwrap_or_default());
    format!("{sign}{whole}.{fraction:04}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sums(pairs: &[(i128, i128)]) -> FeeSums {
        let mut sums = FeeSums::default();
        for (charge, fee) in pairs {
            sums.add(*charge, *fee);
        }
        sums
    }

    #[test]
    fn fees_on_a_line_give_back_the_line() {
        // 1.5 % and 20, on charges for which the fee is a whole number.
        let fit = sums(&[(200, 23), (1_000, 35), (20_000, 320), (99_999_800, 1_500_017)]).fit().expect("fits");
        assert_eq!((fit.rate_percent().as_str(), fit.fixed_minor().as_str()), ("1.5000", "20.0000"));
    }

    #[test]
    fn rounded_fees_give_the_rate_to_the_second_decimal() {
        let mut sums = FeeSums::default();
        for charge in (100..1_000_000).step_by(37) {
            // Rounded half up, as Stripe does.
            sums.add(charge, (charge * 29 + 30_000 + 500) / 1_000);
        }
        let fit = sums.fit().expect("fits");
        assert!(fit.rate_percent().starts_with("2.90"), "{fit:?}");
        assert!(fit.fixed_minor().starts_with("30.0") || fit.fixed_minor().starts_with("29.9"), "{fit:?}");
    }

    #[test]
    fn sums_that_are_too_large_are_said_to_be_and_never_cut_off() {
        let pairs = [(i128::MAX, 1), (1, 1), (1, 2), (2, 3)];
        assert_eq!(sums(&pairs).fit(), Err(NoFit::TooLarge));
    }

    #[test]
    fn a_million_of_the_largest_charges_still_fit() {
        let mut sums = FeeSums::default();
        for number in 0..1_000_000 {
            let charge = 99_000_000 + number % 1_000 * 1_000;
            sums.add(charge, charge * 3 / 100 + 30);
        }
        let fit = sums.fit().expect("fits");
        assert_eq!((fit.rate_percent().as_str(), fit.fixed_minor().as_str()), ("3.0000", "30.0000"));
    }

    #[test]
    fn a_negative_fixed_part_is_written_with_its_sign() {
        let fit = sums(&[(100, 0), (200, 2), (300, 4)]).fit().expect("fits");
        assert_eq!((fit.rate_percent().as_str(), fit.fixed_minor().as_str()), ("2.0000", "-2.0000"));
    }

    #[test]
    fn what_cannot_be_told_is_said() {
        assert_eq!(sums(&[(100, 3), (200, 6)]).fit(), Err(NoFit::TooFew));
        assert_eq!(sums(&[(289, 38), (289, 38), (289, 39)]).fit(), Err(NoFit::EqualCharges));
        let most = i128::MAX;
        assert_eq!(sums(&[(most, 1), (1, most), (5, 5)]).fit(), Err(NoFit::TooLarge));
    }
}
