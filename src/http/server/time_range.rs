//! The times that usage and statements are asked for.

use crate::books::usage::live::HOUR_MS;
use crate::domain::timestamp::DAY_MS;
use crate::http::kit::problem::ApiError;
use crate::http::kit::timestamp::parse_time;

/// The range of `from` and `to`, in milliseconds since 1970. Without `to` it ends now, after everything that is there.
///
/// # Errors
/// 400 when `from` is missing, either is no time, or the range is empty or longer than so many days.
pub fn time_range(from: Option<&str>, to: Option<&str>, now_ms: i64, max_days: i64) -> Result<(i64, i64), ApiError> {
    let from = from.ok_or_else(|| {
        ApiError::field("from", "required", "is missing; say from which time, such as 2027-01-01T00:00:00Z")
    })?;
    let from_ms = parse_time("from", from)?;
    let to_ms = to.map(|to| parse_time("to", to)).transpose()?;
    let end_ms = to_ms.unwrap_or(now_ms);
    if to_ms.is_some_and(|to_ms| to_ms <= from_ms) {
        return Err(ApiError::field("to", "out_of_range", "must be later than from"));
    }
    if end_ms.saturating_sub(from_ms) > max_days.saturating_mul(DAY_MS) {
        let message = format!("must be at most {max_days} days before to, or before now without to");
        return Err(ApiError::field("from", "out_of_range", message));
    }
    Ok((from_ms, to_ms.unwrap_or(i64::MAX)))
}

/// Checks that a range begins and ends with a full hour.
///
/// # Errors
/// 400 when it does not.
pub fn full_hours((from_ms, to_ms): (i64, i64)) -> Result<(i64, i64), ApiError> {
    for (field, time_ms) in [("from", from_ms), ("to", to_ms)] {
        if time_ms != i64::MAX && time_ms.rem_euclid(HOUR_MS) != 0 {
            let message = "must be a full hour, such as 2027-01-01T09:00:00Z";
            return Err(ApiError::field(field, "invalid_time", message));
        }
    }
    Ok((from_ms, to_ms))
}
