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

/// How long ago something was, or when it will be: `3 min ago`, `in 2 d`. `pages.js` writes the same words.
pub(crate) fn ago(seconds: i64) -> String {
    let far = seconds.saturating_abs();
    if (0..5).contains(&seconds) {
        return "just now".to_owned();
    }
    let text = match far {
        ..60 => format!("{far} s"),
        60..3_600 => format!("{} min", far.div_euclid(60)),
        3_600..86_400 => format!("{} h", far.div_euclid(3_600)),
        _ => format!("{} d", far.div_euclid(86_400)),
    };
    if seconds < 0 { format!("in {text}") } else { format!("{text} ago") }
}

/// Formats as `1 d 2 h 3 min`, without parts that are zero.
pub(crate) fn span(seconds: i64) -> String {
    let parts = [
        (seconds.div_euclid(86_400), "d"),
        (seconds.div_euclid(3_600).rem_euclid(24), "h"),
        (seconds.div_euclid(60).rem_euclid(60), "min"),
        (seconds.rem_euclid(60), "s"),
    ];
    let parts: Vec<String> =
        parts.into_iter().filter(|(count, _)| *count > 0).map(|(count, unit)| format!("{count} {unit}")).collect();
    parts.join(" ")
}

/// Parses `2027-01-31` or `2027-01-31 08:30`, in UTC, into seconds since 1970. `None` if there is no such moment.
pub(crate) fn parse_utc(text: &str) -> Option<i64> {
    let (date, clock) = text.trim().split_once([' ', 'T']).unwrap_or((text.trim(), "00:00"));
    let number =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<i64>().ok()).flatten();
    let numbers = |text: &str, by: char| text.split(by).map(number).collect::<Option<Vec<i64>>>();
    let (date, clock) = (numbers(date, '-')?, numbers(clock, ':')?);
    let (&[year, month, day], &[hour, minute]) = (date.as_slice(), clock.as_slice()) else { return None };
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || hour > 23 || minute > 59 {
        return None;
    }
    let days = day_of(year, month, day);
    let of_day = hour.saturating_mul(3_600).saturating_add(minute.saturating_mul(60));
    (civil(days) == (year, month, day)).then(|| days.saturating_mul(86_400).saturating_add(of_day))
}

/// The day counted from 1970-01-01 of a date; the inverse of [`civil`].
fn day_of(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) =
        if month > 2 { (year, month.saturating_sub(3)) } else { (year.saturating_sub(1), month.saturating_add(9)) };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = month.saturating_mul(153).saturating_add(2).div_euclid(5).saturating_add(day).saturating_sub(1);
    let leaps = of_era.div_euclid(4) - of_era.div_euclid(100);
    let in_era = of_era.saturating_mul(365).saturating_add(leaps).saturating_add(of_year);
    era.saturating_mul(146_097).saturating_add(in_era).saturating_sub(719_468)
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
    fn relative_times_name_one_unit() {
        for (seconds, text) in [
            (0, "just now"),
            (4, "just now"),
            (59, "59 s ago"),
            (60, "1 min ago"),
            (3_599, "59 min ago"),
            (86_399, "23 h ago"),
            (200_000, "2 d ago"),
            (-1, "in 1 s"),
            (-90, "in 1 min"),
        ] {
            assert_eq!(ago(seconds), text);
        }
        assert_eq!((span(93_780), span(5), span(0)), ("1 d 2 h 3 min".to_owned(), "5 s".to_owned(), String::new()));
    }

    #[test]
    fn moments_are_read_as_people_write_them() {
        for seconds in [0, 951_782_400, 1_709_251_140, 1_735_689_540, 4_107_542_400, 253_402_300_740] {
            let text = utc(seconds);
            let typed = text.get(..16).expect("a date and a time");
            assert_eq!(parse_utc(typed), Some(seconds), "{typed}");
        }
        assert_eq!(parse_utc(" 2027-01-31 "), Some(1_801_353_600));
        for wrong in ["", "2027", "2027-02-29", "2027-13-01", "2027-01-31 24:00", "2027-01-31 8", "1969-01-01", "x-1-1"]
        {
            assert_eq!(parse_utc(wrong), None, "{wrong}");
        }
    }

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
