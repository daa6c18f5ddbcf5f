//! Times as text: RFC 3339, UTC.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Writes milliseconds since 1970; `None` if no year has so many digits.
#[must_use]
pub fn rfc3339(milliseconds: i64) -> Option<String> {
    let nanoseconds = i128::from(milliseconds).saturating_mul(1_000_000);
    OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).ok().and_then(|time| time.format(&Rfc3339).ok())
}
