//! Times as text: RFC 3339, UTC.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A day of UTC.
pub const DAY_MS: i64 = 86_400_000;

/// Writes milliseconds since 1970; `None` if no year has so many digits.
#[must_use]
pub fn rfc3339(milliseconds: i64) -> Option<String> {
    let nanoseconds = i128::from(milliseconds).saturating_mul(1_000_000);
    OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).ok().and_then(|time| time.format(&Rfc3339).ok())
}

/// Writes the same in whole seconds, such as `2026-11-24T12:01:07Z`, for people.
#[must_use]
pub fn to_the_second(milliseconds: i64) -> String {
    let second = milliseconds.div_euclid(1_000).checked_mul(1_000);
    second.and_then(rfc3339).unwrap_or_else(|| format!("{milliseconds} ms"))
}

/// Reads such a time as milliseconds since 1970.
#[must_use]
pub fn parse(text: &str) -> Option<i64> {
    let time = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    i64::try_from(time.unix_timestamp_nanos().div_euclid(1_000_000)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_and_read() {
        for (milliseconds, text, second) in [
            (0, "1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"),
            (1_795_521_667_089, "2026-11-24T12:01:07.089Z", "2026-11-24T12:01:07Z"),
            (-1, "1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59Z"),
        ] {
            assert_eq!(rfc3339(milliseconds).as_deref(), Some(text));
            assert_eq!(parse(text), Some(milliseconds));
            assert_eq!(to_the_second(milliseconds), second);
        }
        assert_eq!(parse("2026-11-24T13:01:07+01:00"), Some(1_795_521_667_000));
        assert_eq!((parse("2026-11-24"), parse(""), rfc3339(i64::MAX)), (None, None, None));
        assert_eq!(to_the_second(i64::MAX), format!("{} ms", i64::MAX));
    }
}
