//! Billing intervals in UTC: when the n-th period of a subscription begins.
//!
//! Invariants: every period is counted from the anchor, so a subscription of the 31st is billed on the last day of a
//! shorter month and on the 31st again after it.

use serde::{Deserialize, Serialize};

use crate::model::calendar::civil_day;

const A_DAY: i64 = 86_400;
/// No subscription lives longer; a bound for the search of a period.
const MAX_PERIODS: i64 = 200_000;

/// The unit of a billing interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Unit {
    Day,
    Week,
    Month,
    Year,
}

impl Unit {
    /// The unit with Stripe's name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::Day, Self::Week, Self::Month, Self::Year].into_iter().find(|unit| unit.as_str() == name)
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Year => "year",
        }
    }
}

/// How often a price is charged: every `count` units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Interval {
    pub(crate) unit: Unit,
    pub(crate) count: i64,
}

/// A half-open span of seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Period {
    pub(crate) start: i64,
    pub(crate) end: i64,
}

impl Interval {
    /// The anchor plus `periods` intervals.
    pub(crate) fn after(self, anchor: i64, periods: i64) -> i64 {
        let units = self.count.saturating_mul(periods);
        match self.unit {
            Unit::Day => anchor.saturating_add(units.saturating_mul(A_DAY)),
            Unit::Week => anchor.saturating_add(units.saturating_mul(A_DAY).saturating_mul(7)),
            Unit::Month => months_after(anchor, units),
            Unit::Year => months_after(anchor, units.saturating_mul(12)),
        }
    }

    /// The period that contains `at`. The anchor may be earlier or later.
    pub(crate) fn period_at(self, anchor: i64, at: i64) -> Period {
        let mut periods = at.saturating_sub(anchor).div_euclid(self.longest());
        // The estimate is never too late for a later anchor, and corrected here for shorter units.
        while self.after(anchor, periods) > at && periods > -MAX_PERIODS {
            periods = periods.saturating_sub(1);
        }
        while self.after(anchor, periods.saturating_add(1)) <= at && periods < MAX_PERIODS {
            periods = periods.saturating_add(1);
        }
        Period { start: self.after(anchor, periods), end: self.after(anchor, periods.saturating_add(1)) }
    }

    /// An upper bound of its length in seconds.
    pub(crate) fn longest(self) -> i64 {
        let days = match self.unit {
            Unit::Day => 1,
            Unit::Week => 7,
            Unit::Month => 31,
            Unit::Year => 366,
        };
        A_DAY.saturating_mul(days).saturating_mul(self.count.max(1))
    }
}

/// The same time of day some months later, at most on the last day of that month.
fn months_after(anchor: i64, months: i64) -> i64 {
    let (year, month, day) = civil_day(anchor);
    let counted = year.saturating_mul(12).saturating_add(month.saturating_sub(1)).saturating_add(months);
    let (year, month) = (counted.div_euclid(12), counted.rem_euclid(12).saturating_add(1));
    let day = day.min(days_in(year, month));
    days_from_civil(year, month, day).saturating_mul(A_DAY).saturating_add(anchor.rem_euclid(A_DAY))
}

fn days_in(year: i64, month: i64) -> i64 {
    let is_leap = (year.rem_euclid(4) == 0 && year.rem_euclid(100) != 0) || year.rem_euclid(400) == 0;
    match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970, by Howard Hinnant's `days_from_civil`.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = year.saturating_sub(i64::from(month <= 2));
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted_month = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * shifted_month + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era.saturating_mul(146_097).saturating_add(day_of_era).saturating_sub(719_468)
}

/// A date for a page: `30 Nov 2026`.
pub(crate) fn date_text(at: i64) -> String {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (year, month, day) = civil_day(at);
    let place = usize::try_from(month.saturating_sub(1)).unwrap_or_default();
    format!("{day} {} {year}", MONTHS.get(place).copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(year: i64, month: i64, day: i64) -> i64 {
        days_from_civil(year, month, day) * A_DAY + 3_600
    }

    fn every(count: i64, unit: Unit) -> Interval {
        Interval { unit, count }
    }

    #[test]
    fn days_and_dates_are_inverse() {
        for days in (-1_000..60_000).step_by(13) {
            let (year, month, day) = civil_day(days * A_DAY + 7);
            assert_eq!(days_from_civil(year, month, day), days);
        }
        assert_eq!(date_text(at(2026, 11, 30)), "30 Nov 2026");
    }

    #[test]
    fn a_month_that_is_too_short_is_billed_on_its_last_day_and_the_next_on_the_anchor_again() {
        let (monthly, anchor) = (every(1, Unit::Month), at(2027, 1, 31));
        let dates: Vec<i64> = (1..=3).map(|periods| monthly.after(anchor, periods)).collect();
        assert_eq!(dates, [at(2027, 2, 28), at(2027, 3, 31), at(2027, 4, 30)]);
        assert_eq!(every(1, Unit::Year).after(at(2028, 2, 29), 1), at(2029, 2, 28));
        assert_eq!(every(3, Unit::Month).after(at(2026, 11, 30), 1), at(2027, 2, 28));
        assert_eq!(every(2, Unit::Week).after(0, 3), 42 * A_DAY);
    }

    #[test]
    fn the_period_of_a_time_contains_it_whichever_side_of_the_anchor_it_is_on() {
        for interval in [every(1, Unit::Day), every(2, Unit::Week), every(1, Unit::Month), every(1, Unit::Year)] {
            let anchor = at(2026, 1, 31);
            for step in -40..400 {
                let time = anchor + step * 5 * A_DAY + 11;
                let period = interval.period_at(anchor, time);
                assert!(period.start <= time && time < period.end, "{interval:?} {step}");
            }
            let first = interval.period_at(anchor, anchor);
            assert_eq!(first, Period { start: anchor, end: interval.after(anchor, 1) });
        }
    }
}
