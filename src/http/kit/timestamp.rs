//! Times in the API: RFC 3339, UTC.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::db::StoreError;
use crate::http::kit::problem::ApiError;

/// Writes milliseconds since 1970 as RFC 3339.
pub fn rfc3339(milliseconds: i64) -> Result<String, ApiError> {
    let nanoseconds = i128::from(milliseconds).saturating_mul(1_000_000);
    OffsetDateTime::from_unix_timestamp_nanos(nanoseconds)
        .ok()
        .and_then(|time| time.format(&Rfc3339).ok())
        .ok_or_else(|| StoreError::corrupt("time", milliseconds).into())
}
