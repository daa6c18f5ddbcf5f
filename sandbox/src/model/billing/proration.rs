//! Proration: what the unused part of a period is worth, counted to the second (docs: "Prorations").

use super::interval::Period;

/// The part of an amount that falls to the rest of the period from `at` on, in minor units, rounded half up.
pub(crate) fn rest_of(amount: i64, period: Period, at: i64) -> i64 {
    let whole = period.end.saturating_sub(period.start);
    let left = period.end.saturating_sub(at.max(period.start)).max(0);
    if whole <= 0 {
        return 0;
    }
    let (amount, whole, left) = (i128::from(amount), i128::from(whole), i128::from(left));
    let doubled = amount.saturating_mul(left).saturating_mul(2).saturating_add(whole);
    i64::try_from(doubled.div_euclid(whole.saturating_mul(2))).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: Period = Period { start: 1_000, end: 2_000 };

    #[test]
    fn the_rest_shrinks_with_every_second_from_all_to_nothing() {
        assert_eq!(rest_of(1_000, PERIOD, 1_000), 1_000);
        assert_eq!(rest_of(1_000, PERIOD, 1_001), 999);
        assert_eq!(rest_of(1_000, PERIOD, 2_000), 0);
        assert_eq!(rest_of(1_000, PERIOD, 0), 1_000, "never more than all");
        assert_eq!(rest_of(1_000, PERIOD, 9_000), 0);
    }

    #[test]
    fn halves_are_rounded_up_and_an_empty_period_is_worth_nothing() {
        assert_eq!(rest_of(1, PERIOD, 1_500), 1);
        assert_eq!(rest_of(1, PERIOD, 1_501), 0);
        assert_eq!(rest_of(500, Period { start: 5, end: 5 }, 5), 0);
    }
}
