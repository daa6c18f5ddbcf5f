//! How long bought credits are good.

use super::timestamp::DAY_MS;

/// The most days. The tables have the same limit.
const MAX_DAYS: i64 = 3_650;

/// For how many days from the payment the credits of a purchase, and its bonus, are good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExpiryDays(i64);

impl ExpiryDays {
    /// The smallest and the largest number of days.
    pub const RANGE: std::ops::RangeInclusive<i64> = 1..=MAX_DAYS;

    /// Creates it; `None` if the number is out of range.
    #[must_use]
    pub const fn new(days: i64) -> Option<Self> {
        if days >= 1 && days <= MAX_DAYS { Some(Self(days)) } else { None }
    }

    /// The number of days.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// When credits end that are good from this time on, both in milliseconds since 1970.
    #[must_use]
    pub const fn end_ms(self, from_ms: i64) -> i64 {
        from_ms.saturating_add(self.0.saturating_mul(DAY_MS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credits_end_after_whole_days() {
        assert_eq!(ExpiryDays::new(1).map(|days| days.end_ms(5)), Some(86_400_005));
        assert_eq!(ExpiryDays::new(3_650).map(|days| days.end_ms(0)), Some(315_360_000_000));
        assert_eq!((ExpiryDays::new(0), ExpiryDays::new(-1), ExpiryDays::new(3_651)), (None, None, None));
    }
}
