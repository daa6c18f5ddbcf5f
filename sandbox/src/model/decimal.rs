//! Exact decimal numbers of minor units, such as a price of 0.95 cents: no floats.
//!
//! Invariants: a number has at most twelve decimal places, as Stripe allows in `unit_amount_decimal`, and is written
//! without trailing zeros.

use std::fmt;

const PLACES: u32 = 12;
const ONE: i128 = 10_i128.pow(PLACES);

/// A number of at least 0, in units of 10^-12.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Decimal(i128);

/// Parses digits with an optional point. `None` for anything else, for a sign, and beyond an `i64`.
pub(crate) fn parse(text: &str) -> Option<Decimal> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let length = u32::try_from(fraction.len()).ok()?;
    if whole.is_empty() || !is_digits(whole) || !is_digits(fraction) || length > PLACES || text.ends_with('.') {
        return None;
    }
    let whole = i128::from(whole.parse::<i64>().ok()?);
    let fraction = if fraction.is_empty() { 0 } else { fraction.parse::<i128>().ok()? };
    let scaled = fraction.checked_mul(10_i128.checked_pow(PLACES.checked_sub(length)?)?)?;
    Some(Decimal(whole.checked_mul(ONE)?.checked_add(scaled)?))
}

impl Decimal {
    pub(crate) fn whole(number: i64) -> Self {
        Self(i128::from(number.max(0)).saturating_mul(ONE))
    }

    /// The number itself if it is whole.
    pub(crate) fn as_whole(self) -> Option<i64> {
        (self.0.rem_euclid(ONE) == 0).then(|| i64::try_from(self.0.div_euclid(ONE)).ok()).flatten()
    }

    /// The amount of this many, rounded half up to a whole number; an overflow gives the largest one.
    pub(crate) fn times(self, quantity: i64) -> i64 {
        let exact = self.0.saturating_mul(i128::from(quantity));
        let rounded = exact.saturating_add(ONE.div_euclid(2)).div_euclid(ONE);
        i64::try_from(rounded).unwrap_or(i64::MAX)
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, fraction) = (self.0.div_euclid(ONE), self.0.rem_euclid(ONE));
        if fraction == 0 {
            return write!(formatter, "{whole}");
        }
        let digits = format!("{fraction:012}");
        write!(formatter, "{whole}.{}", digits.trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use super::{Decimal, parse};

    #[test]
    fn decimals_are_exact_and_written_without_trailing_zeros() {
        for (text, shown, whole) in [
            ("1500", "1500", Some(1_500)),
            ("0.950", "0.95", None),
            ("2.0", "2", Some(2)),
            ("0.000000000001", "0.000000000001", None),
            ("9223372036854775807", "9223372036854775807", Some(i64::MAX)),
        ] {
            let number = parse(text).expect("a decimal");
            assert_eq!((number.to_string().as_str(), number.as_whole()), (shown, whole), "{text}");
        }
        for wrong in ["", ".5", "5.", "-1", "+1", "1e3", "0.0000000000001", "1,5", "9223372036854775808"] {
            assert!(parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn an_amount_is_rounded_once_and_half_up() {
        let price = parse("0.95").expect("a decimal");
        assert_eq!([0, 1, 10, 19, 1_000].map(|quantity| price.times(quantity)), [0, 1, 10, 18, 950]);
        assert_eq!(Decimal::whole(3).times(4), 12);
        assert_eq!(Decimal::whole(i64::MAX).times(i64::MAX), i64::MAX, "far above the largest charge");
    }
}
