//! API versions (docs: "Versioning").

use super::error::ApiError;

/// A version is a date, since 2024 with a name: `2026-10-28.endive`. Any is taken, so that a client may be newer than
/// the sandbox.
pub(crate) fn check(version: &str) -> Result<(), ApiError> {
    let (date, name) = version.split_once('.').unwrap_or((version, "named"));
    let digits_at =
        |range: std::ops::Range<usize>| date.get(range).is_some_and(|part| part.bytes().all(|b| b.is_ascii_digit()));
    let is_date = date.len() == 10
        && digits_at(0..4)
        && digits_at(5..7)
        && digits_at(8..10)
        && date.get(4..5) == Some("-")
        && date.get(7..8) == Some("-");
    let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    if is_date && is_name {
        return Ok(());
    }
    Err(ApiError::invalid(format!("Invalid Stripe API version: {version}")))
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn versions_are_dates_with_names() {
        for version in ["2026-10-28.endive", "2024-06-20", "2030-01-01.fig"] {
            assert!(check(version).is_ok(), "{version}");
        }
        for version in ["", "endive", "2026-10-28.", "2026-1-28.endive", "2026-10-28.x\r\ny"] {
            assert!(check(version).is_err(), "{version}");
        }
    }
}
