//! Limits of spending: how many credits may be spent in a day, in a month or in all. Days and months are those of UTC.

use time::OffsetDateTime;

use super::timestamp::DAY_MS;

/// The period of a limit. The names are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Period {
    /// A day of UTC.
    Day,
    /// A month of UTC.
    Month,
    /// Without an end.
    Total,
}

impl Period {
    /// The name used in the database and in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Month => "month",
            Self::Total => "total",
        }
    }

    /// Parses the name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Day, Self::Month, Self::Total].into_iter().find(|period| period.as_str() == text)
    }

    /// When the period that begins at a time ends, in milliseconds since 1970; `None` for never.
    #[must_use]
    pub fn end_ms(self, start_ms: i64) -> Option<i64> {
        match self {
            Self::Day => start_ms.checked_add(DAY_MS),
            // The 32nd day of a month is in the next one.
            Self::Month => {
                start_ms.checked_add(31_i64.checked_mul(DAY_MS)?).map(|time_ms| Windows::at(time_ms).month_ms)
            }
            Self::Total => None,
        }
    }
}

/// When the day and the month of a moment began, in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Windows {
    /// The start of the day.
    pub day_ms: i64,
    /// The start of the month.
    pub month_ms: i64,
}

impl Windows {
    /// Those of a moment.
    #[must_use]
    pub fn at(now_ms: i64) -> Self {
        let day_ms = now_ms.saturating_sub(now_ms.rem_euclid(DAY_MS));
        let date = OffsetDateTime::from_unix_timestamp(now_ms.div_euclid(1_000)).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        let days_before = i64::from(date.day().saturating_sub(1));
        Self { day_ms, month_ms: day_ms.saturating_sub(days_before.saturating_mul(DAY_MS)) }
    }

    /// When the period of the moment began; 0 for a limit without an end.
    #[must_use]
    pub const fn start_ms(self, period: Period) -> i64 {
        match period {
            Period::Day => self.day_ms,
            Period::Month => self.month_ms,
            Period::Total => 0,
        }
    }
}

/// A limit, with what counts against it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpendLimit {
    /// The part of the account that it is for; empty for the whole account.
    pub subject: String,
    /// Its period.
    pub period: Period,
    /// The most credits that may be spent.
    pub credits: i64,
    /// The credits spent in the period, less what was given back of them.
    pub used: i64,
    /// The credits that open holds reserve.
    pub held: i64,
    /// When the period began, in milliseconds since 1970; 0 for a limit without an end.
    pub window_start_ms: i64,
}

impl SpendLimit {
    /// How many credits can still be spent or reserved. Below 0 if the limit was lowered below what counts against it.
    #[must_use]
    pub fn left(&self) -> i64 {
        let left = self.credits.checked_sub(self.used).and_then(|left| left.checked_sub(self.held));
        left.unwrap_or(i64::MIN)
    }

    /// How many credits can still be spent or reserved, and not less than none.
    #[must_use]
    pub fn room(&self) -> i64 {
        self.left().max(0)
    }

    /// When `used` begins at 0 again, in milliseconds since 1970; `None` for never.
    #[must_use]
    pub fn resets_at_ms(&self) -> Option<i64> {
        self.period.end_ms(self.window_start_ms)
    }
}

/// The limit with the least room. Of equal ones, that of the shorter period, then that of the whole account.
#[must_use]
pub fn tightest(limits: Vec<SpendLimit>) -> Option<SpendLimit> {
    limits.into_iter().min_by(|one, other| {
        let key = |limit: &SpendLimit| (limit.left(), limit.period);
        key(one).cmp(&key(other)).then_with(|| one.subject.cmp(&other.subject))
    })
}

#[cfg(test)]
mod tests {
    use super::{DAY_MS, Period, SpendLimit, Windows, tightest};

    fn ms(text: &str) -> i64 {
        let time = time::OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339).expect("a time");
        time.unix_timestamp() * 1_000
    }

    #[test]
    fn days_and_months_are_those_of_utc() {
        for (now, day, month, next_month) in [
            ("2026-11-30T23:59:59Z", "2026-11-30T00:00:00Z", "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"),
            ("2026-12-01T00:00:00Z", "2026-12-01T00:00:00Z", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"),
            ("2028-02-29T12:00:00Z", "2028-02-29T00:00:00Z", "2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z"),
            ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "1970-02-01T00:00:00Z"),
        ] {
            let windows = Windows::at(ms(now) + 999);
            assert_eq!(windows, Windows { day_ms: ms(day), month_ms: ms(month) }, "{now}");
            assert_eq!(Period::Month.end_ms(windows.month_ms), Some(ms(next_month)), "{now}");
            assert_eq!(Period::Day.end_ms(windows.day_ms), Some(ms(day) + DAY_MS), "{now}");
            assert_eq!(Period::Total.end_ms(windows.start_ms(Period::Total)), None);
        }
    }

    #[test]
    fn every_moment_is_in_the_period_that_it_is_said_to_be_in() {
        for day in 0..40_000 {
            let now_ms = day * DAY_MS + 12_345;
            let windows = Windows::at(now_ms);
            for period in [Period::Day, Period::Month] {
                let start_ms = windows.start_ms(period);
                let end_ms = period.end_ms(start_ms).expect("an end");
                assert!(start_ms <= now_ms && now_ms < end_ms, "{period:?} of day {day}");
                assert_eq!(Windows::at(end_ms).start_ms(period), end_ms, "{period:?} of day {day}");
            }
        }
    }

    fn limit(subject: &str, period: Period, credits: i64, used: i64, held: i64) -> SpendLimit {
        SpendLimit { subject: subject.to_owned(), period, credits, used, held, window_start_ms: 0 }
    }

    #[test]
    fn the_limit_with_the_least_room_counts() {
        let one = limit("", Period::Month, 100, 20, 10);
        let other = limit("a", Period::Total, 50, 0, 0);
        let same = limit("a", Period::Day, 70, 0, 0);
        assert_eq!((one.left(), other.left(), same.left()), (70, 50, 70));
        assert_eq!(tightest(vec![one.clone(), other.clone(), same.clone()]), Some(other));
        assert_eq!(tightest(vec![one.clone(), same.clone()]), Some(same.clone()));
        assert_eq!(
            tightest(vec![same, limit("", Period::Day, 70, 0, 0)]).map(|limit| limit.subject),
            Some(String::new())
        );
        assert_eq!(tightest(Vec::new()), None);
        let lowered = limit("", Period::Day, 10, 20, 5);
        assert_eq!((lowered.left(), lowered.room()), (-15, 0));
        assert_eq!(limit("", Period::Day, 0, i64::MAX, i64::MAX).room(), 0);
    }
}
