//! Times in the API.

use crate::db::StoreError;
use crate::domain::timestamp;
use crate::http::kit::problem::ApiError;

/// Reads a time of a field as milliseconds since 1970.
///
/// # Errors
/// 400 when it is no RFC 3339 time.
pub fn parse_time(field: &str, text: &str) -> Result<i64, ApiError> {
    timestamp::parse(text)
        .ok_or_else(|| ApiError::field(field, "invalid_time", "must be a time such as 2027-01-01T00:00:00Z"))
}

/// Writes milliseconds since 1970 as RFC 3339.
pub fn rfc3339(milliseconds: i64) -> Result<String, ApiError> {
    timestamp::rfc3339(milliseconds).ok_or_else(|| StoreError::corrupt("time", milliseconds).into())
}
