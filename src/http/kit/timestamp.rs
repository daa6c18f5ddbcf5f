//! Times in the API.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::db::StoreError;
use crate::domain::timestamp;
use crate::http::kit::problem::ApiError;

/// Reads a time of a field as milliseconds since 1970.
///
/// # Errors
/// 400 when it is no RFC 3339 time.
pub fn parse_time(field: &str, text: &str) -> Result<i64, ApiError> {
    let invalid = || ApiError::field(field, "invalid_time", "must be a time such as 2027-01-01T00:00:00Z");
    let time = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| invalid())?;
    let nanoseconds = time.unix_timestamp_nanos();
    nanoseconds.checked_div(1_000_000).and_then(|ms| i64::try_from(ms).ok()).ok_or_else(invalid)
}

/// Writes milliseconds since 1970 as RFC 3339.
pub fn rfc3339(milliseconds: i64) -> Result<String, ApiError> {
    timestamp::rfc3339(milliseconds).ok_or_else(|| StoreError::corrupt("time", milliseconds).into())
}
