//! Dates in UTC, computed from seconds since 1970.

pub(crate) fn year(now: i64) -> i64 {
    civil(now).0
}

pub(crate) fn month(now: i64) -> i64 {
    civil(now).1
}

/// A time in UTC, as Stripe's API v2 writes it.
pub(crate) fn rfc3339(now: i64) -> String {
    let ((year, month, day), second) = (civil_day(now), now.rem_euclid(86_400));
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.000Z")
}

/// Year and month in UTC.
fn civil(now: i64) -> (i64, i64) {
    let (year, month, _) = civil_day(now);
    (year, month)
}

/// Year, month and day in UTC, by Howard Hinnant's `civil_from_days`.
pub(crate) fn civil_day(now: i64) -> (i64, i64, i64) {
    let days = now.div_euclid(86_400).saturating_add(719_468);
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::{civil, rfc3339};

    #[test]
    fn a_time_is_written_as_in_version_two_of_the_api() {
        assert_eq!(rfc3339(951_868_799), "2000-02-29T23:59:59.000Z");
        assert_eq!(rfc3339(1_735_689_600), "2025-01-01T00:00:00.000Z");
    }

    #[test]
    fn dates_are_right_at_the_edges_of_months_and_years() {
        for (seconds, expected) in [
            (0, (1970, 1)),
            (951_782_399, (2000, 2)),    // 2000-02-28T23:59:59
            (951_868_800, (2000, 3)),    // 2000-03-01
            (1_735_689_599, (2024, 12)), // 2024-12-31T23:59:59
            (1_735_689_600, (2025, 1)),
        ] {
            assert_eq!(civil(seconds), expected, "{seconds}");
        }
    }
}
