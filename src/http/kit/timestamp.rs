//! Times in the API.

use crate::db::StoreError;
use crate::http::kit::problem::ApiError;
use crate::http::kit::rfc3339;

/// Writes milliseconds since 1970 as RFC 3339.
pub fn rfc3339(milliseconds: i64) -> Result<String, ApiError> {
    rfc3339::text(milliseconds).ok_or_else(|| StoreError::corrupt("time", milliseconds).into())
}
