//! Times for display.

/// A time in seconds since 1970 as `2026-11-29 14:30:05 UTC`.
pub(crate) fn utc(seconds: i64) -> String {
    let (year, month, day) = civil(seconds.div_euclid(86_400));
    format!("{year:04}-{month:02}-{day:02} {} UTC", clock(seconds))
}

/// The time of day: `14:30:05`.
pub(crate) fn clock(seconds: i64) -> String {
    let of_day = seconds.rem_euclid(86_400);
    format!("{:02}:{:02}:{:02}", of_day.div_euclid(3_600), of_day.div_euclid(60).rem_euclid(60), of_day.rem_euclid(60))
}

/// The Gregorian date of a day counted from 1970-01-01. It counts in eras of 400 years that start on March 1, so that a
/// leap day is the last day of its year.
fn civil(day: i64) -> (i64, i64, i64) {
    let day = day.saturating_add(719_468);
    let (era, of_era) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    let leaps = |of_era: i64| of_era.div_euclid(1_460) - of_era.div_euclid(36_524) + of_era.div_euclid(146_096);
    let year = of_era.saturating_sub(leaps(of_era)).div_euclid(365);
    let of_year = of_era.saturating_sub(year.saturating_mul(365) + year.div_euclid(4) - year.div_euclid(100));
    let month = of_year.saturating_mul(5).saturating_add(2).div_euclid(153);
    let day_of_month =
        of_year.saturating_sub(month.saturating_mul(153).saturating_add(2).div_euclid(5)).saturating_add(1);
    let (month, carried) = if month < 10 { (month.saturating_add(3), 0) } else { (month.saturating_sub(9), 1) };
    (year.saturating_add(era.saturating_mul(400)).saturating_add(carried), month, day_of_month)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_like_dates() {
        for (seconds, text) in [
            (0, "1970-01-01 00:00:00 UTC"),
            (951_782_400, "2000-02-29 00:00:00 UTC"),
            (1_709_251_199, "2024-02-29 23:59:59 UTC"),
            (1_735_689_599, "2024-12-31 23:59:59 UTC"),
            (4_107_542_400, "2100-03-01 00:00:00 UTC"),
            (253_402_300_799, "9999-12-31 23:59:59 UTC"),
        ] {
            assert_eq!(utc(seconds), text);
        }
    }
}
